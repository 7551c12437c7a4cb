"""`Fit`: what the families of learned models have in common: numbers in, log-odds out, and a form for JSON.

Every sum is taken in one fixed order, so that a row has the same log-odds, to the last bit, alone and among others.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: The largest number in a model: no product of two overflows.
LARGEST = 1e100


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit(ABC):
    """A fitted model of the log-odds that predictions are right; `shares` (d,): what each column has in the scores."""

    shares: Floats

    @abstractmethod
    def logits(self, x: Floats) -> Floats:
        """Returns the log-odds that predictions are right, shape (n,), for features (n, d), NaN for missing."""

    def as_dict(self) -> dict[str, Any]:
        """Returns the fit as plain values, ready for JSON."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: v.tolist() if isinstance(v, np.ndarray) else v for name, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Returns the fit that these values describe; `TypeError` or `ValueError` where they describe none."""
        fit = cls(**{name: np.array(v) if isinstance(v, list) else v for name, v in values.items()})
        for name, value in vars(fit).items():
            most = np.finfo(float).max if name == "cuts" else LARGEST  # cuts are compared with, no more
            if not np.all(np.abs(value) <= most):
                raise ValueError(f"{name} holds what is no finite number, or far too large")
        d = len(fit.shares)
        if np.ndim(fit.shares) != 1 or np.any(fit.shares < 0.0) or not fit.fits(d):
            raise ValueError(f"its numbers contradict each other, or its {d} features")
        return fit

    @abstractmethod
    def fits(self, d: int) -> bool:
        """Whether the numbers are of the shapes and ranges that a model of so many features has."""


def ordered_sum(terms: Floats) -> Floats:
    """Returns the sum of each row, shape (n,), added from left to right whatever the shape (n, d)."""
    total: Floats = np.cumsum(terms, axis=1)[:, -1]
    return total
