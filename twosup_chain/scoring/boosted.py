"""`Boosted`: small gradient-boosted trees for a logistic loss, on binned features; plain numpy.

Friedman, *Greedy Function Approximation: A Gradient Boosting Machine* (Annals of Statistics 2001, DOI
10.1214/aos/1013203451), with the second-order gain of XGBoost (Chen & Guestrin 2016, arXiv 1603.02754, equation 7) and
rows and columns drawn for each tree. It knows columns, not names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twosup_chain.scoring.logistic import Floats

#: Below every feature there is: a split at it parts those that are missing from those that are there.
_BELOW_ALL = -1e300
_BINS = 32


class TreeOptions(NamedTuple):
    """How trees are grown.

    Args:
        trees: How many.
        depth: How many splits lie between root and leaf.
        rate: The share of each leaf's step that is taken.
        least: The fewest rows of a leaf.
        ridge: What is added to every leaf's second derivative.
        rows: The share of rows drawn for a tree.
        columns: The share of columns drawn for a tree.
        seed: The seed of the draws.
    """

    trees: int = 150
    depth: int = 3
    rate: float = 0.06
    least: int = 20
    ridge: float = 5.0
    rows: float = 0.7
    columns: float = 0.5
    seed: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class Boosted:
    """A constant and a sum of trees.

    A feature that is missing counts as lower than every number.

    Args:
        intercept: The constant, in log-odds.
        features: The column that each inner node looks at, shape (trees, 2^depth - 1), breadth first.
        cuts: Features above go right, the others and missing ones left; same shape.
        leaves: What each leaf adds to the log-odds, shape (trees, 2^depth).
        shares: How much each column's splits have lowered the loss, shape (d,).
    """

    intercept: float
    features: npt.NDArray[np.intp]
    cuts: Floats
    leaves: Floats
    shares: Floats

    @classmethod
    def fit(cls, x: Floats, right: Floats, options: TreeOptions) -> Boosted:
        """Returns the fit.

        Args:
            x: The features, shape (n, d), NaN where one is missing.
            right: Whether, or how far, each prediction is right, in [0, 1], shape (n,).
            options: How trees are grown.
        """
        n, d = x.shape
        rng = np.random.default_rng(options.seed)
        edges, bins = _binned(x)
        rate = (right.sum() + 1.0) / (n + 2.0)
        intercept = float(np.log(rate / (1.0 - rate)))
        logits = np.full(n, intercept)
        nodes, size = (1 << options.depth) - 1, 1 << options.depth
        features = np.zeros((options.trees, nodes), np.intp)
        cuts = np.full((options.trees, nodes), -_BELOW_ALL)
        leaves = np.zeros((options.trees, size))
        shares = np.zeros(d)
        for tree in range(options.trees):
            p = 0.5 + 0.5 * np.tanh(0.5 * logits)
            grower = _Tree(bins, right - p, p * (1.0 - p), options)
            rows = np.flatnonzero(rng.random(n) < options.rows)
            columns = rng.permutation(d)[: max(1, round(options.columns * d))]
            grower.grow(rows, columns)
            for node, (column, cut, gain) in grower.splits.items():
                features[tree, node] = column
                cuts[tree, node] = _BELOW_ALL if cut == 0 else edges[column][cut - 1]
                shares[column] += gain
            leaves[tree] = options.rate * grower.leaves
            logits += leaves[tree][_places(x, features[tree], cuts[tree], options.depth)]
        return cls(intercept=intercept, features=features, cuts=cuts, leaves=leaves, shares=shares)

    def logits(self, x: Floats) -> Floats:
        """Returns the log-odds that predictions are right, shape (n,), for features of shape (n, d)."""
        found = np.full(len(x), self.intercept)
        if len(x) == 1:  # all trees at once
            places = self._one(x[0])
            found += self.leaves[np.arange(len(self.leaves)), places].sum()
            return found
        for features, cuts, leaves in zip(self.features, self.cuts, self.leaves, strict=True):
            found += leaves[_places(x, features, cuts, self._depth)]
        return found

    def first(self, trees: int) -> Boosted:
        """Returns the same with the first trees only."""
        kept = {name: getattr(self, name)[:trees] for name in ("features", "cuts", "leaves")}
        return replace(self, **kept)

    @property
    def _depth(self) -> int:
        return int(self.leaves.shape[1]).bit_length() - 1

    def _one(self, x: Floats) -> npt.NDArray[np.intp]:
        trees = np.arange(len(self.features))
        at: npt.NDArray[np.intp] = np.zeros(len(trees), np.intp)
        for _ in range(self._depth):
            at = 2 * at + 1 + (x[self.features[trees, at]] > self.cuts[trees, at])
        leaf: npt.NDArray[np.intp] = at - self.features.shape[1]
        return leaf

    def as_dict(self) -> dict[str, Any]:
        """Returns the fit as plain values, ready for JSON."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: v.tolist() if isinstance(v, np.ndarray) else v for name, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Boosted:
        """Returns the fit that these values describe."""
        floats = {name: np.array(values[name], np.float64) for name in ("cuts", "leaves", "shares")}
        return cls(intercept=float(values["intercept"]), features=np.array(values["features"], np.intp), **floats)


class _Tree:
    """Grows one tree on binned features, level by level."""

    def __init__(self, bins: npt.NDArray[np.intp], gradient: Floats, curvature: Floats, options: TreeOptions) -> None:
        self.splits: dict[int, tuple[int, int, float]] = {}
        self.leaves = np.zeros(1 << options.depth)
        self._bins, self._gradient, self._curvature, self._options = bins, gradient, curvature, options

    def grow(self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> None:
        """Grows the whole tree on these rows and columns."""
        level = {0: rows}
        for _ in range(self._options.depth):
            level = {child: part for node, own in level.items() for child, part in self._split(node, own, columns)}
        inner = (1 << self._options.depth) - 1
        for node, own in level.items():
            step = self._gradient[own].sum() / (self._curvature[own].sum() + self._options.ridge)
            self.leaves[node - inner] = step

    def _split(
        self, node: int, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]
    ) -> list[tuple[int, npt.NDArray[np.intp]]]:
        found = self._best(rows, columns) if len(rows) >= 2 * self._options.least else None
        if found is None:
            return [(2 * node + 1, rows)]  # the cut that nothing passes sends everything left
        column, cut, _ = found
        self.splits[node] = found
        above = self._bins[rows, column] > cut
        return [(2 * node + 1, rows[~above]), (2 * node + 2, rows[above])]

    def _best(self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> tuple[int, int, float] | None:
        """Returns the column, the bin and the gain of the best split; ``None`` where none lowers the loss."""
        ridge, k = self._options.ridge, len(columns)
        flat = (self._bins[np.ix_(rows, columns)] + _BINS * np.arange(k)).ravel()

        def summed(values: Floats | None) -> Floats:
            weights = None if values is None else np.repeat(values[rows], k)
            counts = np.bincount(flat, weights=weights, minlength=_BINS * k).reshape(k, _BINS)
            return np.cumsum(counts, axis=1, dtype=np.float64)

        g, h, n = summed(self._gradient), summed(self._curvature), summed(None)
        total_g, total_h, total_n = g[:, -1:], h[:, -1:], n[:, -1:]
        gains = g**2 / (h + ridge) + (total_g - g) ** 2 / (total_h - h + ridge) - total_g**2 / (total_h + ridge)
        gains[(n < self._options.least) | (total_n - n < self._options.least)] = 0.0
        best = int(gains.argmax())
        column, cut = divmod(best, _BINS)
        gain = float(gains[column, cut])
        return (int(columns[column]), cut, gain) if gain > 1e-9 else None  # noqa: PLR2004  rounding


def _places(x: Floats, features: npt.NDArray[np.intp], cuts: Floats, depth: int) -> npt.NDArray[np.intp]:
    """Returns the leaf of each row in one tree, shape (n,)."""
    rows, at = np.arange(len(x)), np.zeros(len(x), np.intp)
    for _ in range(depth):
        at = 2 * at + 1 + (x[rows, features[at]] > cuts[at])
    return at - len(features)


def _binned(x: Floats) -> tuple[list[Floats], npt.NDArray[np.intp]]:
    """Returns each column's edges, and each value's bin: 0 for a missing one, i + 1 for (edge i - 1, edge i]."""
    edges: list[Floats] = []
    bins = np.zeros(x.shape, np.intp)
    for j in range(x.shape[1]):
        there = ~np.isnan(x[:, j])
        values = np.unique(x[there, j])
        if len(values) > _BINS - 1:
            values = np.unique(np.quantile(x[there, j], np.linspace(0.0, 1.0, _BINS)[1:-1], method="lower"))
        edge = values[: _BINS - 2]
        edges.append(edge)
        bins[there, j] = 1 + np.searchsorted(edge, x[there, j], side="left")
    return edges, bins
