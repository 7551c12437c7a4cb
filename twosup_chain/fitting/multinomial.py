"""Multinomial logistic regression on two blocks of features, sparse ones and dense ones, and its temperature."""

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twosup_chain.errors import MissingExtraError

Array = npt.NDArray[Any]
#: The most steps of a fit. Held-out figures do not change after about half of them.
_STEPS = 80


def scipy(part: str) -> Any:
    """Returns a module of SciPy, which is needed to fit and never to predict."""
    try:
        return import_module(f"scipy.{part}")
    except ImportError:
        raise MissingExtraError("fitting a classifier", "SciPy", "fit") from None


def log_softmax(logits: Array) -> Array:
    """Returns the logarithms of the probabilities of logits, shape (rows, k)."""
    moved = logits - logits.max(axis=1, keepdims=True)
    found: Array = moved - np.log(np.exp(moved).sum(axis=1, keepdims=True))
    return found


class Multinomial(NamedTuple):
    """Weights of k classes: of the m sparse features, shape (m, k); of the n dense ones, (n, k); constants, (k,)."""

    sparse: Array
    dense: Array
    bias: Array

    def logits(self, sparse: Any, dense: Array) -> Array:
        """Returns the logits of rows, shape (rows, k)."""
        found: Array = sparse @ self.sparse + dense @ self.dense + self.bias
        return found


def fit_multinomial(sparse: Any, dense: Array, classes: Array, weights: Array, ridge: float) -> Multinomial:
    """Returns the weights with the least weighted mean log loss and ridge/2 × their squares.

    Args:
        sparse: The rows' sparse features, a matrix of scipy's in CSR form of shape (rows, m).
        dense: Their dense features, shape (rows, n).
        classes: Their classes, 0 to k - 1, each of which occurs; shape (rows,).
        weights: Their weights, shape (rows,).
        ridge: How much large weights cost.
    """
    sparse, dense = sparse.astype(np.float32), dense.astype(np.float32)
    turned, rows, count = sparse.T.tocsr(), np.arange(len(classes)), int(classes.max()) + 1
    share = (weights / weights.sum()).astype(np.float32)
    cuts = np.cumsum([sparse.shape[1] * count, dense.shape[1] * count])

    def parts(flat: Array) -> Multinomial:
        words, states, bias = np.split(flat.astype(np.float32), cuts)
        return Multinomial(words.reshape(-1, count), states.reshape(-1, count), bias)

    def loss(flat: Array) -> tuple[float, Array]:
        now = parts(flat)
        log_p = log_softmax(now.logits(sparse, dense))
        value = -float(share @ log_p[rows, classes])
        error = np.exp(log_p)
        error[rows, classes] -= 1.0
        error *= share[:, None]
        slope = np.concatenate([(turned @ error).ravel(), (dense.T @ error).ravel(), error.sum(axis=0)])
        kept = flat[: cuts[-1]]
        slope = slope.astype(np.float64)
        slope[: cuts[-1]] += ridge * kept
        return value + 0.5 * ridge * float(kept @ kept), slope

    start = np.zeros(cuts[-1] + count)
    return parts(scipy("optimize").minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x)


def fit_temperature(logits: Array, classes: Array, weights: Array) -> float:
    """Returns what logits are divided by for the least weighted log loss, between 1/20 and 20 (Guo et al. 2017)."""
    rows = np.arange(len(classes))

    def loss(log_temperature: float) -> float:
        return -float(weights @ log_softmax(logits / np.exp(log_temperature))[rows, classes])

    return float(np.exp(scipy("optimize").minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))
