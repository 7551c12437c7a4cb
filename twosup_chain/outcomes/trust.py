"""`RecordedTrust`: whose trust to take from recorded predictions, a scorer's own or a learned one's.

A scorer's trust was recorded under its name when the models were asked. A learned scorer may have been fitted later:
its trust is computed from the recorded features.
"""

import math
from array import array
from typing import Any

import numpy as np
import numpy.typing as npt

from twosup_chain.errors import ConfigurationError, MissingEvidenceError
from twosup_chain.outcomes.outcomes import Floats
from twosup_chain.records.prediction import features_of
from twosup_chain.scoring.learned import LearnedScorer
from twosup_chain.scoring.packaged import packaged
from twosup_chain.scoring.registry import recorded_name, resolve
from twosup_chain.scoring.scorer import ScoreFunction, Scorer


class RecordedTrust:
    """Gathers the trust in the recorded predictions of one role, row by row.

    The scorer is the name under which its trust was recorded, or what `registry.resolve` takes; the trust of a
    `LearnedScorer`, or of a packaged one by its name, is `computed`, and it may know what it was `fitted_on` (see
    `_sketch`). `missing` is the trust, in [0, 1], in an answer that lacks what the scorer reads; by default that is an
    error. With `weigh`, predictions are weighed against others.
    """

    def __init__(
        self, scorer: str | ScoreFunction | Scorer, missing: float | None, role: str, *, weigh: bool = False
    ) -> None:
        self.name = recorded_name(scorer)
        found = packaged(self.name) if isinstance(scorer, str) else resolve(scorer).function
        self._learned = found if isinstance(found, LearnedScorer) else None
        if self._learned is not None:
            self.name = self._learned.name  # with its digest
            if self._learned.role != role:
                raise ConfigurationError(
                    f"{self.name} was fitted on {self._learned.role} predictions, and is to judge {role} ones: fit one "
                    f"with role={role!r}"
                )
        if weigh and (self._learned is None or not self._learned.others):
            raise ConfigurationError(
                f"the {role} scorer {self.name!r} cannot weigh recorded predictions: the trust in alternatives is "
                f"computed from features by a learned scorer (fit_scorer(…, role={role!r}))"
            )
        self._others = self._learned.others if weigh and self._learned is not None else {}
        models = [] if self._learned is None else [self._learned.model, *self._others.values()]
        self._features = tuple(dict.fromkeys(name for model in models for name in model.features))
        self.computed = self._learned is not None
        self.fitted_on = None if self._learned is None else self._learned.questions
        self._missing = missing
        self._taken = array("d")

    def take(self, prediction: dict[str, Any]) -> Any:
        """Returns the recorded trust in a prediction; NaN where it is computed in `finish`."""
        if self._learned is None:
            trust = prediction["trust"][self.name]
            return self._missing if trust is None else trust
        features = features_of(prediction)
        if not features:
            message = f"the prediction was recorded without features, which {self.name} reads: collect it anew"
            raise MissingEvidenceError(message)
        found = [features.get(name, math.nan) for name in self._features]
        self._taken.extend(found)
        if not all(map(math.isnan, found)):
            return math.nan
        if self._missing is None:
            raise MissingEvidenceError(f"none of the features that {self.name} reads is recorded")
        return self._missing

    def skip(self) -> float:
        """Returns the trust in a prediction that there is not, since the call failed."""
        self._taken.extend([math.nan] * len(self._features))
        return 0.0

    def finish(self, trust: Floats, order: npt.NDArray[np.intp]) -> dict[str, Floats]:
        """Returns the trust in all predictions that were taken, ``"answer"``, and in what they are weighed against.

        `trust` is what `take` or `skip` has returned, shape (n,), in `order`: which of the rows taken stands at each
        place.
        """
        if self._learned is None:
            return {"answer": trust}
        table = np.array(self._taken).reshape(-1, len(self._features))[order]
        columns = dict(zip(self._features, table.T, strict=True))
        computed = self._learned.model.predict(columns)
        others = {name: model.predict(columns) for name, model in self._others.items()}
        return {"answer": np.where(np.isnan(trust), computed, trust), **others}
