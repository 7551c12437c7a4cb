"""``twosup collect``: both models on every labelled question, recorded for calibration and evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from twosup_chain import parts
from twosup_chain._deadline import DEADLINE
from twosup_chain.cli.command import command
from twosup_chain.cli.console import clean, note
from twosup_chain.cli.options import Models, Output, Prices
from twosup_chain.cli.profile import Profile
from twosup_chain.cli.progress import progress_bar
from twosup_chain.errors import ConfigurationError
from twosup_chain.evaluation.words import amount

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from twosup_chain.collection.collect import Collection, Progress
    from twosup_chain.outcomes.price import Price
    from twosup_chain.scoring.scorer import Needs

_DEMO = "demo:"
#: The demo's questions and the recordings of a hosted model's answers to them.
_DEMOS = {"sample": ("sample.json", "recording.jsonl"), "tuning": ("tuning.json", "tuning_recording.jsonl")}


@dataclass(frozen=True, kw_only=True)
class Files:
    """The questions and the file of records.

    Args:
        data: Labelled questions: a SQuAD file, JSON lines with question, context and answers ([] where there is no
            answer), or a table (.csv, .tsv) with such columns, plain or gzipped. ``demo:tuning`` and ``demo:sample``
            are the demo's own, with a recording in the remote model's place.
        out: The file of records, one JSON line a question; by default that of the profile. If it exists, the collection
            goes on from there.
    """

    data: Annotated[str, typer.Argument(metavar="DATA")]
    out: Annotated[Path | None, typer.Option("--out", "-o")] = None


@dataclass(frozen=True, kw_only=True)
class CollectedModels(Models):
    """The models, and what is asked of them.

    Args:
        remote: The hosted LLM, as provider:model, like ``openai:gpt-4.1-mini``, or an answerer of your own, as
            ``module:name`` or ``file.py:name``. It is asked every question, so this may cost money.
        logprobs: Whether the hosted LLM is asked for token log-probabilities, which some models refuse.
        conversation: Ask models that chat as a server's ``/v1/chat/completions`` does, for a route with ``chat =
            "conversation"``: the passages in a system message, the question as the user's, no instructions.
    """

    logprobs: bool = True
    conversation: bool = False


@dataclass(frozen=True, kw_only=True)
class Collecting:
    """How the questions are asked.

    Args:
        scorer: A scorer of your own whose trust is recorded too, as ``module:name`` or ``file.py:name``; may be
            repeated.
        limit: Ask the first N questions only.
        concurrency: How many hosted calls may run at once.
        retry_failed: Ask questions again whose calls failed.
        timeout: How many seconds a call may take; 0 for as long as it likes.
        text: Whether questions and answers are kept, for the examples of a report; passages never are.
    """

    panel: ClassVar[str] = "Collecting"
    scorer: tuple[str, ...] = ()
    limit: Annotated[int | None, typer.Option(min=1)] = None
    concurrency: Annotated[int, typer.Option(min=1)] = 8
    retry_failed: bool = True
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.0)] = DEADLINE
    text: bool = True


@command()
def collect(
    files: Files, models: CollectedModels, asking: Collecting, prices: Prices, profile: Profile, output: Output
) -> None:
    """Ask both models every labelled question, and record answers, scores, tokens and seconds.

    It can be interrupted at any moment: the same command goes on from there.

    [bold]Examples[/bold]

    [cyan]twosup collect dev.json --out records.jsonl --remote openai:gpt-4.1-mini --limit 500[/cyan]

    [cyan]twosup collect demo:tuning --out tuning.jsonl[/cyan]   (no key, no server)
    """
    found, _ = profile.read().under(models)
    out, price = files.out or found.get("records"), prices.price() or _price(found)
    if out is None:
        raise ConfigurationError("--out is missing: name the file of records (or let a profile do it: twosup init)")
    own = [parts.own(spec, "--scorer") for spec in asking.scorer]
    source, asked = _asked(files.data, models, found)
    local = parts.local_answerer(found.get("local", parts.READER))
    if models.conversation:
        local, asked = parts.conversing(local), parts.conversing(asked)
    from twosup_chain import collection
    from twosup_chain.records.lines import read_records
    from twosup_chain.scoring.registry import SCORERS

    with progress_bar("Collecting", kept=Path(out)) as bar:
        done = collection.collect(
            source,
            local=local,
            remote=asked,
            out=Path(out),
            scorers=[*(scorer.name for scorer in SCORERS.values() if scorer.recorded), *own],
            text=asking.text,
            concurrency=asking.concurrency,
            limit=asking.limit,
            retry_failed=asking.retry_failed,
            deadline=asking.timeout or None,
            price=price,
            progress=lambda progress: bar(progress.done, progress.total, *_facts(progress, price)),
        )
    currency = price.currency if price else None
    output.show(lambda: {**done.model_dump(), "currency": currency}, lambda: _summary(done, price))
    if done.failed:
        note(f"{done.failed} of them failed, and are left out of every figure: the same command asks them again")
        first = next(record for record in read_records(out) if record.failed)
        note(f"the first of them: {first.local.error or first.remote.error}")


def _asked(data: str, models: CollectedModels, found: dict[str, Any]) -> tuple[Path, Runnable[Any, Any]]:
    """Returns the file of questions and the hosted model."""
    if data.startswith(_DEMO):
        return _demo(data, models.remote)
    if "remote" not in found:
        raise ConfigurationError(
            "--remote is missing: pass the hosted LLM as provider:model (demo:tuning as DATA brings a recording)"
        )
    needs: Needs | None = "top_logprobs" if models.logprobs else None
    more = {"max_tokens": most} if (most := found.get("max_tokens")) is not None else {}
    key = found.get("remote_key", parts.KEY)
    return Path(data), parts.remote_answerer(found["remote"], found.get("remote_url"), needs, key=key, **more)


def _price(found: dict[str, Any]) -> Price | None:
    """Returns the price that the profile says; ``None`` where it says none."""
    from twosup_chain.outcomes.price import Price

    price = found.get("price")
    if price is None:
        return None
    return Price.of_model(found.get("remote", "")) if price == "list" else Price(**price)


def _demo(data: str, remote: str | None) -> tuple[Path, Runnable[Any, Any]]:
    from twosup_chain.demo.recording import SAMPLE
    from twosup_chain.demo.replay import ReplayedAnswerer

    files = _DEMOS.get(data.removeprefix(_DEMO))
    if files is None or remote is not None:
        raise ConfigurationError(
            f"DATA {data!r}: demo:sample and demo:tuning are there, with a recording in place of --remote"
        )
    questions, recording = (SAMPLE.with_name(name) for name in files)
    return questions, ReplayedAnswerer(recording=recording)


def _facts(progress: Progress, price: Price | None) -> tuple[str, str, str]:
    """Returns rate, cost so far and failures, in words."""
    return (
        f"{progress.rate:.3g}/s" if progress.rate else "",
        amount(progress.cost, price.currency) if price and progress.cost is not None else "",
        f"{progress.failed} failed" if progress.failed else "",
    )


def _summary(done: Collection, price: Price | None) -> list[str]:
    lines = [
        f"{done.recorded} of {done.questions} questions are in {clean(done.path)}, {done.new} of them new",
        f"local model   {clean(done.local_model or 'not named by its answers')}",
        f"remote model  {clean(done.remote_model or 'not named by its answers')}",
        f"tokens        {done.input_tokens:,} read and {done.output_tokens:,} written by the remote model",
    ]
    if price is not None and done.cost is not None:
        lines.append(f"cost          {amount(done.cost, price.currency)}")
    return lines
