"""`LearnedScorer`: a `LearnedModel` as a scorer that a `Supervisor` takes; trust is the probability of being right."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from twosup_chain._json_file import read_json, write_json
from twosup_chain._sketch import recognised
from twosup_chain.errors import ConfigurationError, InputError, MissingEvidenceError, SupervisorFileError
from twosup_chain.schema import Answer, QAInput
from twosup_chain.scoring.features import features
from twosup_chain.scoring.learned_model import LearnedModel


class UncalibratedWarning(UserWarning):
    """A supervisor is the packaged one and its threshold was not calibrated: its probabilities are of other data."""


class LearnedScorer:
    """Scores a prediction by the probability that it is right, as learned from labelled questions.

    Args:
        model: The model.
        others: Models of other claims from the same features, by what could be predicted in place of the answer:
            ``"unanswerable"``, that the question has no answer, and for hosted predictions ``"local"``, that the local
            one is right. They are needed to weigh predictions against each other.
        packaged: Whether it is the one that the package ships, which warns until a calibration sets the threshold.
        questions: Which questions it was fitted on, as `_sketch.sketch` has them; ``None`` where nobody knows.

    Attributes:
        name: ``learned_local@…`` or ``learned_remote@…``, with a digest of the model: thresholds for another fit are
            others, and so is the name.
    """

    needs = "features"
    #: Far less than a millisecond: a thread would cost more.
    blocking = False

    def __init__(
        self,
        model: LearnedModel,
        others: Mapping[str, LearnedModel] | None = None,
        *,
        packaged: bool = False,
        questions: str | None = None,
    ) -> None:
        if model.role not in ("local", "remote"):
            message = f"role={model.role!r}: a learned scorer is fitted with role='local' or role='remote'"
            raise ConfigurationError(message)
        self.model = model
        self.others = dict(others or {})
        self.role = model.role
        self.name = f"learned_{model.role}@{self._digest()}"
        self.reads_local = model.role == "remote"
        self.questions = questions
        self._warns = packaged

    def __repr__(self) -> str:
        return f"<LearnedScorer {self.name}: {self.model.family} on {len(self.model.features)} features>"

    def __call__(self, question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
        """Returns the probability that `answer` is right, in [0, 1]."""
        found = features(question, answer, local=local)
        if not any(name in found for name in self.model.features):
            message = f"{self.name} reads {', '.join(self.model.features)}, and the answer carries none of them"
            raise MissingEvidenceError(message)
        return self.model.predict_one(found)

    def alternatives(self, question: QAInput, answer: Answer, *, local: Answer | None = None) -> dict[str, float]:
        """Returns the probability that each of the other claims is right, by its name; see `others`."""
        found = features(question, answer, local=local)
        return {name: model.predict_one(found) for name, model in self.others.items()}

    def importances(self) -> dict[str, float]:
        """Returns what share each feature has in the scores, the largest first; see `LearnedModel.importances`."""
        return self.model.importances()

    def calibrated(self) -> LearnedScorer:
        """Returns the same scorer for a threshold that a calibration has set: it does not warn."""
        return LearnedScorer(self.model, self.others, questions=self.questions)

    def caution(self) -> None:
        """Warns once that the packaged supervisor was fitted on other data."""
        if self._warns:
            self._warns = False
            message = (
                f"{self.name} was fitted on {self.model.fitted_on}: its probabilities may be off on your questions. "
                "Calibrate the threshold on your own (twosup collect, twosup calibrate), or fit a scorer on them "
                "(fit_scorer)"
            )
            warnings.warn(message, UncalibratedWarning, stacklevel=2)

    def save(self, path: str | Path) -> None:
        """Writes the scorer as JSON."""
        write_json(Path(path), self.as_dict(), SupervisorFileError)

    @classmethod
    def load(cls, path: str | Path, *, packaged: bool = False) -> Self:
        """Returns the scorer in a file.

        Args:
            path: The file.
            packaged: Whether it is the one that the package ships.

        Raises:
            SupervisorFileError: The file is missing, no learned supervisor, broken, or of a newer version.
        """
        values = read_json(Path(path), SupervisorFileError)
        others = values.get("others") if isinstance(values, dict) else None
        if others is not None and not isinstance(others, dict):
            raise SupervisorFileError(f"{path} is a broken learned supervisor: 'others' is no table of models")
        made = {name: LearnedModel.from_dict(other, f"{path}, {name}") for name, other in (others or {}).items()}
        model = LearnedModel.from_dict(values, str(path))
        questions = values.get("questions")
        try:
            recognised(questions, np.empty(0, np.uint64))
            return cls(model, made, packaged=packaged, questions=questions)
        except (ConfigurationError, InputError, TypeError) as error:
            raise SupervisorFileError(f"{path} is a broken learned supervisor: {error}") from error

    def as_dict(self) -> dict[str, Any]:
        """Returns the scorer as plain values, ready for JSON."""
        others = {name: model.as_dict() for name, model in sorted(self.others.items())}
        parts = {"others": others, "questions": self.questions}
        return {**self.model.as_dict(), **{name: part for name, part in parts.items() if part}}

    def _digest(self) -> str:
        if not self.others:
            return self.model.digest
        whole = "".join([self.model.digest, *(f"{name}{m.digest}" for name, m in sorted(self.others.items()))])
        return hashlib.sha256(whole.encode()).hexdigest()[:8]
