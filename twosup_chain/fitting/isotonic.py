"""Isotonic regression of being right on one feature, by pooling adjacent violators.

Zadrozny & Elkan, *Transforming Classifier Scores into Accurate Multiclass Probability Estimates* (KDD 2002, DOI
10.1145/775047.775151).
"""

import numpy as np

from twosup_chain.scoring.fit import Floats
from twosup_chain.scoring.isotonic import Isotonic


def fit_isotonic(x: Floats, right: Floats) -> Isotonic:
    """Returns the fit, rising or falling, whichever suits better.

    The feature is of shape (n, 1), NaN where it is missing; `right` is how far each prediction is, in [0, 1], shape
    (n,).
    """
    values, there = x[:, 0], ~np.isnan(x[:, 0])
    without = ~there if (~there).any() else there
    missing = float(_log_odds(right[without].sum(), without.sum()))
    if not there.any():
        return Isotonic(at=np.zeros(1), logit=np.array([missing]), missing=missing, shares=np.ones(1))
    rising, falling = (_steps(sign * values[there], right[there]) for sign in (1.0, -1.0))
    if _loss(*rising[1:]) <= _loss(*falling[1:]):
        at, hits, rows = rising
    else:
        at, hits, rows = (column[::-1] for column in falling)
        at = -at
    return Isotonic(at=at, logit=_log_odds(hits, rows), missing=missing, shares=np.ones(1))


def _steps(values: Floats, right: Floats) -> tuple[Floats, Floats, Floats]:
    """Returns the steps of the best rising curve: middles, right ones, and rows of each."""
    distinct, inverse = np.unique(values, return_inverse=True)
    rows = np.bincount(inverse).astype(np.float64)
    hits = np.bincount(inverse, weights=right).astype(np.float64)
    starts = _blocks(hits, rows)
    sums, right_ones, counts = (np.add.reduceat(column, starts) for column in (distinct * rows, hits, rows))
    return sums / counts, right_ones, counts


def _blocks(hits: Floats, rows: Floats) -> list[int]:
    """Returns where each step starts: neighbours are pooled as long as the earlier one's share is not the lesser."""
    blocks: list[tuple[int, float, float]] = []
    for start, hit, row in zip(range(len(rows)), hits, rows, strict=True):
        block = (start, hit, row)
        while blocks and blocks[-1][1] * block[2] >= block[1] * blocks[-1][2]:
            first, earlier, more = blocks.pop()
            block = (first, earlier + block[1], more + block[2])
        blocks.append(block)
    return [start for start, _, _ in blocks]


def _loss(hits: Floats, rows: Floats) -> float:
    """Returns the squared error of a curve, less what all curves have in common."""
    return float((hits * (1.0 - hits / rows)).sum())


def _log_odds(hits: Floats, rows: Floats) -> Floats:
    odds: Floats = np.log((hits + 0.5) / (rows - hits + 0.5))
    return odds
