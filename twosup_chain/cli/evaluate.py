"""``twosup evaluate``: what a chain does with recorded questions, as a page, as figures, and in a few lines.

It takes the command line's words apart; the figures come from `evaluation`.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twosup_chain.cli import options, parts
from twosup_chain.cli.console import note, print_json, show
from twosup_chain.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from twosup_chain.calibration.record import CalibratedSupervisor
    from twosup_chain.evaluation.report import Report

_TRUST, _OUTPUT = "Trust", "Output"


def evaluate(  # noqa: PLR0913 - a command's options are its arguments
    records: Annotated[
        list[Path],
        typer.Argument(metavar="RECORDS…", help="Files of records, as twosup collect writes them.", show_default=False),
    ],
    *,
    calibration: Annotated[
        Path | None,
        typer.Option(
            "--calibration",
            "-c",
            metavar="FILE",
            help="The calibration whose thresholds are evaluated, as twosup calibrate writes it; made from other "
            "records than these.",
            rich_help_panel=_TRUST,
        ),
    ] = None,
    local_scorer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="The first supervisor's scorer; a file of twosup fit-scorer's is one, which a "
            "calibration that was made with it needs as well.",
            rich_help_panel=_TRUST,
        ),
    ] = None,
    local_threshold: options.LocalThreshold = None,
    remote_scorer: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="The second supervisor's scorer, likewise.", rich_help_panel=_TRUST),
    ] = None,
    remote_threshold: options.RemoteThreshold = None,
    missing: Annotated[
        float | None,
        typer.Option(
            metavar="0..1",
            help="The trust in an answer that its scorer cannot read; a calibration says it itself.",
            rich_help_panel=_TRUST,
        ),
    ] = None,
    f1: options.F1Floor = None,
    price_in: options.PriceIn = None,
    price_out: options.PriceOut = None,
    currency: options.Currency = "USD",
    examples: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Examples of each kind of mistake on the page.", rich_help_panel=_OUTPUT),
    ] = 5,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Where report.html and figures.json are written.",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as one JSON document.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Show what a chain does with recorded questions: what it saves, what it costs in accuracy, where it errs.

    The page needs nothing else: it can be sent as it is.

    [bold]Examples[/bold]

    [cyan]twosup evaluate records.jsonl --calibration calibration.json --out report/[/cyan]

    [cyan]twosup evaluate records.jsonl --local-scorer answerability --local-threshold 0.6 --remote-scorer grounded
    --remote-threshold 0.3[/cyan]
    """
    from twosup_chain.evaluation import evaluate as evaluation

    given = (local_scorer, local_threshold, remote_scorer, remote_threshold, missing)
    report = evaluation.evaluate(
        list(records),
        calibration=calibration,
        **_supervisors(calibration, *given),
        price=parts.price(price_in, price_out, currency),
        correct="exact_match" if f1 is None else ("f1", f1),
        examples=examples,
    )
    page = None if out is None else report.save(out)
    if as_json:
        print_json(report.as_dict())
    else:
        show(*_overview(report))
    if page is not None:
        note(f"{page} is written, and figures.json beside it")
    else:
        note("--out FOLDER writes a page with pictures and examples")


def _supervisors(
    calibration: Path | None,
    local_scorer: str | None,
    local_threshold: float | None,
    remote_scorer: str | None,
    remote_threshold: float | None,
    missing: float | None,
) -> dict[str, Any]:
    """Returns the supervisors that the user sets; where a calibration does, the learned scorers that it names."""
    given: dict[str, Any] = {
        "--local-scorer": local_scorer,
        "--local-threshold": local_threshold,
        "--remote-scorer": remote_scorer,
        "--remote-threshold": remote_threshold,
    }
    if calibration is not None:
        found = {role: parts.scorer_of(given[f"--{role}-scorer"] or "", role) for role in ("local", "remote")}
        learned = {role: scorer for role, scorer in found.items() if not isinstance(scorer, str)}
        rest = {name: value for name, value in given.items() if name.removesuffix("-scorer")[2:] not in learned}
        chosen = [name for name, value in {**rest, "--missing": missing}.items() if value is not None]
        if chosen:
            message = f"--calibration sets both supervisors: leave {', '.join(chosen)} out"
            raise ConfigurationError(message)
        return {"scorers": {scorer.name: scorer for scorer in learned.values()}}
    lacking = [name for name, value in given.items() if value is None]
    if lacking:
        message = f"{', '.join(lacking)} missing: pass --calibration FILE, or all four of {', '.join(given)}"
        raise ConfigurationError(message)
    assert local_scorer is not None  # noqa: S101
    assert remote_scorer is not None  # noqa: S101
    assert local_threshold is not None  # noqa: S101
    assert remote_threshold is not None  # noqa: S101
    from twosup_chain.calibration.record import CalibratedSupervisor
    from twosup_chain.supervisor import Supervisor

    def setting(role: str, spec: str, threshold: float) -> CalibratedSupervisor | Supervisor:
        scorer = parts.scorer_of(spec, role)
        if isinstance(scorer, str):
            return CalibratedSupervisor(scorer=scorer, threshold=threshold, missing=missing)
        return Supervisor(scorer, threshold=threshold, missing=missing)

    return {
        "local_supervisor": setting("local", local_scorer, local_threshold),
        "remote_supervisor": setting("remote", remote_scorer, remote_threshold),
    }


def _overview(report: Report) -> list[RenderableType]:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from twosup_chain.calibration.table import label, percent_or_money
    from twosup_chain.evaluation import words

    figures, systems = report.figures, report.figures.systems
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for name in ("Chain", "Local only", "Remote only"):
        table.add_column(name, justify="right", no_wrap=True)
    alone = (systems.chain, systems.local_only, systems.remote_only)
    table.add_row("Exact match", *(words.with_interval(scores.exact_match) for scores in alone))
    table.add_row("F1", *(words.with_interval(scores.f1) for scores in alone))
    saved = figures.savings
    table.add_row("Remote calls", words.count(saved.calls.chain), "0", words.count(saved.calls.remote_only))
    if saved.cost is not None and figures.price is not None:
        cost = (words.amount(part, figures.price.currency) for part in (saved.cost.chain, 0.0, saved.cost.remote_only))
        table.add_row("Remote cost", *cost)
    table.add_row("Trusted", words.with_interval(figures.coverage), "", "")
    table.add_row("Wrong if trusted", words.with_interval(figures.risk), "", "")
    lines = [
        f"{label(promise.target)} ≤ {percent_or_money(promise.target, promise.limit)}: kept with probability "
        f"{words.probability(promise.probability)}, by these records alone"
        for promise in figures.promises
    ]
    source = figures.provenance
    failed = f" ({words.count(source.failed)} more failed)" if source.failed else ""
    title = Text(
        f"Official SQuAD v2 measures, {words.count(source.questions)} questions{failed}, 95 % bootstrap intervals",
        style="bold",
    )
    return [title, table, *(Text(line) for line in (*lines, *figures.remarks))]
