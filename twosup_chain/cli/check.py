"""``twosup check``: whether a calibration keeps its word, on new records, or on a file that grows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from twosup_chain import parts
from twosup_chain.cli.command import command
from twosup_chain.cli.options import Output, OwnTargets, Prices, ScorerName, Threshold
from twosup_chain.cli.tables import lines
from twosup_chain.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from twosup_chain.records.lines import Paths


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What is checked, and on what.

    Args:
        calibration: The calibration, as ``twosup calibrate`` writes it; of groups each is checked by itself.
        records: Files of new records, as ``twosup collect`` writes them; not those it was made from.
        follow: Watch this file of records as it grows, and say after each addition whether a promise is broken; ends
            with exit code 3 as soon as one is.
        false_alarm: With `follow`: the probability of any wrong alarm, ever.
        local_scorer: The learned scorer that the calibration was made with, as a file, or one of your own, as
            ``module:name`` or ``file.py:name``.
        remote_scorer: Likewise for the hosted predictions.
        f1: Count answers with at least this token F1 as right, in place of exact matches.
    """

    panel: ClassVar[str] = "Records"
    calibration: Annotated[Path, typer.Argument(metavar="CALIBRATION")]
    records: Annotated[tuple[Path, ...], typer.Argument(metavar="[RECORDS…]")] = ()
    follow: Path | None = None
    false_alarm: Annotated[float, typer.Option(metavar="0..1")] = 0.05
    local_scorer: ScorerName = None
    remote_scorer: ScorerName = None
    f1: Threshold = None


#: The exit code that says that a promise is broken.
_BROKEN = 3


@command()
def check(watched: Watched, targets: OwnTargets, prices: Prices, output: Output) -> None:
    """Say whether a calibration keeps its word: on new records, or question by question while a file of them grows.

    [bold]Examples[/bold]

    [cyan]twosup check calibration.json new-records.jsonl[/cyan]

    [cyan]twosup check calibration.json --follow live.jsonl[/cyan]
    """
    if bool(watched.records) == (watched.follow is not None):
        raise ConfigurationError("pass RECORDS to check, or --follow FILE to watch one as it grows")
    given = {"local": watched.local_scorer, "remote": watched.remote_scorer}
    scorers = parts.unregistered(*(parts.recorded_scorer(spec, role) for role, spec in given.items() if spec))
    reading: dict[str, Any] = {
        "correct": "exact_match" if watched.f1 is None else ("f1", watched.f1),
        "price": prices.price(),
        "scorers": scorers,
    }
    own = [parts.own_target(spec) for spec in targets.target]
    if watched.follow is None:
        show_check(watched.calibration, list(watched.records), output, targets=own, **reading)
    else:
        _follow(watched.calibration, watched.follow, watched.false_alarm, own, reading, output)


def show_check(path: Path, records: Paths, output: Output, **reading: Any) -> None:
    """Shows whether the calibration in a file keeps its word on records; of groups, each that has some."""
    from twosup_chain.calibration import table
    from twosup_chain.calibration.grouped import GroupedCalibration, load_any
    from twosup_chain.calibration.groups import values_of
    from twosup_chain.calibration.promise import check as check_promises

    found = load_any(path)
    if not isinstance(found, GroupedCalibration):
        held = check_promises(found, records, **reading)
        output.show(lambda: json.loads(held.model_dump_json()), lambda: lines(table.check_as_text(held)))
        return
    names = [str(value) for value in values_of(records, found.by)]
    checks = {name: check_promises(found.groups[name], records, **reading) for name in names if name in found.groups}
    if not checks:
        raise InputError(f"no new labelled question has a {found.by} with a promise: {', '.join(found.groups)}")
    silent = {name: "no promise" for name in names if name not in checks}
    silent |= {name: "no new labelled question" for name in found.groups if name not in checks}
    said = (*map(table.check_as_text, checks.values()), *(f"{found.by}={name}: {silent[name]}" for name in silent))
    output.show(
        lambda: {name: json.loads(held.model_dump_json()) for name, held in checks.items()},
        lambda: lines("\n\n".join(said)),
    )


def _follow(
    path: Path, file: Path, false_alarm: float, own: list[Any], reading: dict[str, Any], output: Output
) -> None:
    from twosup_chain.calibration.follow import follow
    from twosup_chain.calibration.grouped import GroupedCalibration, load_any
    from twosup_chain.calibration.monitor import Monitor

    found = load_any(path)
    if isinstance(found, GroupedCalibration):
        monitors = list(found.monitors(targets=own, false_alarm=false_alarm).values())
    else:
        monitors = [Monitor(found, targets=own, false_alarm=false_alarm)]
    for report in follow(monitors, file, **reading):
        output.show(report.model_dump, partial(lines, str(report)))
        if report.broken:
            raise typer.Exit(_BROKEN)
