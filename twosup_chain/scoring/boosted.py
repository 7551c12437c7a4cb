"""`Boosted`: a sum of small trees; it knows columns, not names."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twosup_chain.scoring.fit import Fit, Floats, ordered_sum

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False, kw_only=True)
class Boosted(Fit):
    """A constant and a sum of trees; a feature that is missing counts as lower than every number.

    Of shape (trees, 2^depth - 1), breadth first, are the columns that the inner nodes look at (`features`) and the
    `cuts`, above which a feature goes right; of shape (trees, 2^depth) what the `leaves` add to the log-odds. `shares`
    are how much each column's splits have lowered the loss.
    """

    intercept: float
    features: Indices
    cuts: Floats
    leaves: Floats

    def logits(self, x: Floats) -> Floats:
        """Returns the log-odds that predictions are right, shape (n,), for features of shape (n, d)."""
        rows, trees = np.arange(len(x))[:, None], np.arange(len(self.features))
        inner = self.features.shape[1]
        at: Indices = np.zeros((len(x), len(trees)), np.intp)
        for _ in range(inner.bit_length()):  # from the roots down, in all trees at once
            at = 2 * at + 1 + (x[rows, self.features[trees, at]] > self.cuts[trees, at])
        return self.intercept + ordered_sum(self.leaves[trees, at - inner])

    def fits(self, d: int) -> bool:
        """Whether the trees are whole, and look at columns that there are."""
        if self.features.dtype.kind != "i":
            return False
        trees, inner = self.features.shape  # a ValueError where these are no rows
        whole = (inner & (inner + 1)) == 0 and self.cuts.shape == (trees, inner)
        known = bool(np.all((self.features >= 0) & (self.features < d)))
        return whole and known and self.leaves.shape == (trees, inner + 1)

    def first(self, trees: int) -> Boosted:
        """Returns the same with the first trees only."""
        kept = {name: getattr(self, name)[:trees] for name in ("features", "cuts", "leaves")}
        return replace(self, **kept)
