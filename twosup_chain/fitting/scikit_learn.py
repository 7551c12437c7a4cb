"""scikit-learn, which fits and never predicts: it is needed only here, and comes with the extra ``fit``."""

from importlib import import_module
from typing import Any

import numpy as np

from twosup_chain.errors import MissingExtraError
from twosup_chain.scoring.fit import Floats


def scikit(part: str) -> Any:
    """Returns a module of scikit-learn."""
    try:
        return import_module(f"sklearn.{part}")
    except ImportError:
        raise MissingExtraError("fitting a scorer", "scikit-learn", "fit") from None


def fitted(model: Any, x: Floats, right: Floats, weight: Floats) -> Any:
    """Returns a classifier of scikit-learn, fitted on one thread: on so few rows, threads wait for each other.

    `x` is of shape (n, d), how far each row is right in [0, 1]: one that is partly right counts as two.
    """
    classes = np.repeat([1.0, 0.0], len(right))
    shares = np.concatenate([right * weight, (1.0 - right) * weight])
    some = shares > 0.0
    with import_module("threadpoolctl").threadpool_limits(1):  # which scikit-learn comes with
        return model.fit(np.concatenate([x, x])[some], classes[some], sample_weight=shares[some])
