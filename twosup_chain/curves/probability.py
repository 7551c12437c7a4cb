"""Whether a score is a probability: how often what it promises happens, bin by bin.

Guo et al., *On Calibration of Modern Neural Networks* (ICML 2017, arXiv 1706.04599, section 2).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twosup_chain.curves._columns import Floats, checked
from twosup_chain.errors import InputError

#: Bins of equal width.
BINS = 15


class ReliabilityCurve(NamedTuple):
    """What became of the probabilities in each bin, shape (bins,) each."""

    edges: Floats  # shape (bins + 1,), from 0 to 1
    questions: npt.NDArray[np.intp]  # how many probabilities fell into each bin
    predicted: Floats  # their mean; NaN in an empty bin
    observed: Floats  # the share of them that came true; NaN in an empty bin


def reliability(probability: npt.ArrayLike, happened: npt.ArrayLike, *, bins: int = BINS) -> ReliabilityCurve:
    """Returns the reliability diagram's points; a bin holds its lower end, the last one also 1."""
    p, came_true = checked(probability=probability, happened=happened)
    if bins < 1:
        raise InputError(f"bins={bins}: at least 1 is needed")
    wrong = p[(p < 0) | (p > 1)]
    if wrong.size:
        raise InputError(f"probability={float(wrong[0])!r}: a probability is a number in [0, 1]")
    edges = np.arange(bins + 1) / bins
    place = np.minimum(np.searchsorted(edges, p, side="right") - 1, bins - 1)
    count = np.bincount(place, minlength=bins)
    some = np.where(count > 0, count, np.nan)
    return ReliabilityCurve(
        edges=edges,
        questions=count,
        predicted=np.bincount(place, p, bins) / some,
        observed=np.bincount(place, came_true, bins) / some,
    )


def calibration_error(probability: npt.ArrayLike, happened: npt.ArrayLike, bins: int = BINS) -> float:
    """Returns the expected calibration error: the mean gap between probability and frequency, in [0, 1].

    Chance alone makes it larger than 0, and a bootstrap adds chance: its interval for a small error lies too high.
    """
    found = reliability(probability, happened, bins=bins)
    gaps = np.where(found.questions > 0, np.abs(found.predicted - found.observed), 0.0)
    return float(gaps @ found.questions / found.questions.sum())
