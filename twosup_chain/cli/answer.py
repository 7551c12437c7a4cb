"""``twosup answer``: many questions from a file, on this machine or on a Ray cluster."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from twosup_chain.cli.answering import Answering, Judging, route_of
from twosup_chain.cli.command import command
from twosup_chain.cli.console import note
from twosup_chain.cli.options import Output
from twosup_chain.cli.profile import Profile
from twosup_chain.cli.progress import ProgressBar, progress_bar
from twosup_chain.errors import ConfigurationError

if TYPE_CHECKING:
    from twosup_chain.chain import TwoSupervisorChain
    from twosup_chain.service.answers import Answered


class Engine(StrEnum):
    """Where the questions are answered."""

    HERE = "here"
    RAY = "ray"


@dataclass(frozen=True, kw_only=True)
class Files:
    """The questions and the answers.

    Args:
        questions: JSON lines with question, context and, if there is one, id, or a table (.csv, .tsv) with such
            columns; for Ray JSON lines, or a Parquet file or folder.
        out: The answers: a file of JSON lines; with Ray a folder of Parquet files. If it exists, the work goes on.
    """

    questions: Annotated[Path, typer.Argument(metavar="QUESTIONS")]
    out: Annotated[Path, typer.Option("--out", "-o")]


@dataclass(frozen=True, kw_only=True)
class Running:
    """Where and how the questions are answered.

    Args:
        engine: ``here``, in this process, or ``ray``, on a Ray cluster (extra ``ray``).
        address: The cluster's address, as Ray takes it; without it one is started on this machine.
        workers: How many Ray workers there are, each with a local model.
        rate: How many hosted calls may start in a second, of all Ray workers together.
        batch: How many questions are answered at once.
    """

    panel: ClassVar[str] = "Running"
    engine: Annotated[Engine, typer.Option(metavar="here|ray")] = Engine.HERE
    address: Annotated[str | None, typer.Option(metavar="ADDRESS")] = None
    workers: Annotated[int | None, typer.Option(min=1)] = None
    rate: Annotated[float | None, typer.Option(metavar="CALLS", min=0.001)] = None
    batch: Annotated[int, typer.Option(min=1)] = 64


@command()
def answer(files: Files, models: Answering, trust: Judging, running: Running, profile: Profile, output: Output) -> None:
    """Answer the QUESTIONS of a file, locally where that can be trusted.

    It can be interrupted at any moment: the same command goes on from there.

    [bold]Examples[/bold]

    [cyan]twosup answer questions.jsonl --out answers.jsonl --calibration calibration.json[/cyan]

    [cyan]twosup answer questions.parquet --out answers/ --engine ray --workers 8 --remote openai:gpt-4.1-mini[/cyan]
    """
    from rich.text import Text

    only = {"--address": running.address, "--workers": running.workers, "--rate": running.rate}
    if running.engine == Engine.HERE and (given := [name for name, value in only.items() if value is not None]):
        raise ConfigurationError(f"{', '.join(given)}: only with --engine ray")
    remark = route_of(models, trust, profile)[1]
    with progress_bar("Answering", kept=files.out) as bar:
        answering = _on_ray if running.engine == Engine.RAY else _here
        done = answering(files, partial(_chain, models, trust, profile), running, bar)
    said = f"{done.new:,} of {done.questions:,} questions answered now: {done.out}"
    output.show(lambda: json.loads(done.model_dump_json()), lambda: [Text(said)])
    if remark:
        note(remark)


def _chain(models: Answering, trust: Judging, profile: Profile) -> TwoSupervisorChain:
    return route_of(models, trust, profile)[0].chain


def _here(files: Files, factory: partial[TwoSupervisorChain], running: Running, progress: ProgressBar) -> Answered:
    from twosup_chain.service.answers import answer_file

    return answer_file(factory(), files.questions, files.out, batch_size=running.batch, progress=progress)


def _on_ray(files: Files, factory: partial[TwoSupervisorChain], running: Running, progress: ProgressBar) -> Answered:
    from twosup_chain.service.ray import answer_dataset, dataset_of, silence

    silence()  # the bar of this command tells the progress
    return answer_dataset(
        factory,
        dataset_of(files.questions, address=running.address),
        out=files.out,
        workers=running.workers or 2,
        rate=running.rate,
        batch_size=running.batch,
        progress=progress,
    )
