"""`Logistic`: ridged logistic regression on standardised features, fitted by Newton's method; plain numpy.

It knows columns, not names. How its ridge is chosen and its probabilities calibrated is the business of `columns`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Floats = npt.NDArray[np.float64]

#: Standardised values beyond this are cut off: far from what was fitted on, a line knows nothing.
_FARTHEST = 4.0
#: A kind of prediction, or a missing feature, that is rarer than this many rows gets no weights of its own.
_RAREST = 20
#: Newton's last step; what is left after it is about its square.
_TOLERANCE = 1e-7


def maximise(design: Floats, y: Floats, weight: Floats, ridge: float, start: Floats | None = None) -> Floats:
    """Returns the maximum of the weighted, ridged logistic likelihood (iteratively reweighted least squares).

    Args:
        design: Shape (n, k); the last column is the intercept's, which the ridge leaves alone.
        y: In [0, 1], shape (n,).
        weight: The weights, shape (n,), which usually add up to one.
        ridge: Half of it times the squared weights is taken off the likelihood.
        start: Weights near the maximum, if any are known.

    Returns:
        The k weights.
    """
    penalty = np.full(design.shape[1], ridge)
    penalty[-1] = 0.0
    beta = np.zeros(design.shape[1]) if start is None else start
    for _ in range(100):
        p = 0.5 + 0.5 * np.tanh(0.5 * (design @ beta))
        gradient = design.T @ (weight * (y - p)) - penalty * beta
        root = design * np.sqrt(weight * p * (1 - p))[:, None]
        hessian = root.T @ root + np.diag(penalty)  # of one matrix: half the work
        step = np.linalg.solve(hessian + 1e-12 * np.eye(len(beta)), gradient)
        beta = beta + step
        if np.abs(step).max() < _TOLERANCE:
            break
    return beta


@dataclass(frozen=True, eq=False, kw_only=True)
class Logistic:
    """A line through the standardised features; each of shape (d,) where nothing else is said.

    A missing feature counts as its training mean, and has a weight of its own for being missing. Where both kinds of
    prediction were fitted on, every weight may be another one for predictions of "no answer".

    Args:
        mean: The training means.
        scale: The training standard deviations.
        slopes: The weights of the standardised features.
        missing: The weights of their being missing.
        no_answer_slopes: What is added to the slopes where the prediction is "no answer".
        intercept: The constant.
        no_answer: Which column says that a prediction is "no answer"; -1 for none.
        shares: How far the feature moves the logit over the training rows (standard deviations).
    """

    mean: Floats
    scale: Floats
    slopes: Floats
    missing: Floats
    no_answer_slopes: Floats
    intercept: float
    no_answer: int
    shares: Floats

    @classmethod
    def fit(cls, x: Floats, right: Floats, *, ridge: float, no_answer: int = -1) -> Logistic:
        """Returns the fit; see `path`."""
        (fit,) = cls.path(x, right, ridges=[ridge], no_answer=no_answer)
        return fit

    @classmethod
    def path(cls, x: Floats, right: Floats, *, ridges: Sequence[float], no_answer: int = -1) -> list[Logistic]:
        """Returns a fit for each ridge; it is quickest where they ascend, since each starts from the next one's fit.

        Args:
            x: The features, shape (n, d), NaN where one is missing.
            right: Whether, or how far, each prediction is right, in [0, 1], shape (n,).
            ridges: See `maximise`.
            no_answer: Which column says that a prediction is "no answer"; -1 for none.
        """
        n, d = x.shape
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of columns that are missing everywhere
            mean, scale = np.nan_to_num(np.nanmean(x, axis=0)), np.nan_to_num(np.nanstd(x, axis=0))
        scale = np.where(scale > 1e-9, scale, 1.0)  # noqa: PLR2004  a constant
        gone = np.isnan(x)
        holes = np.flatnonzero((gone.sum(axis=0) >= _RAREST) & ((~gone).sum(axis=0) >= _RAREST))
        z = _standardised(x, mean, scale)
        blocks, none = [z, gone[:, holes].astype(np.float64)], np.zeros(n)
        if no_answer >= 0 and _RAREST <= (x[:, no_answer] == 1.0).sum() <= n - _RAREST:
            none = (x[:, no_answer] == 1.0).astype(np.float64)
            blocks.append(z * none[:, None])
        design, weight = np.column_stack([*blocks, np.ones(n)]), np.full(n, 1.0 / max(n, 1))
        fits: list[Logistic] = []
        beta = None
        for ridge in reversed(ridges):
            beta = maximise(design, right, weight, ridge, beta)
            missing, extra = np.zeros(d), np.zeros(d)
            missing[holes] = beta[d : d + len(holes)]
            if len(blocks) > 2:  # noqa: PLR2004  the third block is that of "no answer"
                extra = beta[d + len(holes) : -1]
            moved = z * (beta[:d] + none[:, None] * extra) + gone * missing
            fits.append(
                cls(
                    mean=mean,
                    scale=scale,
                    slopes=beta[:d],
                    missing=missing,
                    no_answer_slopes=extra,
                    intercept=float(beta[-1]),
                    no_answer=no_answer,
                    shares=moved.std(axis=0),
                )
            )
        return fits[::-1]

    def logits(self, x: Floats) -> Floats:
        """Returns the log-odds that predictions are right, shape (n,), for features of shape (n, d)."""
        z = _standardised(x, self.mean, self.scale)
        found: Floats = z @ self.slopes + np.isnan(x) @ self.missing + self.intercept
        if self.no_answer >= 0:
            found = found + (x[:, self.no_answer] == 1.0) * (z @ self.no_answer_slopes)
        return found

    def as_dict(self) -> dict[str, Any]:
        """Returns the fit as plain values, ready for JSON."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: v.tolist() if isinstance(v, np.ndarray) else v for name, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Logistic:
        """Returns the fit that these values describe."""
        return cls(
            **{name: np.array(v, np.float64) if isinstance(v, list) else v for name, v in values.items()}  # type: ignore[arg-type]
        )


def _standardised(x: Floats, mean: Floats, scale: Floats) -> Floats:
    z = np.clip((x - mean) / scale, -_FARTHEST, _FARTHEST)
    z[np.isnan(z)] = 0.0
    return z
