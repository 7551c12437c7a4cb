"""Gradient-boosted trees, by scikit-learn on values that are binned here.

Friedman, *Greedy Function Approximation: A Gradient Boosting Machine* (Annals of Statistics 2001, DOI
10.1214/aos/1013203451), on histograms. A cut lies half way between two neighbouring training values, so that the last
digit of a value does not decide where it goes.
"""

from typing import Any

import numpy as np

from twosup_chain.fitting.scikit_learn import fitted, scikit
from twosup_chain.scoring.boosted import Boosted
from twosup_chain.scoring.fit import Floats

#: Below every feature there is: a cut there parts those that are missing from those that are there.
_BELOW_ALL = -1e300
_BINS = 32
_DEPTH = 3
#: Cross-fitted on 1,522 questions and on the demo's 144, these are no worse than other settings near them.
_OPTIONS = {"learning_rate": 0.06, "min_samples_leaf": 10, "l2_regularization": 5.0, "max_features": 0.5}


def fit_boosted(x: Floats, right: Floats, *, trees: int, seed: int = 0) -> Boosted:
    """Returns the fit of so many trees on features of shape (n, d), NaN where one is missing.

    `right` is how far each prediction is, in [0, 1], shape (n,); the seed is that of the columns drawn for each split.
    """
    edges = [_edges(column[~np.isnan(column)]) for column in x.T]
    model = scikit("ensemble").HistGradientBoostingClassifier(
        max_iter=trees, max_depth=_DEPTH, early_stopping=False, random_state=seed, **_OPTIONS
    )
    fitted(model, binned(x, edges), right, np.ones(len(x)))
    inner = (1 << _DEPTH) - 1
    features, cuts = np.zeros((trees, inner), np.intp), np.full((trees, inner), -_BELOW_ALL)
    leaves, shares = np.zeros((trees, inner + 1)), np.zeros(x.shape[1])

    def place(tree: int, at: int, nodes: Any, node: Any) -> None:
        if node["is_leaf"]:
            while at < inner:  # the cut that nothing passes sends everything left
                at = 2 * at + 1
            leaves[tree, at - inner] = node["value"]
            return
        column, edge = node["feature_idx"], int(np.floor(node["num_threshold"]))
        features[tree, at] = column
        cuts[tree, at] = edges[column][edge] if edge >= 0 else _BELOW_ALL
        shares[column] += node["gain"]
        place(tree, 2 * at + 1, nodes, nodes[node["left"]])
        place(tree, 2 * at + 2, nodes, nodes[node["right"]])

    for tree, (predictor,) in enumerate(model._predictors):  # noqa: SLF001  the trees have no public name
        place(tree, 0, predictor.nodes, predictor.nodes[0])
    rate = right.mean()
    intercept = float(np.log(rate / (1.0 - rate)))
    return Boosted(intercept=intercept, features=features, cuts=cuts, leaves=leaves, shares=shares)


def binned(x: Floats, edges: list[Floats]) -> Floats:
    """Returns how many of its column's edges each value lies above, shape (n, d); -1 for a missing one."""
    columns = [np.searchsorted(edge, column, side="left") for edge, column in zip(edges, x.T, strict=True)]
    return np.where(np.isnan(x), -1.0, np.column_stack(columns))


def _edges(values: Floats) -> Floats:
    """Returns where a column may be cut, ascending: half way between neighbours, about as many rows in each bin."""
    distinct = np.unique(values)
    below = np.arange(len(distinct) - 1)
    if len(distinct) > _BINS - 1:
        quantiles = np.quantile(values, np.linspace(0.0, 1.0, _BINS)[1:-1], method="lower")
        below = np.intersect1d(below, np.searchsorted(distinct, quantiles))
    return distinct[below] + (distinct[below + 1] - distinct[below]) / 2.0
