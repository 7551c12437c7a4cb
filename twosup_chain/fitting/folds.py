"""What is left out of a fit: folds of whole groups, predictions out of fold, and the calibration on them."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.fitting.logistic import fit_line
from twosup_chain.fitting.scikit_learn import scikit
from twosup_chain.scoring.fit import Fit, Floats
from twosup_chain.scoring.learned_model import probability

Folds = npt.NDArray[np.intp]

#: From how far on a prediction that is right in part counts as right.
HALF = 0.5
#: The fewest right and the fewest wrong predictions that anything can be fitted on.
_FEWEST = 10
_RIDGE = 1e-4


def divide(y: Floats, groups: ArrayLike | None, folds: int, seed: int) -> tuple[Folds, int]:
    """Returns the fold of each row, shape (n,), and how many groups there are; rows of one group are in one fold.

    `y` is how far each row is right, in [0, 1], shape (n,); the folds have about the same shares of right ones. By
    default each row is a group of its own. There are fewer folds than asked for where there are fewer groups.
    """
    if isinstance(folds, bool) or folds < 2:  # noqa: PLR2004
        raise ConfigurationError(f"folds={folds!r}: at least 2 are needed, so that something is left out of each fit")
    labels = np.arange(len(y)) if groups is None else np.asarray(groups)
    if labels.shape != y.shape:
        raise InputError(f"groups has the shape {labels.shape} for {len(y)} rows: pass one group a row")
    names, which = np.unique(labels, return_inverse=True)
    if len(names) < 2:  # noqa: PLR2004
        raise InputError(f"there is {len(names)} group: at least 2 are needed, to leave one out of each fit")
    classes = y >= HALF
    count = min(folds, len(names), max(classes.sum(), (~classes).sum()))
    splitter = scikit("model_selection").StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    division = np.zeros(len(y), np.intp)
    if _enough(y):
        for fold, (_, held) in enumerate(splitter.split(which, classes, which)):
            division[held] = fold
    if not all(_enough(y[division != fold]) for fold in range(count)):
        raise InputError(
            f"{y.sum():g} of {len(y)} predictions are right: at least {_FEWEST} right and {_FEWEST} wrong ones are "
            "needed outside of every fold; collect more questions"
        )
    return division, len(names)


def _enough(y: Floats) -> bool:
    return bool(min(y.sum(), (1.0 - y).sum()) >= _FEWEST)


def out_of_fold(fits: Callable[[Floats, Floats], Sequence[Fit]], x: Floats, y: Floats, division: Folds) -> Floats:
    """Returns the log-odds of each row by models that have not seen its fold, shape (settings, n).

    `fits` returns a fit for each setting, of features of shape (n, d) and labels of shape (n,).
    """
    found = np.empty((0, len(x)))
    for fold in range(int(division.max()) + 1):
        here = division == fold
        fitted = fits(x[~here], y[~here])
        found = found if len(found) else np.empty((len(fitted), len(x)))
        found[:, here] = [fit.logits(x[here]) for fit in fitted]
    return found


def calibrate_line(logits: Floats, y: Floats, division: Folds) -> tuple[float, float, Floats]:
    """Returns the line that makes out-of-fold log-odds probabilities (Platt 1999), and honest ones.

    They are the slope, at least 0; the constant; and each row's probability by the line of the other folds, shape (n,).
    """
    honest = np.empty(len(y))
    for fold in range(int(division.max()) + 1):
        here = division == fold
        slope, intercept = _line(logits[~here], y[~here])
        honest[here] = probability(slope * logits[here] + intercept)
    return (*_line(logits, y), honest)


def _line(logits: Floats, y: Floats) -> tuple[float, float]:
    n = len(y)
    (slope,), intercept = fit_line(logits[:, None], y, np.full(n, 1.0 / n), _RIDGE)
    if slope > 0.0:
        return float(slope), intercept
    return 0.0, float(np.log((y.sum() + 0.5) / (n - y.sum() + 0.5)))
