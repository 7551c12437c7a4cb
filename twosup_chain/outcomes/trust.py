"""`RecordedTrust`: whose trust to take from recorded predictions, a scorer's own or a learned one's.

A scorer's trust was recorded under its name when the models were asked. A learned scorer may have been fitted later:
its trust is computed from the recorded signals.
"""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

from twosup_chain.errors import ConfigurationError, MissingEvidenceError
from twosup_chain.scoring.learned import LearnedScorer
from twosup_chain.scoring.packaged import packaged

if TYPE_CHECKING:
    import numpy.typing as npt

    from twosup_chain.outcomes.outcomes import Floats


class RecordedTrust:
    """Gathers the trust in one model's recorded predictions, row by row.

    Args:
        scorer: The name under which a scorer's trust was recorded; a `LearnedScorer`, or the name of a packaged one.
        missing: The trust, in [0, 1], in an answer that lacks what the scorer reads; by default that is an error.
        role: ``"local"`` or ``"remote"``.
        weigh: Whether the predictions are weighed against those that could be made in their place.

    Attributes:
        name: The scorer's name.
        computed: Whether the trust is computed from signals.

    Raises:
        ConfigurationError: A learned scorer is for the predictions of the other place.
        CalibrationMismatchError: It is a packaged scorer of another version.
    """

    def __init__(self, scorer: str | LearnedScorer, missing: float | None, role: str, *, weigh: bool = False) -> None:
        self._learned = scorer if isinstance(scorer, LearnedScorer) else packaged(scorer)
        if self._learned is not None and self._learned.place != role:
            message = (
                f"{self._learned.name} was fitted on {self._learned.place} predictions, and is to judge {role} ones: "
                f"fit one with place={role!r}"
            )
            raise ConfigurationError(message)
        self.name = str(scorer) if self._learned is None else self._learned.name
        if weigh and (self._learned is None or not self._learned.others):
            message = (
                f"the {role} scorer {self.name!r} cannot weigh recorded predictions: the trust in alternatives is "
                f"computed from signals by a learned scorer (fit_supervisor(…, place={role!r}))"
            )
            raise ConfigurationError(message)
        self._others = self._learned.others if weigh and self._learned is not None else {}
        models = [] if self._learned is None else [self._learned.model, *self._others.values()]
        self._features = tuple(dict.fromkeys(name for model in models for name in model.features))
        self.computed = self._learned is not None
        self._missing = missing
        self._signals = array("d")

    def take(self, prediction: dict[str, Any]) -> Any:
        """Returns the recorded trust in a prediction; NaN where it is computed in `finish`.

        Raises:
            KeyError: None is recorded by this scorer.
            MissingEvidenceError: None of the signals that a learned scorer reads is recorded, or no signal at all.
        """
        if self._learned is None:
            trust = prediction["trust"][self.name]
            return self._missing if trust is None else trust
        signals = prediction.get("signals")
        if not signals:
            message = f"the prediction was recorded without signals, which {self.name} reads: collect the question anew"
            raise MissingEvidenceError(message)
        found = [math.nan if (v := signals.get(name)) is None else v for name in self._features]
        if all(map(math.isnan, found)):
            if self._missing is None:
                message = f"none of the signals that {self.name} reads is recorded"
                raise MissingEvidenceError(message)
            self._signals.extend(found)
            return self._missing
        self._signals.extend(found)
        return math.nan

    def finish(self, trust: Floats, order: npt.NDArray[np.intp]) -> dict[str, Floats]:
        """Returns the trust in all predictions that were taken, ``"answer"``, and in what they are weighed against.

        Args:
            trust: What `take` has returned, in `order`, shape (n,).
            order: Which of the rows taken stands at each place, shape (n,).
        """
        if self._learned is None:
            return {"answer": trust}
        table = np.array(self._signals).reshape(len(order), len(self._features))[order]
        columns = dict(zip(self._features, table.T, strict=True))
        computed = self._learned.model.predict(columns)
        others = {name: model.predict(columns) for name, model in self._others.items()}
        return {"answer": np.where(np.isnan(trust), computed, trust), **others}
