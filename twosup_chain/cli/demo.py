"""``twosup demo``: runs the demo of `twosup_chain.demo.run` and shows its report."""

import json
from dataclasses import dataclass
from typing import Annotated

import typer

from twosup_chain.cli.command import command
from twosup_chain.cli.options import Output
from twosup_chain.cli.progress import progress_bar


@dataclass(frozen=True, kw_only=True)
class Shown(Output):
    """What is printed.

    Args:
        count: How many questions to show, of different kinds first; 0 shows the summary only.
        as_json: Print every question and the summary as one JSON document, nothing else.
    """

    count: Annotated[int, typer.Option("--show", min=0)] = 4


@command()
def demo(output: Shown) -> None:
    """Answer a sample of invented passages: the local model live, the remote one from a recording.

    It needs no key, no server and no download. A third of the questions have no answer in their passage.
    """
    from twosup_chain.demo.run import run_demo

    with progress_bar("Answering") as bar:
        report = run_demo(progress=bar)
    from twosup_chain.cli.render_report import render_report

    output.show(lambda: json.loads(report.model_dump_json()), lambda: [render_report(report, show=output.count)])
