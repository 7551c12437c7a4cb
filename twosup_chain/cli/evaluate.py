"""``twosup evaluate``: what a chain does with recorded questions, as a page, as figures, and in a few lines."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType

from twosup_chain import parts
from twosup_chain.cli.command import command
from twosup_chain.cli.console import note
from twosup_chain.cli.options import Output, OwnTargets, Prices, Records, Threshold, Trust
from twosup_chain.cli.tables import table
from twosup_chain.errors import ConfigurationError

if TYPE_CHECKING:
    from twosup_chain.evaluation.report import Report

_ROLES, _WHAT = ("local", "remote"), ("scorer", "threshold")


@dataclass(frozen=True, kw_only=True)
class Setting(Trust):
    """The supervisors that are evaluated.

    Args:
        calibration: The calibration whose thresholds are evaluated, as ``twosup calibrate`` writes it; made from other
            records than these. The learned or own scorers that it was made with are given as the scorers.
        missing: The trust in an answer that its scorer cannot read; a calibration says it itself.
        early_abstention: The first supervisor weighs "no answer" against the local prediction; likewise.
        reconcile: The second supervisor weighs the hosted prediction against the local one and "no answer"; likewise.
    """

    calibration: Annotated[Path | None, typer.Option("--calibration", "-c")] = None
    missing: Threshold = None
    early_abstention: bool = False
    reconcile: bool = False


@dataclass(frozen=True, kw_only=True)
class Page(Output):
    """What is written.

    Args:
        examples: Examples of each kind of mistake on the page.
        out: Where report.html and figures.json are written.
        questions: The labelled questions that were recorded, whose passages the page shows then.
        beside: The folder of another report, to be shown beside this one.
    """

    examples: Annotated[int, typer.Option(min=0)] = 5
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FOLDER")] = None
    questions: Path | None = None
    beside: Annotated[Path | None, typer.Option(metavar="FOLDER")] = None


@command()
def evaluate(records: Records, setting: Setting, targets: OwnTargets, prices: Prices, output: Page) -> None:
    """Show what a chain does with recorded questions: what it saves, what it costs in accuracy, where it errs.

    The page needs nothing else: it can be sent as it is.

    [bold]Examples[/bold]

    [cyan]twosup evaluate records.jsonl --calibration calibration.json --out report/[/cyan]

    [cyan]twosup evaluate records.jsonl --local-scorer answerability --local-threshold 0.6 --remote-scorer grounded
    --remote-threshold 0.3[/cyan]
    """
    from twosup_chain.evaluation import evaluate as evaluation

    report = evaluation.evaluate(
        list(records.records),
        calibration=setting.calibration,
        **_supervisors(setting),
        targets=[parts.own_target(spec) for spec in targets.target],
        price=prices.price(),
        correct=records.correct,
        examples=output.examples,
        questions=output.questions,
        beside=output.beside,
    )
    page = None if output.out is None else report.save(output.out)
    output.show(report.as_dict, lambda: _overview(report))
    written = f"{page} is written, and figures.json beside it"
    note("--out FOLDER writes a page with pictures and examples" if page is None else written)
    if page is not None and find_spec("matplotlib") is None:
        note("the page has no pictures, which need matplotlib: pip install 'twosup-chain[plot]'")


def _supervisors(setting: Setting) -> dict[str, Any]:
    """Returns the supervisors that the user sets; where a calibration does, the learned scorers that it names."""
    given = {f"--{role}-{what}": getattr(setting, f"{role}_{what}") for role in _ROLES for what in _WHAT}
    scorers = {role: parts.recorded_scorer(spec, role) for role in _ROLES if (spec := given[f"--{role}-scorer"])}
    if setting.calibration is not None:
        known = parts.unregistered(*scorers.values())
        rest = {name: value for name, value in given.items() if scorers.get(name[2:-7]) not in known.values()}
        rest |= {"--missing": setting.missing, "--early-abstention": setting.early_abstention or None}
        rest |= {"--reconcile": setting.reconcile or None}
        chosen = [name for name, value in rest.items() if value is not None]
        if chosen:
            raise ConfigurationError(f"--calibration sets both supervisors: leave {', '.join(chosen)} out")
        return {"scorers": known}
    lacking = [name for name, value in given.items() if value is None]
    if lacking:
        raise ConfigurationError(
            f"{', '.join(lacking)} missing: pass --calibration FILE, or all four of {', '.join(given)}"
        )
    from twosup_chain.calibration.record import CalibratedSupervisor
    from twosup_chain.supervisor import Supervisor

    found: dict[str, Any] = {"early_abstention": setting.early_abstention, "reconcile": setting.reconcile}
    for role, scorer in scorers.items():
        options = {"scorer": scorer, "threshold": given[f"--{role}-threshold"], "missing": setting.missing}
        kind = CalibratedSupervisor if isinstance(scorer, str) else Supervisor
        found[f"{role}_supervisor"] = kind(**options)
    return found


def _overview(report: Report) -> list[RenderableType]:
    from rich.text import Text

    from twosup_chain.evaluation import words

    figures, systems = report.figures, report.figures.systems
    alone = (systems.chain, systems.local_only, systems.remote_only)
    saved = figures.savings
    rows = [
        [words.measure(figures).capitalize(), *(words.with_interval(scores.exact_match) for scores in alone)],
        *([] if figures.decides else [["F1", *(words.with_interval(scores.f1) for scores in alone)]]),
        ["Remote calls", words.count(saved.calls.chain), "0", words.count(saved.calls.remote_only)],
        ["Trusted", words.with_interval(figures.coverage)],
        ["Wrong if trusted", words.with_interval(figures.risk)],
    ]
    if saved.cost is not None and figures.price is not None:
        costs = (saved.cost.chain, 0.0, saved.cost.remote_only)
        rows.insert(-2, ["Remote cost", *(words.amount(cost, figures.price.currency) for cost in costs)])
    lines = [
        f"{promise.found.label} ≤ {promise.found.write(promise.limit)}: kept with probability "
        f"{words.probability(promise.probability)}, by these records alone"
        for promise in figures.promises
    ]
    source = figures.provenance
    failed = f" ({words.count(source.failed)} with a failed call)" if source.failed else ""
    measures = "Right labels" if figures.decides else "Official SQuAD v2 measures"
    title = f"{measures}, {words.count(source.questions)} questions{failed}, 95 % bootstrap intervals"
    shown = table(("", ">Chain", ">Local only", ">Remote only"), rows)
    return [Text(title, style="bold"), shown, *map(Text, (*lines, *figures.remarks))]
