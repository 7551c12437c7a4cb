"""How trust was distributed when a calibration was made, and how far that of new traffic, labelled or not, drifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from twosup_chain._options import Record
from twosup_chain.calibration.betting import distance_at_any_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twosup_chain.outcomes.outcomes import Floats

#: At how many scores a distribution is kept.
_POINTS = 64


class TrustProfile(Record, allow_inf_nan=False):
    """The share of so many questions whose trust is at most each of some scores, both ascending."""

    questions: int = Field(ge=1)
    scores: tuple[float, ...]
    shares: tuple[float, ...]

    @classmethod
    def of(cls, scores: Floats) -> TrustProfile:
        """Returns the profile of scores in [0, 1], shape (n,), n ≥ 1."""
        points = np.unique(np.quantile(scores, np.linspace(0.0, 1.0, _POINTS), method="lower"))
        shares = np.searchsorted(np.sort(scores), points, side="right") / len(scores)
        return cls(questions=len(scores), scores=points.tolist(), shares=shares.tolist())


class Drift(Record):
    """How far the trust of so many questions has drifted.

    `distance` is the greatest difference between the shares of scores that are at most so high, now and when the
    calibration was made, in [0, 1] (Kolmogorov–Smirnov). `at_least` is what of it chance does not explain, 0 for none.
    """

    role: str
    questions: int
    distance: float
    at_least: float

    def __str__(self) -> str:
        surely = f"surely by at least {self.at_least:.3f}" if self.at_least else "chance explains it"
        return f"{self.role} trust of {self.questions:,} questions has drifted by {self.distance:.3f}: {surely}"


class Drifting:
    """Compares scores to a profile as they come; false alarms have the probability `alpha`, ever."""

    def __init__(self, profile: TrustProfile, alpha: float) -> None:
        self._profile, self._alpha, self._count = profile, alpha, 0
        self._below: NDArray[np.int64] = np.zeros(len(profile.scores), np.int64)

    def add(self, scores: Floats) -> None:
        """Takes further scores, shape (n,)."""
        self._count += len(scores)
        self._below += np.searchsorted(np.sort(scores), self._profile.scores, side="right")

    def drift(self, role: str) -> Drift:
        """Returns how far they have drifted."""
        if not self._count:
            return Drift(role=role, questions=0, distance=0.0, at_least=0.0)
        distance = float(np.max(np.abs(self._below / self._count - np.array(self._profile.shares))))
        before = float(np.sqrt(np.log(4.0 / self._alpha) / (2.0 * self._profile.questions)))  # Massart, at alpha/2
        chance = before + distance_at_any_time(self._count, self._alpha / 2.0)
        return Drift(role=role, questions=self._count, distance=distance, at_least=max(0.0, distance - chance))
