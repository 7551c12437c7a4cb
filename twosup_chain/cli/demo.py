"""``twosup demo``: runs the demo of `twosup_chain.demo.run` and shows its report.

Which questions are shown is chosen in `render_report`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from twosup_chain.cli import console

if TYPE_CHECKING:
    from twosup_chain.demo.run import DemoReport


def demo(
    show: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="How many questions to show, of different kinds first; 0 shows the summary only.",
        ),
    ] = 4,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print every question and the summary as one JSON document, nothing else.")
    ] = False,
) -> None:
    """Answer a sample of invented passages: the local model live, the remote one from a recording.

    It needs no key, no server and no download. A third of the questions have no answer in their passage.
    """
    report = _run()
    if as_json:
        console.print_json(json.loads(report.model_dump_json()))
        return
    from twosup_chain.cli.render_report import render_report

    console.show(render_report(report, show=show))


def _run() -> DemoReport:
    """Runs the demo, with a progress display on the terminal meanwhile."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from twosup_chain.cli.watched import WatchedAnswerer
    from twosup_chain.demo.run import run_demo
    from twosup_chain.reader.reader import ExtractiveReader

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    terminal = console.stderr()
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
        task = progress.add_task("The local model reads", total=None)

        def watch(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return run_demo(WatchedAnswerer(answerer=ExtractiveReader(), watcher=watch))
