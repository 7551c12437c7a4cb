"""`Isotonic`: the probability of being right as a monotone function of one feature."""

from dataclasses import dataclass

import numpy as np

from twosup_chain.scoring.fit import Fit, Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class Isotonic(Fit):
    """A monotone curve, a line between the middles of its steps: where they are (`at`, ascending) and the log-odds.

    Half a right and half a wrong row are added to each step. A missing feature has the log-odds of the training rows
    without it.
    """

    at: Floats
    logit: Floats
    missing: float

    def logits(self, x: Floats) -> Floats:
        """Returns the log-odds that predictions are right, shape (n,), for features of shape (n, 1)."""
        found: Floats = np.interp(np.nan_to_num(x[:, 0]), self.at, self.logit)
        return np.where(np.isnan(x[:, 0]), self.missing, found)

    def fits(self, d: int) -> bool:
        """Whether it is one curve of one feature."""
        curve = np.ndim(self.at) == 1 and np.shape(self.at) == np.shape(self.logit) and len(self.at) > 0
        return curve and d == 1 and bool(np.all(np.diff(self.at) >= 0.0))
