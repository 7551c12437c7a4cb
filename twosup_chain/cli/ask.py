"""``twosup ask``: one question, answered from the files that it is asked about.

It takes the command line's words apart, runs the chain once, and prints the outcome for people or as JSON.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twosup_chain._secrets import scrub
from twosup_chain.cli import options, parts
from twosup_chain.cli.console import note, print_json, show, stderr
from twosup_chain.cli.documents import STDIN, read_documents
from twosup_chain.errors import ConfigurationError, TwosupError

if TYPE_CHECKING:
    from twosup_chain.chain import TwoSupervisorChain
    from twosup_chain.schema import QAInput, TwoSupervisorResult
    from twosup_chain.supervisor import Supervisor

#: A scorer's name and a threshold, each only where the user gave it.
_Trust = tuple[str | None, float | None]

_MODELS, _TRUST, _OUTPUT = "Models", "Trust", "Output"


class RemoteFailedError(TwosupError):
    """The remote model failed, and nothing was to be used in its stead."""


class OnRemoteError(StrEnum):
    """What becomes of a question where the remote model fails."""

    RAISE = "raise"
    LOCAL = "local"
    NO_ANSWER = "no_answer"


def ask(  # noqa: PLR0913 - a command's options are its arguments
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What to ask.", show_default=False)],
    *,
    context: Annotated[
        list[str],
        typer.Option(
            "--context",
            "-c",
            metavar="FILE|-",
            help="A text file (UTF-8) that the answer must come from, or - for standard input. May be repeated: each "
            "file is a document.",
            show_default=False,
        ),
    ],
    local: options.LocalModel = parts.READER,
    remote: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="The hosted LLM that is asked where the local answer is not trusted, as provider:model, like "
            "[bold]openai:gpt-4.1-mini[/bold]. Without one, an answer that is not trusted is no answer.",
            rich_help_panel=_MODELS,
        ),
    ] = None,
    remote_url: options.RemoteUrl = None,
    on_remote_error: Annotated[
        OnRemoteError,
        typer.Option(
            metavar="POLICY",
            help="Where the remote model fails: [bold]raise[/bold] the error, use the [bold]local[/bold] answer as it "
            "stands, or end with [bold]no_answer[/bold].",
            rich_help_panel=_MODELS,
        ),
    ] = OnRemoteError.RAISE,
    local_scorer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="How trust in the local answer is scored, like answerability, or a file of twosup fit-scorer's.",
            rich_help_panel=_TRUST,
        ),
    ] = None,
    local_threshold: options.LocalThreshold = None,
    remote_scorer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="How trust in the remote answer is scored, like in_context, or a file of twosup fit-scorer's.",
            rich_help_panel=_TRUST,
        ),
    ] = None,
    remote_threshold: options.RemoteThreshold = None,
    no_answer: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="What to print where there is no answer.", rich_help_panel=_OUTPUT),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print the whole result as one JSON document, nothing else.", rich_help_panel=_OUTPUT
        ),
    ] = False,
) -> None:
    """Answer a QUESTION from text files, locally where that can be trusted.

    The remote model, if there is one, is asked only where the local answer is not trusted.

    [bold]Examples[/bold]

    [cyan]twosup ask "When was it built?" --context guide.txt[/cyan]

    [cyan]twosup ask "Who wrote it?" -c - --remote openai:gpt-4.1-mini < book.txt[/cyan]
    """
    from twosup_chain.schema import QAInput

    QAInput(question=question)  # a blank question ends here, before anything is read or loaded
    asked = QAInput(question=question, context=read_documents(context))
    chain, remark = _chain(
        local, remote, remote_url, (local_scorer, local_threshold), (remote_scorer, remote_threshold), on_remote_error
    )
    result = _scrubbed(_answer(chain, asked))
    if as_json:
        print_json(json.loads(result.model_dump_json()))
        if remark:
            note(remark)
    else:
        from twosup_chain.cli.render import render_result

        names = ["standard input" if name == STDIN else Path(name).name for name in context]
        show(render_result(result, asked, no_answer=no_answer, names=names, remark=remark))


def _chain(
    local: str,
    remote: str | None,
    remote_url: str | None,
    local_trust: _Trust,
    remote_trust: _Trust,
    on_remote_error: OnRemoteError,
) -> tuple[TwoSupervisorChain, str]:
    """Returns the chain that the options describe, and a remark on thresholds that the user did not choose."""
    from twosup_chain.chain import TwoSupervisorChain
    from twosup_chain.demo.run import THRESHOLDS, DemoThresholds

    if remote is None and (remote_url, *remote_trust) != (None, None, None):
        message = "--remote is missing: --remote-url, --remote-scorer and --remote-threshold say how it is asked"
        raise ConfigurationError(message)
    open_choices = None in (*local_trust, *(remote_trust if remote else ()))
    fitted = DemoThresholds.load(THRESHOLDS) if open_choices and local == parts.READER else None
    supervisors = {"local": parts.supervisor("local", *local_trust, fitted.local if fitted else None)}
    options: dict[str, Any] = {"local": parts.local_answerer(local), "on_remote_error": on_remote_error.value}
    if remote is not None:
        supervisors["remote"] = parts.supervisor("remote", *remote_trust, fitted.remote if fitted else None)
        options["remote"] = parts.remote_answerer(remote, remote_url, supervisors["remote"].scorer_name)
    options |= {f"{role}_supervisor": supervisor for role, supervisor in supervisors.items()}
    given = {"local": local_trust[1], "remote": remote_trust[1]}
    unchosen = {role: supervisor for role, supervisor in supervisors.items() if given[role] is None}
    return TwoSupervisorChain(**options), _remark(unchosen, fitted.fixed_on if fitted else "")


def _remark(unchosen: dict[str, Supervisor], fixed_on: str) -> str:
    """Returns, in words, which thresholds the user did not choose, and where they come from."""
    if not unchosen:
        return ""
    values = [f"{role} threshold {s.threshold:.3g} ({s.scorer_name})" for role, s in unchosen.items()]
    return f"{' and '.join(values)}: fitted on {fixed_on.rstrip('.')}. Calibrate on questions of your own."


def _answer(chain: TwoSupervisorChain, asked: QAInput) -> TwoSupervisorResult:
    """Returns the chain's result, with a sign of life on the terminal meanwhile."""
    try:
        with stderr().status("Reading …"):
            return chain.invoke(asked)
    except Exception as error:
        if not hasattr(error, "__notes__"):  # which the chain adds where it was the remote
            raise
        message = (
            f"the remote model failed: {type(error).__name__}: {error} "
            "(--on-remote-error local or no_answer would end this question without an error)"
        )
        raise RemoteFailedError(message) from error


def _scrubbed(result: TwoSupervisorResult) -> TwoSupervisorResult:
    """Returns the result without keys in what the remote model's failure left behind."""
    if result.error is None:
        return result
    return result.model_copy(update={"error": scrub(result.error), "reason": scrub(result.reason)})
