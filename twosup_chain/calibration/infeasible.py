"""What is said of targets that no pair of thresholds is known to keep: how near one came, and what would help."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from twosup_chain.calibration.measures import written
from twosup_chain.errors import InfeasibleTargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twosup_chain.calibration.search import Found
    from twosup_chain.calibration.tally import Array, Tally
    from twosup_chain.calibration.targets import Target
    from twosup_chain.outcomes.outcomes import Outcomes

    Search = Callable[[Outcomes, int], Found]

#: How many worlds are simulated, how finely numbers of questions are tried, and up to which one.
_WORLDS, _STEP, _MOST_QUESTIONS = 16, 1.5, 20_000
#: In what share of the worlds so many questions have to be enough: for the least number that is said, and the most.
_MAYBE, _PROBABLY = 0.5, 0.9


def infeasible(
    found: Found,
    outcomes: Outcomes,
    targets: Sequence[Target],
    *,
    confidence: float | None,
    level: float | None,
    bound: float | None,
    search: Search,
) -> InfeasibleTargetError:
    """Returns the error that says why there are no thresholds.

    `found` is a search that accepted no pair of these outcomes; `search` is the same on others, with a seed. Tests were
    held against `level`; `bound` is the share of questions that any thresholds leave open, where that is known.
    """
    surely = "" if confidence is None else f" with {confidence:.0%} confidence"
    closest = _closest(found, targets)
    estimates = {target: float(target.value(closest).item()) for target in targets}
    reached = [f"{target.label} {written(estimate, target.unit)}" for target, estimate in estimates.items()]
    asked = f"{len(outcomes):,} labelled question{'' if len(outcomes) == 1 else 's'}"
    setting = f"local ≥ {closest.local.item():.4g}, remote ≥ {closest.remote.item():.4g}"
    coverage = closest.answered.item() / max(closest.n, 1)
    sentences = [
        f"no thresholds {'are known to ' if surely else ''}keep {' and '.join(map(str, targets))}{surely} ({asked})",
        f"by estimate, the closest setting ({setting}) answers {coverage:.1%}: {', '.join(reached)}",
    ]
    if found.p_values is not None and level is not None and bool(np.any(found.p_values <= level)):
        sentences.append("one setting passes alone, but not the first one tried, and the search stops where one fails")
    if bound is not None:
        sentences.append(f"by estimate, any thresholds would leave at least {bound:.1%} of the questions open")
    needed = None
    if surely:
        missed = any(not estimate <= target.limit for target, estimate in estimates.items())
        needed = None if missed else _questions_needed(outcomes, search)
        sentences.append(_help(needed, missed=missed))
    sentences.append("raise the limit, or use better models or scorers")
    best = {target.name: estimate for target, estimate in estimates.items() if math.isfinite(estimate)}
    return InfeasibleTargetError("; ".join(sentences), best, bound, needed)


def _help(needed: tuple[int, int | None] | None, *, missed: bool) -> str:
    if missed:
        return "the estimate itself misses the limit, which more labelled questions alone would not change"
    if needed is None:
        return f"by simulation, {_MOST_QUESTIONS:,} labelled questions would hardly be enough"
    least, most = needed
    number = f"{least:,} or more" if most is None else f"{least:,}" if most == least else f"{least:,} to {most:,}"
    return (
        f"by simulation, {number} labelled questions may be enough (calibrating again until it works voids the "
        "guarantee, unless you say beforehand how often: looks=…)"
    )


def _questions_needed(outcomes: Outcomes, search: Search) -> tuple[int, int | None] | None:
    """Returns with how many labelled questions a search is likely to succeed in every other world, and in nine of ten.

    A world is what these questions (or passages), each weighted at random (Bayesian bootstrap; Rubin 1981, DOI
    10.1214/aos/1176345338), may have been drawn from. ``None`` where the numbers that are tried are too small.
    """
    passages = np.arange(len(outcomes)) if outcomes.passage is None else outcomes.passage
    _, passage, size = np.unique(passages, return_inverse=True, return_counts=True)
    by_passage, start = np.argsort(passage, kind="stable"), np.cumsum(size) - size
    rng = np.random.default_rng(0)
    worlds = rng.dirichlet(np.ones(len(size)), size=_WORLDS)
    a_passage = len(outcomes) / len(size)

    def draw(world: Array, total: int) -> Outcomes:
        drawn = rng.choice(len(size), size=total, p=world)
        sizes = size[drawn]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        some = outcomes.take(by_passage[np.repeat(start[drawn], sizes) + within])
        return replace(some, passage=None if outcomes.passage is None else np.repeat(np.arange(total), sizes))

    least, total = None, _STEP * len(size)
    while total * a_passage <= _MOST_QUESTIONS:
        drawn = (draw(world, int(total)) for world in worlds)
        power = np.mean([search(some, seed).best is not None for seed, some in enumerate(drawn)])
        if least is None and power >= _MAYBE:
            least = _round(total * a_passage)
        if power >= _PROBABLY:
            return least or 0, _round(total * a_passage)
        total *= _STEP
    return None if least is None else (least, None)


def _round(number: float) -> int:
    digits = 10 ** max(len(str(int(number))) - 2, 0)
    return int(math.ceil(number / digits) * digits)


def _closest(found: Found, targets: Sequence[Target]) -> Tally:
    """Returns the counts at the pair that comes nearest to keeping every target."""
    if found.p_values is not None:
        distance: Array = found.p_values
    else:
        excess = np.max([target.value(found.tried) - target.limit for target in targets], axis=0)
        distance = np.where(np.isnan(excess), np.inf, excess)
    return found.tried.pairs(np.array([np.argmin(distance)]))
