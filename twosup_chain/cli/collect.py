"""``twosup collect``: both models on every labelled question, recorded for calibration and evaluation.

It takes the command line's words apart and shows how far the collection is; the work is done in `collection`.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from twosup_chain.cli import options, parts
from twosup_chain.cli.console import clean, note, print_json, show, stderr
from twosup_chain.errors import ConfigurationError
from twosup_chain.evaluation.words import amount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.runnables import Runnable

    from twosup_chain.collection.collect import Collection, Progress
    from twosup_chain.outcomes.price import Price

_DEMO = "demo:"
#: The demo's questions and the recordings of a hosted model's answers to them.
_DEMOS = {"sample": ("sample.json", "recording.jsonl"), "tuning": ("tuning.json", "tuning_recording.jsonl")}
_MODELS, _RUN, _OUTPUT = "Models", "Collecting", "Output"


def collect(  # noqa: PLR0913 - a command's options are its arguments
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="Labelled questions: a SQuAD file, or JSON lines with question, context and answers ([] where there "
            "is no answer), plain or gzipped. [bold]demo:tuning[/bold] and [bold]demo:sample[/bold] are the demo's "
            "own, with a recording in the remote model's place.",
            show_default=False,
        ),
    ],
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="The file of records, one JSON line a question. If it exists, the collection goes on from there.",
            show_default=False,
        ),
    ],
    local: options.LocalModel = parts.READER,
    remote: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="The hosted LLM, as provider:model, like [bold]openai:gpt-4.1-mini[/bold]. It is asked every "
            "question, so this costs money.",
            rich_help_panel=_MODELS,
        ),
    ] = None,
    remote_url: options.RemoteUrl = None,
    logprobs: Annotated[
        bool,
        typer.Option(
            help="Whether the hosted LLM is asked for token log-probabilities, which some models refuse.",
            rich_help_panel=_MODELS,
        ),
    ] = True,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Ask the first N questions only.", rich_help_panel=_RUN),
    ] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many hosted calls may run at once.", rich_help_panel=_RUN)
    ] = 8,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask questions again whose calls failed.", rich_help_panel=_RUN)
    ] = False,
    price_in: options.PriceIn = None,
    price_out: options.PriceOut = None,
    currency: options.Currency = "USD",
    text: Annotated[
        bool,
        typer.Option(
            help="Whether questions and answers are kept, for the examples of a report; passages never are.",
            rich_help_panel=_OUTPUT,
        ),
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as one JSON document.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Ask both models every labelled question, and record answers, scores, tokens and seconds.

    It can be interrupted at any moment: the same command goes on from there.

    [bold]Examples[/bold]

    [cyan]twosup collect dev.json --out records.jsonl --remote openai:gpt-4.1-mini --limit 500[/cyan]

    [cyan]twosup collect demo:tuning --out tuning.jsonl[/cyan]   (no key, no server)
    """
    price = parts.price(price_in, price_out, currency)
    source, asked = _asked(data, remote, remote_url, logprobs=logprobs)
    from twosup_chain import collection

    with _shown(price) as watch:
        done = collection.collect(
            source,
            local=parts.local_answerer(local),
            remote=asked,
            out=out,
            text=text,
            concurrency=concurrency,
            limit=limit,
            retry_failed=retry_failed,
            price=price,
            progress=watch,
        )
    if as_json:
        print_json({**done.model_dump(), "currency": price.currency if price else None})
    else:
        show(_summary(done, price))
    if done.failed:
        note(f"{done.failed} of them failed, and are left out of every figure: --retry-failed asks them again")


def _asked(data: str, remote: str | None, url: str | None, *, logprobs: bool) -> tuple[Path, Runnable[Any, Any]]:
    """Returns the file of questions and the hosted model."""
    if data.startswith(_DEMO):
        return _demo(data, remote)
    if remote is None:
        message = "--remote is missing: pass the hosted LLM as provider:model (demo:tuning as DATA brings a recording)"
        raise ConfigurationError(message)
    return Path(data), parts.remote_answerer(remote, url, parts.DEFAULT_SCORER if logprobs else "")


def _demo(data: str, remote: str | None) -> tuple[Path, Runnable[Any, Any]]:
    from twosup_chain.demo.recording import SAMPLE
    from twosup_chain.demo.replay import ReplayedAnswerer

    files = _DEMOS.get(data.removeprefix(_DEMO))
    if files is None or remote is not None:
        message = f"DATA {data!r}: demo:sample and demo:tuning are there, with a recording in place of --remote"
        raise ConfigurationError(message)
    questions, recording = (SAMPLE.with_name(name) for name in files)
    return questions, ReplayedAnswerer(recording=recording)


@contextmanager
def _shown(price: Price | None) -> Iterator[Callable[[Progress], None]]:
    """Shows on the terminal how far the collection is; what it yields takes the progress."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("Collecting"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[facts]}"))
    terminal = stderr()
    with Bar(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("", total=None, facts="")

        def watch(progress: Progress) -> None:
            bar.update(task, completed=progress.done, total=progress.total, facts=_facts(progress, price))

        yield watch


def _facts(progress: Progress, price: Price | None) -> str:
    """Returns rate, cost so far, time left and failures, in words."""
    left = progress.seconds_left
    facts = [
        f"{progress.rate:.3g}/s" if progress.rate else "",
        amount(progress.cost, price.currency) if price and progress.cost is not None else "",
        f"{_clock(left)} left" if left is not None else "",
        f"{progress.failed} failed" if progress.failed else "",
    ]
    return " · ".join(filter(None, facts))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _summary(done: Collection, price: Price | None) -> Text:
    lines = [
        f"{done.recorded} of {done.questions} questions are in {clean(done.path)}, {done.new} of them new",
        f"local model   {clean(done.local_model or 'not named by its answers')}",
        f"remote model  {clean(done.remote_model or 'not named by its answers')}",
        f"tokens        {done.input_tokens:,} read and {done.output_tokens:,} written by the remote model",
    ]
    if price is not None and done.cost is not None:
        lines.append(f"cost          {amount(done.cost, price.currency)}")
    return Text("\n".join(lines))
