"""`Isotonic`: the probability of being right as a monotone function of one feature (pool adjacent violators).

Zadrozny & Elkan, *Transforming Classifier Scores into Accurate Multiclass Probability Estimates* (KDD 2002, DOI
10.1145/775047.775151).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twosup_chain.scoring.logistic import Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class Isotonic:
    """A monotone curve, a line between the middles of its steps.

    A missing feature has the share of right predictions among the training rows without it.

    Args:
        at: The feature's values at the middles of the steps, ascending, shape (k,).
        logit: The log-odds there, shape (k,); half a right and half a wrong one are added to each step.
        missing: The log-odds where the feature is missing.
        shares: 1.0, since there is one column.
    """

    at: Floats
    logit: Floats
    missing: float
    shares: Floats

    @classmethod
    def fit(cls, x: Floats, right: Floats) -> Isotonic:
        """Returns the fit, rising or falling, whichever suits better, for features of shape (n, 1)."""
        values, there = x[:, 0], ~np.isnan(x[:, 0])
        y = right
        missing = _log_odds(
            y[~there].sum() if (~there).any() else y.sum(), (~there).sum() if (~there).any() else len(y)
        )
        if not there.any():
            return cls(at=np.zeros(1), logit=np.array([missing]), missing=missing, shares=np.ones(1))
        rising, falling = (_steps(sign * values[there], y[there]) for sign in (1.0, -1.0))
        if _loss(rising) <= _loss(falling):
            at, right_ones, counts = rising
        else:
            at, right_ones, counts = (column[::-1] for column in falling)
            at = -at
        logit = np.array([_log_odds(k, n) for k, n in zip(right_ones, counts, strict=True)])
        return cls(at=at, logit=logit, missing=missing, shares=np.ones(1))

    def logits(self, x: Floats) -> Floats:
        """Returns the log-odds that predictions are right, shape (n,), for features of shape (n, 1)."""
        found: Floats = np.interp(np.nan_to_num(x[:, 0]), self.at, self.logit)
        return np.where(np.isnan(x[:, 0]), self.missing, found)

    def as_dict(self) -> dict[str, Any]:
        """Returns the fit as plain values, ready for JSON."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: v.tolist() if isinstance(v, np.ndarray) else v for name, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Isotonic:
        """Returns the fit that these values describe."""
        floats = {name: np.array(values[name], np.float64) for name in ("at", "logit", "shares")}
        return cls(missing=float(values["missing"]), **floats)


def _steps(values: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Returns the steps of the best rising curve: middles, right ones, and rows of each."""
    distinct, inverse = np.unique(values, return_inverse=True)
    right = np.bincount(inverse, weights=y)
    rows = np.bincount(inverse).astype(np.float64)
    steps: list[list[float]] = []
    for at, k, n in zip(distinct.tolist(), right.tolist(), rows.tolist(), strict=True):
        steps.append([at * n, k, n])
        while len(steps) > 1 and steps[-2][1] * steps[-1][2] >= steps[-1][1] * steps[-2][2]:
            last = steps.pop()
            steps[-1] = [a + b for a, b in zip(steps[-1], last, strict=True)]
    table = np.array(steps)
    return table[:, 0] / table[:, 2], table[:, 1], table[:, 2]


def _loss(steps: tuple[Floats, Floats, Floats]) -> float:
    """Returns the squared error of a curve."""
    _, k, n = steps
    return float((k * (1.0 - k / n)).sum())


def _log_odds(right: float, rows: float) -> float:
    return float(np.log((right + 0.5) / (rows - right + 0.5)))
