"""``twosup evaluate-reader``: how good the local reader is on labelled questions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from twosup_chain.cli.command import command
from twosup_chain.cli.console import clean, note
from twosup_chain.cli.options import Output
from twosup_chain.cli.progress import progress_bar
from twosup_chain.cli.tables import bar, table
from twosup_chain.errors import MissingExtraError

if TYPE_CHECKING:
    from rich.table import Table

    from twosup_chain.reader.reader import ExtractiveReader
    from twosup_chain.training.evaluate import ReaderEvaluation


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The reader and the questions.

    Args:
        file: Labelled questions: a SQuAD file (v1.1 or v2), or JSON lines with question, context and answers ([] where
            there is no answer), plain or gzipped.
        model: ``base``, the larger reader of the extra reader-base, or the folder of one of your own, as ``twosup
            export-reader`` writes it; by default the packaged one.
        threads: Threads of the reader; by default all.
    """

    panel: ClassVar[str] = "Reader"
    file: Annotated[Path, typer.Argument(metavar="FILE")]
    model: Annotated[str, typer.Option(metavar="MODEL")] = "small"
    threads: Annotated[int | None, typer.Option(min=1)] = None


@dataclass(frozen=True, kw_only=True)
class Folder(Output):
    """What is written.

    Args:
        out: Also write predictions.json and na_prob.json (the official SQuAD v2 format), figures.json and, where
            matplotlib is installed, pictures.
    """

    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR")] = None


@command()
def evaluate_reader(measured: Measured, output: Folder) -> None:
    """Measure the local reader on labelled questions.

    Exact match and F1 follow the official SQuAD v2 rule: "no answer" is right on an unanswerable question.

    [bold]Examples[/bold]

    [cyan]twosup evaluate-reader dev-v2.0.json --out reader/[/cyan]

    [cyan]twosup evaluate-reader questions.jsonl --model my-reader/ --json[/cyan]
    """
    from twosup_chain.training import evaluate as reader_evaluation

    reader = _reader(measured.model, measured.threads)
    with progress_bar("Reading") as watch:
        found = reader_evaluation.evaluate_reader(reader, measured.file, progress=watch)
    if output.out is not None:
        _write(output.out, found)
    output.show(found.as_dict, lambda: (_head(found), "", _figures(found), _risks(found)))
    if found.refused:
        note(f'{found.refused} question(s) could not be read and count as "no answer"')


def _reader(model: str, threads: int | None) -> ExtractiveReader:
    """Returns the reader, with windows as long as its model reads."""
    from twosup_chain.reader.folder import CONFIG_FILE, ReaderConfig, model_folder
    from twosup_chain.reader.reader import ExtractiveReader

    longest = ReaderConfig.read(model_folder(model) / CONFIG_FILE).max_positions
    default = ExtractiveReader.model_fields["max_length"].default
    return ExtractiveReader(model=model, num_threads=threads, max_length=min(default, longest))


def _write(folder: Path, found: ReaderEvaluation) -> None:
    from twosup_chain.training.pictures import draw_evaluation

    found.save(folder)
    try:
        draw_evaluation(found, folder)
    except MissingExtraError as error:
        note(f"no pictures: {error}")
    note(f"written to {folder}")


def _head(found: ReaderEvaluation) -> str:
    return (
        f"{clean(found.model)}: {len(found)} questions, {int(found.answerable.sum())} of them answerable; "
        f"{1e3 * found.seconds / len(found):.1f} ms a question"
    )


def _figures(found: ReaderEvaluation) -> Table:
    from twosup_chain.training.evaluate import NAMES

    # kinds that are there
    known = {name: figure for name, figure in found.figures.items() if not math.isnan(figure[0])}
    rows = [(NAMES[name], f"{value:.4f}", f"{low:.4f} – {high:.4f}") for name, (value, low, high) in known.items()]
    return table(("", ">", ">95 % interval"), rows)


def _risks(found: ReaderEvaluation) -> Table:
    """Returns the risk–coverage curve as a table with a bar chart."""
    from twosup_chain.evaluation.words import percent

    curve = found.risk_coverage(steps=10)
    points = zip(curve.coverage, found.thresholds(curve.coverage), curve.risk, strict=True)
    rows = [(percent(share, 0), f"{least:.3f}", percent(risk), bar(risk)) for share, least, risk in points]
    return table(("answered", ">answerability ≥", ">wrong among them", ""), rows)
