"""Ridged logistic regression on standardised features, by scikit-learn."""

import warnings
from collections.abc import Sequence

import numpy as np

from twosup_chain.fitting.scikit_learn import fitted, scikit
from twosup_chain.scoring.fit import Floats
from twosup_chain.scoring.logistic import Logistic, standardised

#: A kind of prediction, or a missing feature, that is rarer than this many rows gets no weights of its own.
_RAREST = 20
_TOLERANCE = 1e-8


def fit_line(design: Floats, right: Floats, weight: Floats, ridge: float) -> tuple[Floats, float]:
    """Returns the weights and the constant of the greatest weighted, ridged logistic likelihood.

    The design is of shape (n, k), `right` in [0, 1], and the weights of the rows add up to one; half of the ridge times
    the squared weights is taken off the likelihood.
    """
    model = scikit("linear_model").LogisticRegression(C=1.0 / ridge, solver="newton-cholesky", tol=_TOLERANCE)
    fitted(model, design, right, weight)
    return model.coef_[0], float(model.intercept_[0])


def fit_logistic(x: Floats, right: Floats, *, ridges: Sequence[float], no_answer: int = -1) -> list[Logistic]:
    """Returns a fit for each ridge (see `fit_line`), of features of shape (n, d), NaN where one is missing.

    `right` is how far each prediction is, in [0, 1]; `no_answer` which column says that it is "no answer", -1 for none.
    """
    n, d = x.shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns that are missing everywhere
        mean, scale = np.nan_to_num(np.nanmean(x, axis=0)), np.nan_to_num(np.nanstd(x, axis=0))
    scale = np.where(scale > 1e-9, scale, 1.0)  # noqa: PLR2004  a constant
    gone = np.isnan(x)
    holes = np.flatnonzero((gone.sum(axis=0) >= _RAREST) & ((~gone).sum(axis=0) >= _RAREST))
    z = standardised(x, mean, scale)
    blocks = [z, gone[:, holes].astype(np.float64)]
    both = no_answer >= 0 and _RAREST <= (x[:, no_answer] == 1.0).sum() <= n - _RAREST
    if both:
        blocks.append(z * (x[:, no_answer, None] == 1.0))
    design, weight = np.column_stack(blocks), np.full(n, 1.0 / n)
    fits = []
    for ridge in ridges:
        slopes, intercept = fit_line(design, right, weight, ridge)
        missing = np.zeros(d)
        missing[holes] = slopes[d : d + len(holes)]
        found = {
            "mean": mean,
            "scale": scale,
            "slopes": slopes[:d],
            "missing": missing,
            "no_answer_slopes": slopes[d + len(holes) :] if both else np.zeros(d),
            "intercept": intercept,
            "no_answer": no_answer,
        }
        moved = Logistic(**found, shares=np.zeros(d)).moved(x)
        fits.append(Logistic(**found, shares=moved.std(axis=0)))
    return fits
