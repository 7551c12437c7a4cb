"""`Resamples`: one set of bootstrap draws for every figure of a run, so that differences of rules are paired.

Whole groups are drawn (passages, articles, or single questions), as questions on one passage are not independent.
Percentile intervals: Efron 1979, DOI 10.1214/aos/1176344552.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from twosup_chain.curves import Interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from twosup_chain.outcomes.outcomes import Floats

    Indices = npt.NDArray[np.intp]

#: How many draws there are.
DRAWS = 1000
_ENDS = (0.025, 0.975)


class Resamples:
    """Draws of whole groups with replacement.

    Args:
        groups: The group of each question, shape (n,).
        draws: How many draws.
        seed: Of the drawing.
    """

    def __init__(self, groups: npt.NDArray[np.str_], draws: int = DRAWS, seed: int = 0) -> None:
        _, place = np.unique(groups, return_inverse=True)
        members = np.split(np.argsort(place, kind="stable"), np.cumsum(np.bincount(place))[:-1])
        rng = np.random.default_rng(seed)
        chosen = rng.integers(0, len(members), (draws, len(members)))
        self.count = len(members)
        self.indices: list[Indices] = [np.concatenate([members[k] for k in row]) for row in chosen]
        self._times = np.array([np.bincount(row, minlength=len(members)) for row in chosen], dtype=np.float64)
        self._place = place

    def mean(self, values: Floats) -> Interval:
        """Returns the mean of a column and its 95 % interval; NaN entries are left out, in every draw."""
        return self.ratio(np.where(np.isnan(values), 0.0, values), ~np.isnan(values))

    def ratio(self, parts: Floats, whole: npt.NDArray[np.generic]) -> Interval:
        """Returns the ratio of two columns' sums and its 95 % interval."""
        whole = whole.astype(np.float64)
        over, under = (self._times @ np.bincount(self._place, column) for column in (parts, whole))
        with np.errstate(invalid="ignore", divide="ignore"):
            return _interval(float(parts.sum() / whole.sum()) if whole.sum() else float("nan"), over / under)

    def of(self, statistic: Callable[[Indices], float], *, every: int = 1) -> Interval:
        """Returns a statistic of the questions at some indices and its 95 % interval.

        Args:
            statistic: Takes indices (repeats allowed), returns a number; draws where it is NaN are left out.
            every: Only each so many-th draw is used, for a statistic that takes long.
        """
        drawn = np.array([statistic(indices) for indices in self.indices[::every]])
        return _interval(statistic(np.arange(len(self._place))), drawn)


def _interval(value: float, drawn: Floats) -> Interval:
    found = drawn[np.isfinite(drawn)]
    low, high = np.quantile(found, _ENDS) if len(found) else (float("nan"),) * 2
    return Interval(float(value), float(low), float(high))
