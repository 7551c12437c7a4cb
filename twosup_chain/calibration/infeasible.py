"""What is said of targets that no pair of thresholds is known to keep: how near one came, and what would help."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from twosup_chain.calibration.measures import written
from twosup_chain.calibration.search import worst_p_value
from twosup_chain.errors import InfeasibleTargetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twosup_chain.calibration.search import Found
    from twosup_chain.calibration.tally import Array, Tally
    from twosup_chain.calibration.targets import Target

#: More labelled questions than these nobody has.
_MOST_QUESTIONS = 10_000_000
#: How finely their number is estimated, and from how many pairs.
_STEP, _LIKELIEST = 1.1, 64
#: Fewer questions than these are only a few.
_FEW = 100


def infeasible(
    found: Found, everything: Tally, targets: Sequence[Target], confidence: float | None, bound: float | None
) -> InfeasibleTargetError:
    """Returns the error that says why there are no thresholds.

    `found` is a search that accepted no pair, `everything` the counts of all questions at many pairs, `bound` the share
    of questions that any thresholds have to leave open, where that is known.
    """
    questions = everything.n
    surely = "" if confidence is None else f" with {confidence:.0%} confidence"
    closest = _closest(found, targets)
    best, reached = {}, []
    for target in targets:
        estimate = float(target.value(closest).item())
        words = f"{target.label} {written(estimate, target.unit)}"
        if confidence is not None:
            best[target.name] = target.interval(closest, 2.0 * confidence - 1.0)[1]
            words += f", taken alone at most {written(best[target.name], target.unit)}{surely}"
        elif math.isfinite(estimate):
            best[target.name] = estimate
        reached.append(words)
    needed = None if confidence is None else _questions_needed(found, everything, targets, 1.0 - confidence)
    asked = f"{questions:,} labelled question{'' if questions == 1 else 's'}"
    setting = f"local ≥ {closest.local.item():.4g}, remote ≥ {closest.remote.item():.4g}"
    coverage = closest.answered.item() / max(closest.n, 1)
    sentences = [
        f"no thresholds {'are known to ' if surely else ''}keep {' and '.join(map(str, targets))}{surely} ({asked})",
        f"the closest setting ({setting}) answers {coverage:.1%}: {', '.join(reached)}",
    ]
    if confidence is not None and all(best[target.name] <= target.limit for target in targets):
        sentences.append("that would do, but it was not the first setting tried, and the search stops where one fails")
    if bound is not None:
        sentences.append(f"by estimate, any thresholds would leave at least {bound:.1%} of the questions open")
    if needed is not None:
        sentences.append(f"about {needed:,} labelled questions may be enough, if the estimates stay as they are")
    elif surely:
        sentences.append("by these estimates no number of labelled questions would help")
    sentences.append("raise the limit, or use better models or scorers")
    return InfeasibleTargetError("; ".join(sentences), best, bound, needed)


def _questions_needed(found: Found, everything: Tally, targets: Sequence[Target], level: float) -> int | None:
    """Returns about how many labelled questions would let some pair pass; ``None`` where no number would.

    The counts are scaled up as they are, which is what is expected if the estimates are the truth. Where there are
    not just a few, one more question counts, and ends badly, so that a few lucky answers are not taken for a setting
    without errors.
    """
    questions, one_more = everything.n, int(everything.n >= _FEW)
    bad = ("n", "answered", "wrong", "right_predictions", "refused_right", "losses")
    everything = replace(everything, **{name: getattr(everything, name) + one_more for name in bad})
    met = np.flatnonzero(reduce(np.logical_and, (target.met(everything) for target in targets)))
    p_values = worst_p_value(everything.pairs(met), targets, level)
    likeliest = everything.pairs(met[np.argsort(p_values)[:_LIKELIEST]])
    tested = found.testing / questions
    total = everything.n * _STEP
    while met.size and total <= _MOST_QUESTIONS:
        if np.any(worst_p_value(likeliest.times(total / everything.n * tested), targets, level) <= level):
            digits = len(str(int(total))) - 2
            return int(math.ceil(total / 10**digits) * 10**digits)
        total *= _STEP
    return None


def _closest(found: Found, targets: Sequence[Target]) -> Tally:
    """Returns the counts at the pair that comes nearest to keeping every target."""
    if found.p_values is not None:
        distance: Array = found.p_values
    else:
        excess = np.max([target.value(found.tried) - target.limit for target in targets], axis=0)
        distance = np.where(np.isnan(excess), np.inf, excess)
    return found.tried.pairs(np.array([np.argmin(distance)]))
