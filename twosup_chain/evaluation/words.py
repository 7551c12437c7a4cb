"""How numbers read in a report: with a point, thin spaces and true minus signs; a dash where there is none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twosup_chain.calibration.estimates import Estimate
    from twosup_chain.evaluation.figures import Figures

NOTHING = "–"
_SPACE, _THIN, _MINUS = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "\N{MINUS SIGN}"
_NEARLY_SURE = 0.999
_SECOND, _MINUTE = 1_000, 60_000  # in milliseconds
_HOUR = 3_600  # in seconds


def percent(share: float | None, digits: int = 1) -> str:
    """Returns a share in per cent."""
    return NOTHING if share is None else _signed(f"{100 * share:.{digits}f}{_SPACE}%")


def share(part: float, whole: float) -> str:
    """Returns a part of a whole in per cent; a dash where there is no whole."""
    return percent(part / whole if whole else None)


def probability(share: float) -> str:
    """Returns a probability in per cent, never rounded up to certainty or down to impossibility."""
    if share > _NEARLY_SURE:
        return f">{_SPACE}{percent(_NEARLY_SURE)}"
    return f"<{_SPACE}{percent(1 - _NEARLY_SURE)}" if share < 1 - _NEARLY_SURE else percent(share)


def measure(figures: Figures) -> str:
    """Returns what the share of right predictions is called: decisions have no official measure."""
    return "accuracy" if figures.decides else "exact match"


def minute(date: str) -> str:
    """Returns a day and a minute in UTC that were written by ISO 8601 as people write them; other words as they are."""
    return date.replace("T", " ").replace("+00:00", " UTC")


def with_interval(measured: Estimate) -> str:
    """Returns a share with its interval, in per cent."""
    if measured.value is None or measured.low is None or measured.high is None:
        return percent(measured.value)
    return _signed(f"{100 * measured.value:.1f}{_SPACE}% ({100 * measured.low:.1f}–{100 * measured.high:.1f})")


def points(measured: Estimate) -> str:
    """Returns a difference of two shares with its interval, in percentage points."""
    if measured.value is None or measured.low is None or measured.high is None:
        return NOTHING
    ends = f"{_plus(100 * measured.low)} to {_plus(100 * measured.high)}"
    return f"{_plus(100 * measured.value)}{_SPACE}points ({ends})"


def gain(difference: Estimate) -> str:
    """Returns whether a difference is one that chance does not explain: its interval does not hold 0."""
    if difference.low is not None and difference.low > 0:
        return "gains"
    return "loses" if difference.high is not None and difference.high < 0 else "shows no clear difference"


def count(number: float | None) -> str:
    """Returns a count, its thousands set apart."""
    return NOTHING if number is None else _signed(f"{number:,.0f}".replace(",", _THIN))


def number(value: float | None) -> str:
    """Returns a number with three digits after the point."""
    return NOTHING if value is None else _signed(f"{value:.3f}")


def threshold(value: float) -> str:
    """Returns a threshold with four digits that count."""
    return f"{value:.4g}"


def amount(value: float | None, currency: str) -> str:
    """Returns an amount of money: at least two digits after the point, and two that count."""
    if value is None:
        return NOTHING
    digits = max(2, 1 - math.floor(math.log10(abs(value)))) if value else 2
    return _signed(f"{value:,.{digits}f}{_SPACE}{currency}".replace(",", _THIN))


def duration(seconds: float | None) -> str:
    """Returns a time in the units that suit it: ``"42 ms"``, ``"1.8 s"``, ``"2 min 05 s"``, ``"1 h 20 min"``."""
    if seconds is None:
        return NOTHING
    size, whole = abs(seconds), round(abs(seconds))
    if (milliseconds := round(1000 * size)) < _SECOND:
        written = f"{milliseconds} ms"
    elif milliseconds < _MINUTE - 50:  # which would be rounded to a minute
        written = f"{size:.1f} s"
    elif whole < _HOUR:
        written = f"{whole // 60} min {whole % 60:02} s"
    else:
        minutes = round(size / 60)
        written = f"{minutes // 60} h {minutes % 60:02} min"
    return f"{_MINUS if seconds < 0 and milliseconds else ''}{written}"


def _plus(value: float) -> str:
    return _signed(f"{value:+.1f}".replace("-0.0", "0.0").replace("+0.0", "0.0"))


def _signed(written: str) -> str:
    return written.replace("-", _MINUS)
