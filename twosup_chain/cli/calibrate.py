"""``twosup calibrate``: thresholds that keep a stated limit, from recorded questions; or whether old ones still do.

It takes the command line's words apart and prints, for people or as JSON, what `calibration` finds.
"""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import Annotated, Any

import typer

from twosup_chain.cli import options, parts
from twosup_chain.cli.console import note, print_json, show
from twosup_chain.errors import ConfigurationError

_TARGETS, _SEARCH, _RECORDS, _PRICE, _OUTPUT = "Targets", "Search", "Records", "Price", "Output"


def calibrate(  # noqa: PLR0913 - a command's options are its arguments
    records: Annotated[
        list[Path],
        typer.Argument(metavar="RECORDS…", help="Files of records, as twosup collect writes them.", show_default=False),
    ],
    *,
    risk: Annotated[
        float | None,
        typer.Option(
            metavar="0..1", help="The share of wrong answers among those that are given.", rich_help_panel=_TARGETS
        ),
    ] = None,
    remote_rate: Annotated[
        float | None,
        typer.Option(metavar="0..1", help="The share of questions sent to the hosted model.", rich_help_panel=_TARGETS),
    ] = None,
    false_positive_rate: Annotated[
        float | None,
        typer.Option(
            "--false-positive-rate",
            "--fpr",
            metavar="0..1",
            help="The share of right predictions that are refused.",
            rich_help_panel=_TARGETS,
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            metavar="AMOUNT",
            help="What the hosted model may cost per 1,000 questions; needs --price-in and --price-out.",
            rich_help_panel=_TARGETS,
        ),
    ] = None,
    match_remote: Annotated[
        float | None,
        typer.Option(
            metavar="MARGIN",
            help="How much less accurate than the hosted model alone the chain may be: 0 for not at all.",
            rich_help_panel=_TARGETS,
        ),
    ] = None,
    confidence: Annotated[
        float,
        typer.Option(metavar="0.5..1", help="The confidence of the guarantee.", rich_help_panel=_SEARCH),
    ] = 0.9,
    plug_in: Annotated[
        bool,
        typer.Option(
            "--plug-in",
            help="Take the thresholds that look best on these very questions, without a guarantee.",
            rich_help_panel=_SEARCH,
        ),
    ] = False,
    prefer: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="Of the settings that keep the limits, the [bold]cheapest[/bold], the one with the most "
            "[bold]coverage[/bold] or [bold]accuracy[/bold], or the [bold]safest[/bold]. By default the cheapest with "
            "--risk or --match-remote, the safest with --fpr, else the most accurate.",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    abstention: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help="What leaving a question open counts as: [bold]wrong[/bold], or right where there is no answer "
            "([bold]no_answer[/bold]).",
            rich_help_panel=_SEARCH,
        ),
    ] = "wrong",
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="The seed of the division.", rich_help_panel=_SEARCH)
    ] = 0,
    local_scorer: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE",
            help="Whose trust in local answers to take; a file of twosup fit-scorer's is a scorer.",
            rich_help_panel=_RECORDS,
        ),
    ] = "answerability",
    remote_scorer: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE", help="Whose trust in remote answers to take, likewise.", rich_help_panel=_RECORDS
        ),
    ] = "grounded",
    f1: options.F1Floor = None,
    missing: Annotated[
        float | None,
        typer.Option(
            metavar="0..1", help="The trust in an answer that its scorer cannot read.", rich_help_panel=_RECORDS
        ),
    ] = None,
    price_in: options.PriceIn = None,
    price_out: options.PriceOut = None,
    currency: options.Currency = "USD",
    max_call_cost: Annotated[
        float | None,
        typer.Option(
            metavar="AMOUNT",
            help="The most that one call can cost, on which the guarantee for a budget rests. By default the dearest "
            "one recorded.",
            rich_help_panel=_PRICE,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="The calibration's file, for the chain.", rich_help_panel=_OUTPUT
        ),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check",
            metavar="FILE",
            help="Make no calibration: say how probable it is, by these records, that the one in FILE keeps its word.",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document, nothing else.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Choose both thresholds so that they keep a limit, with a guarantee, or check that they still do.

    Several limits hold together. Where no setting is known to keep them, that is an error, and no file is written.

    [bold]Examples[/bold]

    [cyan]twosup calibrate records.jsonl --risk 0.05 --confidence 0.9 --out calibration.json[/cyan]

    [cyan]twosup calibrate new.jsonl --check calibration.json[/cyan]
    """
    from twosup_chain.calibration.record import Calibration

    reading: dict[str, Any] = {
        "correct": "exact_match" if f1 is None else ("f1", f1),
        "price": parts.price(price_in, price_out, currency),
    }
    targets: dict[str, Any] = {
        "risk": risk,
        "remote_rate": remote_rate,
        "false_positive_rate": false_positive_rate,
        "budget": budget,
        "match_remote": match_remote,
    }
    scorers = {role: parts.scorer_of(spec, role) for role, spec in (("local", local_scorer), ("remote", remote_scorer))}
    learned = {scorer.name: scorer for scorer in scorers.values() if not isinstance(scorer, str)}
    if check is not None:
        if out is not None or any(limit is not None for limit in targets.values()):
            message = "--check asks about a calibration that there is: leave --out and the targets out"
            raise ConfigurationError(message)
        _print(Calibration.load(check).check(list(records), scorers=learned, **reading), as_json=as_json)
        return
    from twosup_chain.calibration.calibrate import calibrate as find

    found = find(
        list(records),
        **targets,
        **reading,
        confidence=None if plug_in else confidence,
        prefer=prefer,  # type: ignore[arg-type]  # `calibrate` lists the good words
        abstention=abstention,  # type: ignore[arg-type]
        max_call_cost=max_call_cost,
        local_scorer=scorers["local"],
        remote_scorer=scorers["remote"],
        missing=missing,
        seed=seed,
    )
    if out is not None:
        found.save(out)
    _print(found, as_json=as_json)
    if out is not None:
        more = f", scorers={{{', '.join(f'{name!r}: LearnedScorer.load(…)' for name in learned)}}}" if learned else ""
        note(f"{out} is written: TwoSupervisorChain.from_calibration({str(out)!r}, local=…, remote=…{more})")


def _print(found: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(json.loads(found.model_dump_json()))
        return
    from rich.text import Text

    show(Text(str(found), no_wrap=True, overflow="ignore"))
