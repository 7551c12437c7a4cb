"""How a `Calibration` and a `PromiseCheck` read as text: small tables of plain characters."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from twosup_chain.calibration.grouped import GroupedCalibration
from twosup_chain.calibration.measures import written
from twosup_chain.calibration.targets import MEASURES, MatchRemote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twosup_chain.calibration.estimates import NamedEstimate
    from twosup_chain.calibration.promise import PromiseCheck
    from twosup_chain.calibration.record import Calibration

_WIDTH = 100


def as_text(calibration: Calibration | GroupedCalibration) -> str:
    """Returns the calibration as a small table: thresholds, promises, estimates, warnings; of groups one for each."""
    if isinstance(calibration, GroupedCalibration):
        made = [(name, as_text(found)) for name, found in calibration.groups.items()]
        without = [(name, fill(f"No promise: {why}.", _WIDTH)) for name, why in calibration.without.items()]
        return "\n\n".join(f"[{calibration.by}: {name}]\n{text}" for name, text in (*made, *without))
    settings = [(role, str(setting), setting.model or "") for role, setting in calibration.settings.items()]
    limits = {promise.measure: promise.limit for promise in calibration.promises}
    order = list(MEASURES)
    found = sorted(calibration.estimates, key=lambda e: order.index(e.name) if e.name in order else len(order))
    rows: list[tuple[str, ...]] = [("", "estimate", "95 % interval", "limit")]
    rows += [_row(estimate, limits.get(estimate.name), calibration.currency) for estimate in found]
    return "\n".join(
        [calibration.heading, "", *_columns(settings), "", *_columns(rows), *_beside(calibration), *_notes(calibration)]
    )


def check_as_text(check: PromiseCheck) -> str:
    """Returns the result of a check as a small table."""
    rows: list[tuple[str, ...]] = [
        ("", "estimate", "95 % interval", "limit", "95 % at every look", "holds with probability")
    ]
    for held in check.targets:
        ends = [held.estimate.write(end).removesuffix(" %") for end in held.at_any_time or ()]
        rows.append((*_row(held.estimate, held.limit, check.currency), " – ".join(ends), f"{held.probability:.1%}"))
    return "\n".join([check.heading, "", *_columns(rows)])


def _row(estimate: NamedEstimate, limit: float | None, currency: str | None) -> tuple[str, ...]:
    return (
        estimate.label,
        estimate.write(estimate.value, currency) + _direction(estimate),
        " – ".join(estimate.write_interval()),
        "" if limit is None else f"≤ {estimate.write(limit)}",
    )


def _direction(estimate: NamedEstimate) -> str:
    """Returns in a word which way a difference goes that is none of "worse"."""
    return " (better)" if estimate.name == MatchRemote.measure and (estimate.value or 0.0) < 0.0 else ""


def _beside(calibration: Calibration) -> list[str]:
    if not calibration.systems:
        return []
    found = ((s.name, (s.calls, s.coverage, s.right)) for s in calibration.systems)
    rows = [(name, *(written(share, "share") for share in shares)) for name, shares in found]
    return ["", *_columns([(f"of {calibration.questions:,} questions", "calls", "coverage", "right answers"), *rows])]


def _notes(calibration: Calibration) -> list[str]:
    notes = list(calibration.warnings)
    if calibration.abstention_bound is not None:
        notes.append(f"any thresholds leave at least {calibration.abstention_bound:.1%} of the questions open")
    if calibration.failed:
        notes.append(f"{calibration.failed:,} questions have a failed call, and count as the chain treats them")
    return [line for note in notes for line in ("", fill(f"Note: {note}.", _WIDTH))]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns the rows as lines: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows]
    return ["   ".join(row).rstrip() for row in cells]
