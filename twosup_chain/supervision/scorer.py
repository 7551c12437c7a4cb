"""`LearnedScorer`: a `LearnedModel` as a scorer that a `Supervisor` takes; trust is the probability of being right.

Which signals there are is the business of `signals`.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from twosup_chain.errors import ConfigurationError, MissingEvidenceError
from twosup_chain.signals import signals
from twosup_chain.supervision.learned_model import LearnedModel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from twosup_chain.schema import Answer, QAInput


class UncalibratedWarning(UserWarning):
    """A supervisor is the packaged one and its threshold was not calibrated: its probabilities are of other data."""


class LearnedScorer:
    """Scores a prediction by the probability that it is right, as learned from labelled questions.

    Args:
        model: The model.
        packaged: Whether it is the one that the package ships, which warns until a calibration sets the threshold.

    Attributes:
        name: ``learned_local@…`` or ``learned_remote@…``, with a digest of the model: thresholds for another fit are
            others, and so is the name.
    """

    #: Far less than a millisecond: a thread would cost more.
    blocking = False

    def __init__(self, model: LearnedModel, *, packaged: bool = False) -> None:
        if model.place not in ("local", "remote"):
            message = f"place={model.place!r}: a learned scorer is fitted with place='local' or place='remote'"
            raise ConfigurationError(message)
        self.model = model
        self.place = model.place
        self.name = f"learned_{model.place}@{model.digest}"
        self.__name__ = self.name
        self._warns = packaged

    def __repr__(self) -> str:
        return f"<LearnedScorer {self.name}: {self.model.family} on {len(self.model.features)} signals>"

    def __call__(self, question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
        """Returns the probability that `answer` is right, in [0, 1].

        Raises:
            MissingEvidenceError: The answer has none of the signals that the model reads.
        """
        found = signals(question, answer, local=local)
        if not any(name in found for name in self.model.features):
            message = f"{self.name} reads {', '.join(self.model.features)}, and the answer carries none of them"
            raise MissingEvidenceError(message)
        return self.model.predict_one(found)

    def importances(self) -> dict[str, float]:
        """Returns what share each signal has in the scores, the largest first; see `LearnedModel.importances`."""
        return self.model.importances()

    def calibrated(self) -> LearnedScorer:
        """Returns the same scorer for a threshold that a calibration has set: it does not warn."""
        return LearnedScorer(self.model)

    def caution(self) -> None:
        """Warns once that the packaged supervisor was fitted on other data."""
        if self._warns:
            self._warns = False
            message = (
                f"{self.name} was fitted on {self.model.fitted_on}: its probabilities may be off on your questions. "
                "Calibrate the threshold on your own (twosup collect, twosup calibrate), or fit a supervisor on them "
                "(fit_supervisor)"
            )
            warnings.warn(message, UncalibratedWarning, stacklevel=2)

    def save(self, path: str | Path) -> None:
        """Writes the scorer as JSON.

        Raises:
            SupervisorFileError: The file cannot be written.
        """
        self.model.save(path)

    @classmethod
    def load(cls, path: str | Path) -> LearnedScorer:
        """Returns the scorer in a file.

        Raises:
            SupervisorFileError: The file is missing, no learned supervisor, broken, or of a newer version.
        """
        return cls(LearnedModel.load(path))

    def as_dict(self) -> dict[str, Any]:
        """Returns the scorer as plain values, ready for JSON."""
        return self.model.as_dict()

    def trust(self, columns: Mapping[str, Any]) -> Any:
        """Returns the trust in recorded predictions by their signals: see `LearnedModel.predict`."""
        return self.model.predict(columns)
