"""``twosup evaluate-reader``: how good the local reader is on labelled questions.

It takes the command line's words apart and shows the figures; they come from `reader_evaluation`.
"""

from __future__ import annotations

import math
from pathlib import Path  # noqa: TC003  typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer

from twosup_chain.cli.console import clean, note, print_json, show
from twosup_chain.cli.progress import progress_bar
from twosup_chain.errors import MissingExtraError

if TYPE_CHECKING:
    from rich.table import Table

    from twosup_chain.reader.reader import ExtractiveReader
    from twosup_chain.training.evaluate import ReaderEvaluation

_READER, _OUTPUT = "Reader", "Output"
_BAR = 30


def evaluate_reader(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Labelled questions: a SQuAD file (v1.1 or v2), or JSON lines with question, context and answers ([] "
            "where there is no answer), plain or gzipped.",
            show_default=False,
        ),
    ],
    *,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A reader of your own, as [bold]twosup export-reader[/bold] writes it; by default the packaged one.",
            rich_help_panel=_READER,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Threads of the reader; by default all.", rich_help_panel=_READER),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Also write predictions.json and na_prob.json (the official SQuAD v2 format), figures.json and, where "
            "matplotlib is installed, pictures.",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as one JSON document.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Measure the local reader on labelled questions.

    Exact match and F1 follow the official SQuAD v2 rule: "no answer" is right on an unanswerable question.

    [bold]Examples[/bold]

    [cyan]twosup evaluate-reader dev-v2.0.json --out reader/[/cyan]

    [cyan]twosup evaluate-reader questions.jsonl --model my-reader/ --json[/cyan]
    """
    from twosup_chain.training import evaluate as reader_evaluation

    reader = _reader(model, threads)
    with progress_bar("Reading") as watch:
        found = reader_evaluation.evaluate_reader(reader, file, progress=watch)
    if out is not None:
        _write(out, found)
    if as_json:
        print_json(found.as_dict())
    else:
        show(_head(found), "", _figures(found), _risks(found))
    if found.refused:
        note(f'{found.refused} question(s) could not be read and count as "no answer"')


def _reader(model: Path | None, threads: int | None) -> ExtractiveReader:
    """Returns the packaged reader, or the user's own with windows as long as its model reads."""
    from twosup_chain.reader.folder import CONFIG_FILE, ReaderConfig
    from twosup_chain.reader.reader import ExtractiveReader

    if model is None:
        return ExtractiveReader(num_threads=threads)
    longest = ReaderConfig.read(model / CONFIG_FILE).max_positions
    default = ExtractiveReader.model_fields["max_length"].default
    return ExtractiveReader(model_path=model, num_threads=threads, max_length=min(default, longest))


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

    table = _table("", "", "95 % interval")
    for name, (value, low, high) in found.figures.items():
        if not math.isnan(value):  # as it is for a kind of question that is not there
            table.add_row(NAMES[name], f"{value:.4f}", f"{low:.4f} – {high:.4f}")
    return table


def _risks(found: ReaderEvaluation) -> Table:
    """Returns the risk–coverage curve as a table with a bar chart."""
    table = _table("answered", "answerability ≥", "wrong among them", "")
    curve = found.risk_coverage(steps=10)
    for coverage, least, risk in zip(curve.coverage, found.thresholds(curve.coverage), curve.risk, strict=True):
        table.add_row(f"{coverage:.0%}", f"{least:.3f}", f"{risk:.1%}", "█" * round(_BAR * risk))
    return table


def _table(*titles: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for number, title in enumerate(titles):
        table.add_column(title, justify="left" if number in {0, 3} else "right", no_wrap=True)
    return table
