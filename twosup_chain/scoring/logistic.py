"""`Logistic`: a line through standardised features; it knows columns, not names."""

from dataclasses import dataclass

import numpy as np

from twosup_chain.scoring.fit import LARGEST, Fit, Floats, ordered_sum

#: Standardised values beyond this are cut off: far from what was fitted on, a line knows nothing.
_FARTHEST = 4.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Logistic(Fit):
    """A line through the standardised features; arrays are of shape (d,).

    A missing feature counts as its training mean, and has a weight of its own (`missing`). Where both kinds of
    prediction were fitted on, `no_answer_slopes` are added where the column `no_answer` (-1 for none) says that the
    prediction is "no answer". `shares` are how far each feature moves the log-odds over the training rows (standard
    deviations).
    """

    mean: Floats
    scale: Floats
    slopes: Floats
    missing: Floats
    no_answer_slopes: Floats
    intercept: float
    no_answer: int

    def logits(self, x: Floats) -> Floats:
        """Returns the log-odds that predictions are right, shape (n,), for features of shape (n, d)."""
        return self.intercept + ordered_sum(self.moved(x))

    def fits(self, d: int) -> bool:
        """Whether every feature has its numbers."""
        columns = (self.mean, self.scale, self.slopes, self.missing, self.no_answer_slopes)
        shapes = {np.shape(column) for column in columns} == {(d,)}
        return shapes and bool(np.all(self.scale >= 1.0 / LARGEST)) and self.no_answer in range(-1, d)

    def moved(self, x: Floats) -> Floats:
        """Returns by how much each feature moves the log-odds of each row, shape (n, d)."""
        z = standardised(x, self.mean, self.scale)
        moved = z * self.slopes + np.isnan(x) * self.missing
        if self.no_answer >= 0:
            moved += (x[:, self.no_answer, None] == 1.0) * (z * self.no_answer_slopes)
        return moved


def standardised(x: Floats, mean: Floats, scale: Floats) -> Floats:
    """Returns features less their mean, in standard deviations, at most 4 of them; 0 where one is missing."""
    z = np.clip((x - mean) / scale, -_FARTHEST, _FARTHEST)
    z[np.isnan(z)] = 0.0
    return z
