"""``twosup ask``: one question, answered from the files that it is asked about."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twosup_chain import parts
from twosup_chain._deadline import DEADLINE
from twosup_chain._secrets import scrub
from twosup_chain.cli.command import command
from twosup_chain.cli.console import note, print_json, show, stderr
from twosup_chain.cli.documents import STDIN, read_documents
from twosup_chain.cli.options import Models, Output, Trust
from twosup_chain.errors import ConfigurationError, TwosupError

if TYPE_CHECKING:
    from twosup_chain.chain import TwoSupervisorChain
    from twosup_chain.schema import QAInput, TwoSupervisorResult
    from twosup_chain.supervisor import Supervisor


class RemoteFailedError(TwosupError):
    """The remote model failed, and nothing was to be used in its stead."""


class OnRemoteError(StrEnum):
    """What becomes of a question where the remote model fails."""

    RAISE = "raise"
    LOCAL = "local"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The question and its context.

    Args:
        question: What to ask.
        context: A text file (UTF-8) that the answer must come from, or ``-`` for standard input. May be repeated: each
            file is a document.
    """

    question: Annotated[str, typer.Argument(metavar="QUESTION")]
    context: Annotated[tuple[str, ...], typer.Option("--context", "-c", metavar="FILE|-")]


@dataclass(frozen=True, kw_only=True)
class AskedModels(Models):
    """The models, and what happens where the remote one fails.

    Args:
        remote: The hosted LLM that is asked where the local answer is not trusted, as provider:model, like
            ``openai:gpt-4.1-mini``, or an answerer of your own, as ``module:name`` or ``file.py:name``. Without one, an
            answer that is not trusted is no answer.
        on_remote_error: Where the remote model fails: ``raise`` the error, use the ``local`` answer as it stands, or
            end with ``no_answer``.
        timeout: How many seconds the question may take; 0 for as long as it likes.
    """

    on_remote_error: Annotated[OnRemoteError, typer.Option(metavar="POLICY")] = OnRemoteError.RAISE
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.0)] = DEADLINE


@dataclass(frozen=True, kw_only=True)
class Printed(Output):
    """What is printed.

    Args:
        no_answer: What to print where there is no answer.
    """

    no_answer: Annotated[str | None, typer.Option(metavar="TEXT")] = None


@command()
def ask(asked: Asked, models: AskedModels, trust: Trust, output: Printed) -> None:
    """Answer a QUESTION from text files, locally where that can be trusted.

    The remote model, if there is one, is asked only where the local answer is not trusted.

    [bold]Examples[/bold]

    [cyan]twosup ask "When was it built?" --context guide.txt[/cyan]

    [cyan]twosup ask "Who wrote it?" -c - --remote openai:gpt-4.1-mini < book.txt[/cyan]
    """
    from twosup_chain.schema import QAInput

    QAInput(question=asked.question)  # a blank question ends here, before anything is read or loaded
    question = QAInput(question=asked.question, context=read_documents(asked.context))
    chain, remark = _chain(models, trust)
    result = _scrubbed(_answer(chain, question))
    if output.as_json:
        print_json(json.loads(result.model_dump_json()))
        if remark:
            note(remark)
    else:
        from twosup_chain.cli.render import render_result

        names = ["standard input" if name == STDIN else Path(name).name for name in asked.context]
        show(render_result(result, question, no_answer=output.no_answer, names=names, remark=remark))


def _chain(models: AskedModels, trust: Trust) -> tuple[TwoSupervisorChain, str]:
    """Returns the chain that the options describe, and a remark on thresholds that the user did not choose."""
    from twosup_chain.chain import TwoSupervisorChain
    from twosup_chain.demo.run import THRESHOLDS, DemoThresholds

    local, remote = (trust.local_scorer, trust.local_threshold), (trust.remote_scorer, trust.remote_threshold)
    if models.remote is None and (models.remote_url, *remote) != (None, None, None):
        raise ConfigurationError(
            "--remote is missing: --remote-url, --remote-scorer and --remote-threshold say how it is asked"
        )
    open_choices = None in (*local, *(remote if models.remote else ()))
    fitted = DemoThresholds.load(THRESHOLDS) if open_choices and models.local == parts.READER else None
    supervisors = {"local": parts.supervisor("local", *local, fitted.local if fitted else None)}
    options: dict[str, Any] = {
        "local": parts.local_answerer(models.local),
        "on_remote_error": models.on_remote_error.value,
        "deadline": models.timeout or None,
    }
    if models.remote is not None:
        supervisors["remote"] = parts.supervisor("remote", *remote, fitted.remote if fitted else None)
        options["remote"] = parts.remote_answerer(models.remote, models.remote_url, supervisors["remote"].scorer.needs)
    options |= {f"{role}_supervisor": supervisor for role, supervisor in supervisors.items()}
    unchosen = {role: judge for role, judge in supervisors.items() if getattr(trust, f"{role}_threshold") is None}
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
        raise RemoteFailedError(
            f"the remote model failed: {type(error).__name__}: {error} "
            "(--on-remote-error local or no_answer would end this question without an error)"
        ) from error


def _scrubbed(result: TwoSupervisorResult) -> TwoSupervisorResult:
    """Returns the result without keys in what the remote model's failure left behind."""
    if result.error is None:
        return result
    return result.model_copy(update={"error": scrub(result.error), "reason": scrub(result.reason)})
