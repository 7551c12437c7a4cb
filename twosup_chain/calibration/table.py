"""How a `Calibration` and a `PromiseCheck` read as text: small tables of plain characters."""

from __future__ import annotations

from math import isnan
from textwrap import fill
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twosup_chain.calibration.promise import PromiseCheck
    from twosup_chain.calibration.record import Calibration, Estimate

_WIDTH = 100
_LABELS = {
    "remote_rate": "remote rate",
    "coverage": "coverage",
    "risk": "selective risk",
    "false_positive_rate": "false positive rate",
    "accuracy": "accuracy",
    "below_remote": "below remote only",
    "match_remote": "below remote only",
    "cost": "cost of 1,000 questions",
    "budget": "cost of 1,000 questions",
}
_MONEY = ("cost", "budget")
_ORDER = ("remote_rate", "coverage", "risk", "false_positive_rate", "accuracy", "below_remote", "cost")


def as_text(calibration: Calibration) -> str:
    """Returns the calibration as a small table: thresholds, promises, estimates, warnings."""
    settings = []
    for role in ("local", "remote"):
        setting = getattr(calibration, role)
        settings.append((role, f"{setting.scorer or 'score'} ≥ {setting.threshold:.6g}", setting.model or ""))
    limits = {promise.target: promise.limit for promise in calibration.promises}
    kept = {"match_remote": "below_remote", "budget": "cost"}
    limits = {kept.get(target, target): limit for target, limit in limits.items()}
    known = {estimate.name: estimate for estimate in calibration.estimates}
    rows = [("", "estimate", "95 % interval", "limit")]
    rows += [_row(known[name], limits.get(name), calibration.currency) for name in _ORDER if name in known]
    return "\n".join([heading(calibration), "", *_columns(settings), "", *_columns(rows), *_notes(calibration)])


def heading(calibration: Calibration) -> str:
    """Returns in one line what is promised, on which evidence."""
    shares = f" ({calibration.ordering:,} ordered the search)" if calibration.ordering else ""
    data = f"{calibration.questions:,} labelled questions{shares}"
    if calibration.confidence is None:
        return f"No guarantee: plug-in thresholds from {data}"
    return f"Guaranteed with {calibration.confidence:.0%} confidence, from {data}"


def check_as_text(check: PromiseCheck) -> str:
    """Returns the result of a check as a small table."""
    rows = [("", "estimate", "95 % interval", "limit", "holds with probability")]
    for held in check.targets:
        cells = _row(held.estimate, held.limit, check.currency)
        rows.append((*cells, f"{held.probability:.1%}"))
    return "\n".join([f"{check.questions:,} new labelled questions", "", *_columns(rows)])


def percent_or_money(name: str, value: float | None, currency: str | None = None) -> str:
    """Returns a value in its units."""
    if value is None or isnan(value):
        return "–"
    if name in _MONEY:
        return f"{value:,.4g}{f' {currency}' if currency else ''}"
    return f"{100 * value:.1f} %".replace("-", "\N{MINUS SIGN}")


def label(name: str) -> str:
    """Returns what a target or an estimate is called in tables."""
    return _LABELS.get(name, name)


def _row(estimate: Estimate, limit: float | None, currency: str | None) -> tuple[str, str, str, str]:
    name = estimate.name
    low, high = (percent_or_money(name, end).removesuffix(" %") for end in (estimate.low, estimate.high))
    return (
        label(name),
        percent_or_money(name, estimate.value, currency),
        f"{low} – {high}",
        "" if limit is None else f"≤ {percent_or_money(name, limit)}",
    )


def _notes(calibration: Calibration) -> list[str]:
    notes = list(calibration.warnings)
    if calibration.abstention_bound is not None:
        notes.append(f"any thresholds leave at least {calibration.abstention_bound:.1%} of the questions open")
    if calibration.failed:
        notes.append(f"{calibration.failed:,} questions with a failed call are left out")
    return [line for note in notes for line in ("", fill(f"Note: {note}.", _WIDTH))]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns the rows as lines: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "   ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in rows
    ]
