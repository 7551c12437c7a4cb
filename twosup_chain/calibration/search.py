"""How a pair of thresholds is found that keeps its targets, and why the guarantee holds.

A pair fails its promise where any of its targets is exceeded, so the p-value of a pair is the greatest of its targets'
(an intersection–union test: no correction is needed). What is left is the search over pairs, done in one of three ways,
each with probability at most ``1 − confidence`` of ending at a pair that fails, at any number of questions, whatever
the distribution of scores, labels, costs and ties, as long as the questions are independent draws from the traffic to
come.

**Nested**, where every target depends on the local threshold t alone and grows with it (remote rate, budget). Let m(t)
be such a target's true value, a its limit, and t* the greatest t with m(t) ≤ a (m is continuous from the left, since
"escalated" is score < t). Accepting a failing pair takes some t > t* with p(t) ≤ 1 − confidence. The p-value is
monotone in the escalated questions, all of which for t > t* contain those with score ≤ t*; hence p(t) is at least the
p-value of the event score ≤ t*, whose true value is the limit of m from the right, at least a, and which is therefore
at most 1 − confidence with at most this probability. So every local threshold may be tried, on all questions, and the
best be chosen. (With several targets, their t* differ; the least one decides.)

**From the top**, where always asking and trusting all that the hosted model says keeps the target (`match_remote`), and
a test of as many questions without a difference passes. The remote threshold is 0; all local ones that part the
questions are tested from the highest on, until the first one fails. Let t* be the highest threshold that fails its
promise. Accepting it or a lower one takes that the lowest score from t* on was accepted, where the counts are those at
t* (or, where there is none, that always asking was, likewise); so the p-value at t*, a fixed threshold, is at most 1 −
confidence, which has at most this probability. No question is spent on an order.

**Fixed sequence**, for all else (Pareto testing: Laufer-Goldshtein et al., ICLR 2023, arXiv 2210.07913, on Learn then
Test, arXiv 2110.01052). A share of the questions, chosen by a seeded permutation that reads neither scores nor labels,
fixes which pairs are tried and in which order: those on the front between safety (their p-value there) and preference,
safest first. The other questions test them in this order at the full level until the first one fails. Given the first
share the order is fixed, and to accept any failing pair is to accept the first failing one in it, whose p-value is
valid: probability at most 1 − confidence. Every accepted pair holds at once, so the best of them may be chosen.

**Passages.** Questions on one passage are no independent draws. Where the data tell passages, whole ones order or
test, and every passage counts alike: the draws are passages, of each of which one question is drawn or all are asked
(`sample`). What is proved above holds for them: their p-values too are valid, and monotone in the escalated questions.

Where other questions fix the order (`order`), all labelled ones test. The other ones may be of any kind, and their
labels may be guesses: a bad order costs coverage, not the guarantee, as long as none of the tested questions is among
them. Safety is the p-value that is expected of as many questions as test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from twosup_chain._options import NEVER
from twosup_chain.calibration.sample import Sample
from twosup_chain.calibration.statistics import fixed_sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twosup_chain.calibration.tally import Abstention, Array, Tally
    from twosup_chain.calibration.targets import Method, Prefer, Target
    from twosup_chain.outcomes.outcomes import Outcomes


#: The share of the questions that fixes the order. In a comparison on simulated data (five models, n = 100 to 2,000)
#: a third led to fewer remote calls and higher coverage than a half or a fifth, than both halves in turn at half the
#: level, than two sequences that share the level, and than Bonferroni's correction over a coarse grid.
ORDERING_SHARE = 1 / 3
#: The most thresholds that are tried for each supervisor in a fixed sequence; fewer where few questions order them.
_MOST = 64
#: More questions than these are not tried from the top one by one: their labels suffice for a division.
_MOST_WALKED, _MOST_CELLS = 20_000, 10_000_000
#: How many are tried for the local and the remote supervisor elsewhere.
_NESTED_SIZES, _BET_SIZES, _PLUG_IN_SIZES = (1_024, 16), (256, 16), (128, 128)


@dataclass(frozen=True, eq=False, kw_only=True)
class Found:
    """What a search found: the pairs tried, in their order, with the counts that they were tested on.

    `p_values` are of shape (pairs,), none for a plug-in choice; `accepted` tells which pairs keep every target, by test
    or, in a plug-in choice, by estimate; `best` is the index of the chosen one. So many questions fixed the order
    (`ordering`), and so many (`testing`), which are `tested`, were tested on.
    """

    method: Method
    tried: Tally
    p_values: Array | None
    accepted: Array
    best: int | None
    ordering: int
    tested: Sample

    @property
    def testing(self) -> int:
        """How many questions the pairs were tested on."""
        return len(self.tested.outcomes)

    @property
    def chosen(self) -> Tally:
        """The counts at the chosen pair, shape (1,)."""
        return self.tried.pairs(np.array([self.best]))


def find(
    outcomes: Outcomes,
    targets: Sequence[Target],
    *,
    confidence: float | None,
    prefer: Prefer,
    abstention: Abstention = "wrong",
    seed: int = 0,
    order: Outcomes | None = None,
) -> Found:
    """Returns the preferred pair of thresholds among those that keep all targets; see the module for the guarantee.

    With `confidence` ``None`` it is the plug-in choice, which promises nothing: the best pair whose estimates on these
    very questions keep the limits. The seed is that of the permutation that divides the questions, unless others fix
    the `order`.
    """
    nested = all(target.nested for target in targets)
    if confidence is None:
        every = Sample(outcomes=outcomes, whole=False, seed=seed, abstention=abstention)
        grid = on_grid(every, outcomes, _NESTED_SIZES if nested else _PLUG_IN_SIZES)
        met = _flat(reduce(np.logical_and, (target.met(grid) for target in targets)), grid)
        return _found("plug-in", grid.flat(), None, met, prefer, tested=every)
    level = 1.0 - confidence
    sample = Sample.of(outcomes, targets, seed=seed, abstention=abstention)
    if nested:
        grid = on_grid(sample, outcomes, _BET_SIZES if any(map(sample.bets_on, targets)) else _NESTED_SIZES)
        p_values = _flat(sample.worst_p_value(grid, targets, level), grid)
        return _found("nested", grid.flat(), p_values, p_values <= level, prefer, tested=sample)
    if _walks(sample, targets, level, prefer):
        local = np.append(np.unique(sample.outcomes.local_score), NEVER)
        tried = sample.count(local, np.zeros(1)).flat().pairs(np.arange(len(local))[::-1])
        p_values = sample.worst_p_value(tried, targets, level)
        accepted = np.arange(len(local)) < fixed_sequence(p_values, level)
        return _found("from the top", tried, p_values, accepted, prefer, tested=sample)
    first, second = divide(outcomes, seed, order)
    sample = Sample.of(second, targets, seed=seed, abstention=abstention)
    most = min(_MOST, int(np.ceil(2.0 * np.sqrt(len(first)))))
    ordering = Sample(
        outcomes=first, whole=sample.whole and first.passage is not None, seed=seed, abstention=abstention
    )
    learned = on_grid(ordering, first, (most, most))
    expected = learned.times(sample.units / max(learned.n, 1))
    safety = _flat(worst_p_value(expected, targets, level), learned)
    sequence = _front(safety, ranks(learned.flat(), prefer))
    tested = on_grid(sample, first, (most, most)).pairs(sequence)
    p_values = sample.worst_p_value(tested, targets, level)
    accepted = np.arange(len(sequence)) < fixed_sequence(p_values, level)
    return _found("fixed sequence", tested, p_values, accepted, prefer, tested=sample, ordering=len(first))


def _walks(sample: Sample, targets: Sequence[Target], level: float, prefer: Prefer) -> bool:
    """Returns whether local thresholds are tried from the top: a choice that reads no scores and no labels."""
    questions = len(sample.outcomes)
    if not all(target.kept_by_asking for target in targets) or questions > _MOST_WALKED:
        return False
    if sample.whole and questions * sample.units > _MOST_CELLS:
        return False
    if prefer == "safest" or sample.abstention != "wrong" or sample.outcomes.remote_alone_correct is not None:
        return False  # trusting all that the hosted model says is not the best, or not what it is held against
    always = replace(sample.count(np.array([NEVER]), np.zeros(1)).flat(), local=np.ones(1))
    return bool(np.all(sample.worst_p_value(always, targets, level) <= level))


def divide(outcomes: Outcomes, seed: int, order: Outcomes | None = None) -> tuple[Outcomes, Outcomes]:
    """Returns the questions that order the pairs, and those that test them; labels and scores have no part in it.

    No passage is on both sides.
    """
    if order is not None:
        if order.passage is not None and outcomes.passage is not None:
            outcomes = outcomes.take(~np.isin(outcomes.passage, order.passage))
        return order, outcomes
    passage = np.arange(len(outcomes)) if outcomes.passage is None else outcomes.passage
    _, place = np.unique(passage, return_inverse=True)
    drawn = np.random.default_rng(seed).permutation(int(place.max(initial=-1)) + 1)
    orders = np.argsort(drawn)[place] < int(len(drawn) * ORDERING_SHARE)
    return outcomes.take(orders), outcomes.take(~orders)


def worst_p_value(tally: Tally, targets: Sequence[Target], level: float) -> Array:
    """Returns the greatest of the targets' p-values at every pair."""
    return reduce(np.maximum, (target.p_value(tally, level) for target in targets))


def ranks(tally: Tally, prefer: Prefer) -> Array:
    """Returns the place of every pair (a one-dimensional tally) in the order of preference, from 0; equals share one.

    ``"cheapest"``: fewest remote calls, then most answers; ``"coverage"``: most answers, then fewest calls;
    ``"accuracy"``: most questions that end well, then fewest calls; ``"safest"``: lowest selective risk, then most
    answers, then fewest calls.
    """
    calls, silence = tally.escalated, -tally.answered
    with np.errstate(invalid="ignore", divide="ignore"):
        risk = np.where(tally.answered > 0, tally.wrong / tally.answered, 1.0)
    keys = {
        "cheapest": (calls, silence),
        "coverage": (silence, calls),
        "accuracy": (-tally.successes, calls, silence),
        "safest": (risk, silence, calls),
    }[prefer]
    order = np.lexsort(keys[::-1])
    new = reduce(np.logical_or, (np.diff(key[order]) != 0 for key in keys))
    places = np.empty(len(order), dtype=np.intp)
    places[order] = np.concatenate([[0], np.cumsum(new)])
    return places


def _found(
    method: Method,
    tally: Tally,
    p_values: Array | None,
    accepted: Array,
    prefer: Prefer,
    *,
    tested: Sample,
    ordering: int = 0,
) -> Found:
    good = np.flatnonzero(accepted)
    best = int(good[np.argmin(ranks(tally, prefer)[good])]) if good.size else None
    return Found(
        method=method, tried=tally, p_values=p_values, accepted=accepted, best=best, ordering=ordering, tested=tested
    )


def _front(p_values: Array, places: Array) -> Array:
    """Returns the pairs that none is both safer and better than: safest first, each better than those before."""
    order = np.lexsort((places, p_values))
    best_before = np.minimum.accumulate(places[order])[:-1]
    better = np.concatenate([[True], places[order][1:] < best_before])
    front: Array = order[better]
    return front


def on_grid(sample: Sample, scores: Outcomes, sizes: tuple[int, int]) -> Tally:
    """Returns the counts of a sample on a grid of quantiles of the scores of (other) questions.

    The last local threshold trusts nothing: the hosted model is always asked.
    """
    local, remote = _grid(scores.local_score, sizes[0]), _grid(scores.remote_score, sizes[1])
    return sample.count(np.append(local, NEVER), remote)


def _flat(values: Array, grid: Tally) -> Array:
    return np.broadcast_to(values, grid.shape).ravel()


def _grid(scores: Array, size: int) -> Array:
    """Returns at most `size` scores at evenly spaced ranks, and 0 (trust all) and 1 (trust hardly any)."""
    n = len(scores)
    chosen = np.unique(np.arange(1, size) * n // max(size, 1)) if n else np.empty(0, dtype=np.intp)
    return np.unique(np.concatenate([[0.0], np.partition(scores, chosen)[chosen], [1.0]]))
