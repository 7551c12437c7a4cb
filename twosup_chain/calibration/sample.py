"""`Sample`: the questions that test, one by one or passage by passage, and what they show of a target.

Questions on one passage are no independent draws; passages are. A passage's question drawn at random is one, and so is
the mean over all that are asked about it, with the same expectation: what is tested is in both cases **the value for a
question about a passage drawn at random**, every passage counting alike, whatever its size (so that no bound on sizes
is needed). The mean varies less, and is tested by bets; the drawn question is an event or none, and is tested exactly.
Which of the two follows from the sizes of the passages and the limits alone: never from scores or labels.

Where a target is a rate of events among trials, a question that is no trial counts as the limit itself: the mean of
"event, or limit" exceeds the limit if and only if the rate does. So it is with every target that is a mean of
questions' values (`Measure.span`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import TYPE_CHECKING

import numpy as np

from twosup_chain._options import NEVER
from twosup_chain.calibration.betting import bounds, p_values
from twosup_chain.calibration.tally import Abstention, count, count_each, place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twosup_chain.calibration.measures import Measure
    from twosup_chain.calibration.tally import Array, Tally
    from twosup_chain.calibration.targets import Target
    from twosup_chain.outcomes.outcomes import Outcomes

#: Whole passages test where they have so many questions (harmonic mean), and so many events would make up the limit in
#: all: with fewer the exact test of one question each shows as much or more, in simulations with limits of 0.1 to 0.5,
#: 16 to 500 passages and weak and strong likeness within them.
_LEAST_SIZE, _LEAST_EVENTS = 3.0, 40.0
#: More draws do not bet, and more questions of passages are not read: exact tests then come as near, and are quicker.
_MOST_BETTING, _MOST_QUESTIONS = 20_000, 200_000


@dataclass(frozen=True, eq=False, kw_only=True)
class Sample:
    """Questions that test; `whole` tells whether they are all of their passages, or else each is an independent draw.

    The seed is that of the order in which bets are made.
    """

    outcomes: Outcomes
    whole: bool
    seed: int
    abstention: Abstention

    @classmethod
    def of(cls, outcomes: Outcomes, targets: Sequence[Target], *, seed: int, abstention: Abstention) -> Sample:
        """Returns the questions, or one of each passage, as is right for these targets."""
        whole = False
        if outcomes.passage is not None:
            sizes = np.unique(outcomes.passage, return_counts=True)[1]
            most = max(1, _MOST_QUESTIONS // max(len(sizes), 1))
            sizes = np.minimum(sizes, most)
            large = len(sizes) <= _MOST_BETTING and len(sizes) >= _LEAST_SIZE * np.sum(1.0 / sizes)
            many = (_limit(target, outcomes.dearest) * sizes.sum() >= _LEAST_EVENTS for target in targets)
            whole = bool(large and all(many))
            outcomes = outcomes.of_each_passage(seed, most) if whole else outcomes
        drawn = outcomes if whole else outcomes.one_a_passage(seed)
        return cls(outcomes=drawn, whole=whole, seed=seed, abstention=abstention)

    @property
    def units(self) -> int:
        """How many independent draws there are: questions, or passages."""
        return len(self._sizes)

    @property
    def weights(self) -> Array | None:
        """What each question counts, so that every passage counts one; ``None``: each question does."""
        return self._share if self.whole else None

    def count(self, local: Array, remote: Array) -> Tally:
        """Returns the counts for every pair of these thresholds."""
        return count(self.outcomes, local, remote, abstention=self.abstention, weights=self.weights)

    def p_value(self, target: Target, tally: Tally, level: float) -> Array:
        """Returns the target's p-value at every pair of the tally, which has this sample's counts."""
        if not self.bets_on(target):
            return target.p_value(tally, level)
        return np.where(target.certain(tally), 0.0, self._bet(target, tally))

    def worst_p_value(self, tally: Tally, targets: Sequence[Target], level: float) -> Array:
        """Returns the greatest of the targets' p-values at every pair."""
        return reduce(np.maximum, (self.p_value(target, tally, level) for target in targets))

    def _bet(self, target: Target, tally: Tally) -> Array:
        local = tally.local
        remote = np.zeros_like(local) if target.nested else np.broadcast_to(tally.remote, tally.shape)
        local = np.broadcast_to(local, remote.shape)
        found, (low, high) = np.ones(remote.shape), target.span(tally.max_call_cost) or (0.0, 0.0)
        for at in np.unique(remote):
            here = remote == at
            thresholds, back = np.unique(local[here], return_inverse=True)
            kept, asked = (self._values(target, kept=kept, remote=at) for kept in (True, False))
            trials = self._along(thresholds, ~np.isnan(kept), ~np.isnan(asked))
            kept, asked = (np.where(np.isnan(values), target.limit, values) for values in (kept, asked))
            means = (self._along(thresholds, kept, asked) - low) / ((high - low) or 1.0)
            found[here] = p_values(means, _limit(target, tally.max_call_cost), trials)[back]
        return found

    def interval(self, measure: Measure, tally: Tally, confidence: float) -> tuple[float, float]:
        """Returns a two-sided interval of what is measured at the only pair of this tally."""
        span = measure.span(tally.max_call_cost)
        if not self.whole or span is None or span[0] == span[1] or measure.certain(tally).all():
            return measure.interval(tally, confidence)
        low, high = span
        each = count_each(self.outcomes, tally.local.item(), tally.remote.item(), abstention=self.abstention)
        values = measure.value(each)
        trial = ~np.isnan(values)
        scaled = np.where(trial, (values - low) / (high - low), 0.0)
        means: Array = np.bincount(self._unit, self._share * scaled)
        trials: Array = np.bincount(self._unit, self._share * trial)
        least, most = bounds(means, trials, confidence)
        return low + least * (high - low), low + most * (high - low)

    def bets_on(self, target: Target) -> bool:
        """Returns whether this target is tested by bets."""
        return self.whole or (target.bets and self.units <= _MOST_BETTING)

    def _along(self, thresholds: Array, kept: Array, asked: Array) -> Array:
        """Returns each passage's mean at ascending local thresholds, shape (thresholds, passages).

        Of a question that is `kept` where its local prediction is trusted, and else `asked`.
        """
        rows, units = len(thresholds), self.units
        row = place(thresholds, self.outcomes.local_score, self.outcomes.local_failed)
        moved = self._share * (np.asarray(asked, np.float64) - kept)
        means: Array = np.bincount(row * units + self._unit, moved, minlength=(rows + 1) * units)
        means = means.reshape(rows + 1, units)[:rows].cumsum(axis=0)
        means += np.bincount(self._unit, self._share * kept, minlength=units)
        return means

    def _values(self, target: Target, *, kept: bool, remote: float) -> Array:
        """Returns the target's value of each question if its local prediction is trusted (unless it failed), or not."""
        outcomes, local = self.outcomes, NEVER
        if kept:
            outcomes, local = replace(outcomes, local_score=np.ones(len(outcomes))), 1.0
        return target.value(count_each(outcomes, local, remote, abstention=self.abstention))

    @cached_property
    def _unit(self) -> Array:
        """The number of each question's draw, in an order that reads nothing."""
        passage = self.outcomes.passage if self.whole else None
        _, unit = np.unique(np.arange(len(self.outcomes)) if passage is None else passage, return_inverse=True)
        order = np.random.default_rng(self.seed).permutation(int(unit.max(initial=-1)) + 1)
        drawn: Array = order[unit]
        return drawn

    @cached_property
    def _sizes(self) -> Array:
        return np.bincount(self._unit)

    @property
    def _share(self) -> Array:
        return 1.0 / self._sizes[self._unit]


def _limit(target: Target, max_call_cost: float) -> float:
    """Returns the limit as a share of the span of single questions; 1, which is always kept, where calls are free.

    It is 0, which nothing shows to be kept, where single questions have no span.
    """
    span = target.span(max_call_cost)
    if span is None:
        return 0.0
    low, high = span
    return (target.limit - low) / (high - low) if low < high else 1.0
