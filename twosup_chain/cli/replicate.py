"""``twosup replicate``: the paper's figures from the recorded predictions of two models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer
from rich.console import RenderableType

from twosup_chain._atomic import write_folder
from twosup_chain.cli.command import command
from twosup_chain.cli.console import note
from twosup_chain.cli.options import Output
from twosup_chain.cli.tables import table
from twosup_chain.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from twosup_chain.paper import Point, Recordings, Replication, Table
    from twosup_chain.paper.study import PointSpec

ColumnName = Annotated[str | None, typer.Option(metavar="COL")]


@dataclass(frozen=True, kw_only=True)
class Files:
    """The recorded predictions.

    Args:
        local: The local model's recorded predictions, .csv or .csv.gz.
        remote: The hosted model's, on the same questions in the same order. Where one file is longer, its rest does not
            count.
    """

    local: Path
    remote: Path


@dataclass(frozen=True, kw_only=True)
class ColumnNames:
    """The files' columns.

    Args:
        local_score: The trust score of the local model. By default the column that ends in confidence or score.
        remote_score: The trust score of the hosted model, likewise.
        correct: Whether the prediction is right. By default exact_match or correct, else prediction against label.
        prediction: The prediction. By default prediction or predicted.
        truth: The label. By default ground_truth, truth or label.
        seconds: Times to add up. By default pred_time and supervisor_time, where there are any.
        where: A column of True and False, like is_possible: only rows where it is true count.
    """

    panel: ClassVar[str] = "Columns"
    local_score: ColumnName = None
    remote_score: ColumnName = None
    correct: ColumnName = None
    prediction: ColumnName = None
    truth: ColumnName = None
    seconds: Annotated[str | None, typer.Option(metavar="COL,…")] = None
    where: ColumnName = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The figures to compute.

    Args:
        steps: How fine the grid of cutoffs is: the paper's curves have 1000 steps, its table of supervisors 100.
        points: Where to evaluate: ``even``, the first cutoff as good as the hosted model alone, ``best``, or cutoffs
            like ``0.3,0.5,0.7``.
        fpr: What the second threshold aims at: the share of right predictions that are rejected.
    """

    panel: ClassVar[str] = "Figures"
    steps: Annotated[int, typer.Option(min=1)] = 1000
    points: Annotated[str, typer.Option(metavar="LIST")] = "even,best"
    fpr: Annotated[str, typer.Option(metavar="LIST")] = "0.01,0.05,0.1"


@dataclass(frozen=True, kw_only=True)
class Folder(Output):
    """What is written.

    Args:
        out: Also write the request–accuracy curve (SVG, PNG) and the tables (CSV, Markdown, LaTeX, JSON) there.
    """

    out: Annotated[Path | None, typer.Option(metavar="DIR")] = None


@command()
def replicate(files: Files, named: ColumnNames, wanted: Wanted, output: Folder) -> None:
    """Compute the figures of the paper (DOI 10.1145/3617593) from recorded predictions.

    The thresholds are chosen on the very rows that they are scored on, as in the paper: this shows what could have been
    reached, not what will be. For thresholds that hold on new questions, calibrate.

    [bold]Examples[/bold]

    [cyan]twosup replicate --local small.csv --remote large.csv.gz --where is_possible[/cyan]

    [cyan]twosup replicate --local small.csv --remote large.csv --points 0.3,0.5,0.7 --steps 100 --json[/cyan]
    """
    points = _points(wanted.points)
    rates = [_share(part, "--fpr", "a false-positive rate in [0, 1]") for part in _split(wanted.fpr, "--fpr")]
    from twosup_chain.paper import Columns, read_recordings, tables
    from twosup_chain.paper import replicate as figures_of

    columns = asdict(named)
    where, times = columns.pop("where"), columns.pop("seconds")
    columns["seconds"] = None if times is None else tuple(_split(times, "--seconds"))
    recordings = read_recordings(files.local, files.remote, columns=Columns(**columns), where=where)
    figures = figures_of(recordings.local, recordings.remote, points=points, target_fprs=rates, steps=wanted.steps)
    for remark in recordings.remarks:
        note(remark)
    if output.out is not None:
        _write(output.out, figures, recordings, wanted.steps)
    output.show(figures.as_dict, lambda: _report(figures, tables(figures)))


def _split(text: str, option: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise ConfigurationError(f"{option} {text!r}: give a list without gaps, separated by commas")
    return parts


def _points(text: str) -> list[PointSpec]:
    points: list[PointSpec] = []
    for part in _split(text, "--points"):
        match part:
            case "even" | "best":
                points.append(part)
            case _:
                points.append(_share(part, "--points", "even, best or a cutoff in [0, 1]"))
    return points


def _share(text: str, option: str, wanted: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ConfigurationError(f"{option}: {text!r} is not {wanted}")
    return value


def _write(folder: Path, figures: Replication, recordings: Recordings, steps: int) -> None:
    """Writes everything into the folder; without matplotlib all but the picture."""
    from twosup_chain.paper import tables

    contents: dict[str, str | bytes] = {"figures.json": json.dumps(figures.as_dict(), indent=2) + "\n"}
    for made in tables(figures):
        written = {"csv": made.csv(), "md": made.markdown(), "tex": made.latex()}
        contents |= {f"{made.name}.{suffix}": text for suffix, text in written.items()}
    write_folder(folder, contents | _pictures(figures, recordings, steps))
    note(f"written to {folder}")


def _pictures(figures: Replication, recordings: Recordings, steps: int) -> dict[str, str | bytes]:
    from twosup_chain.evaluation.drawing import drawn
    from twosup_chain.evaluation.plotting import request_accuracy_figure

    local, remote = recordings.local, recordings.remote
    try:
        picture = request_accuracy_figure(
            local.score,
            local.correct,
            remote.correct,
            steps=steps,
            marks=[(_mark(point), point.cutoff, point.accuracy) for point in figures.points],
        )
    except MissingExtraError as error:
        note(f"no picture: {error}")
        return {}
    return {f"rac.{suffix}": drawn(picture, f".{suffix}") for suffix in ("svg", "png")}


def _mark(point: Point) -> str:
    return f"{'' if point.name == 'default' else point.name} at {point.cutoff:.1%}".strip()


def _report(figures: Replication, found: Sequence[Table]) -> list[RenderableType]:
    from rich.text import Text

    parts: list[RenderableType] = []
    for printed in found:
        titles = [title if name == "row" else f">~{title}" for name, title in printed.columns.items()]
        parts += [Text(printed.caption, style="bold"), table(titles, printed.texts())]
    return [*parts, Text(_break_even(figures), style="dim")]


def _break_even(figures: Replication) -> str:
    latency = figures.latency
    if latency is None:
        return "No times were recorded."
    if not latency.break_even > 0:
        return "The local model takes as long as the hosted one: a cascade saves no time."
    return (
        f"The cascade is faster than the hosted model alone while it escalates less than {latency.break_even:.2%} "
        "of the questions."
    )
