"""`LearnedModel`: the probability that a prediction is right, from its features; immutable, and one JSON file."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from twosup_chain._json_file import read_json, write_json
from twosup_chain._options import Record, shorten
from twosup_chain.errors import InputError, SupervisorFileError, TwosupError
from twosup_chain.scoring.boosted import Boosted
from twosup_chain.scoring.fit import LARGEST, Fit, Floats
from twosup_chain.scoring.isotonic import Isotonic
from twosup_chain.scoring.logistic import Logistic

#: Version 1 called the role "place", and is read as well.
FORMAT, VERSION, VERSIONS = "twosup-supervisor", 2, (1, 2)

#: How many rows are computed at once.
_CHUNK = 4096

#: The families of models.
Family = Literal["logistic", "boosted", "isotonic"]
_FAMILIES: dict[str, type[Fit]] = {"logistic": Logistic, "boosted": Boosted, "isotonic": Isotonic}


class Fitness(Record):
    """What a model was fitted on, and how good it is on rows that the fit has not seen.

    `groups` (articles, say) were never on both sides of a fold. Of the out-of-fold scores are `auroc`, and after
    calibration `log_loss` (in nats) and `brier`; `setting` was chosen by their loss: the ridge, or the number of trees.
    """

    rows: int = Field(ge=0)
    right: int = Field(ge=0)
    groups: int = Field(ge=0)
    folds: int = Field(ge=0)
    auroc: float = Field(ge=0.0, le=1.0)
    log_loss: float = Field(ge=0.0)
    brier: float = Field(ge=0.0, le=1.0)
    setting: dict[str, float]


@dataclass(frozen=True, eq=False, kw_only=True)
class LearnedModel:
    """Features in, the probability of being right (or of another claim, the `target`) out.

    The log-odds of the fit, on columns named `features`, are multiplied with `slope` (at least 0) and moved by
    `intercept`, so that they are calibrated on out-of-fold scores (Platt 1999). `role` is whose predictions it is for;
    ``None`` where nobody said.
    """

    family: Family
    features: tuple[str, ...]
    fit: Fit
    slope: float
    intercept: float
    fitness: Fitness
    fitted_on: str = ""
    role: str | None = None
    target: str = "right"

    def predict(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Returns the probability that each prediction is right, in [0, 1], shape (n,).

        The columns are of shape (n,), NaN where a feature is missing, as it is everywhere in a column that is not
        given; at least one must be.
        """
        x = matrix(columns, self.features)
        parts = [self._probabilities(x[at : at + _CHUNK]) for at in range(0, len(x), _CHUNK)]
        return np.concatenate(parts) if parts else np.empty(0)

    def predict_one(self, features: Mapping[str, float | None]) -> float:
        """Returns the probability that one prediction is right, in [0, 1]; a feature may be missing or ``None``."""
        row = np.array([[np.nan if (v := features.get(name)) is None else v for name in self.features]], np.float64)
        return float(self._probabilities(row)[0])

    def _probabilities(self, x: Floats) -> Floats:
        x[~np.isfinite(x)] = np.nan
        return probability(self.slope * self.fit.logits(x) + self.intercept)

    def importances(self) -> dict[str, float]:
        """Returns what share each feature has in the scores, the largest first; the shares add up to 1.

        For a logistic model it is how far the feature moves the log-odds over the training rows, for trees how much its
        splits have lowered the loss. Of features that say the same, one may have all.
        """
        total = float(self.fit.shares.sum()) or 1.0
        shares = dict(zip(self.features, (self.fit.shares / total).tolist(), strict=True))
        return dict(sorted(shares.items(), key=lambda item: -item[1]))

    @cached_property
    def digest(self) -> str:
        """Eight hexadecimal digits that stand for what the model computes."""
        values = self.as_dict()
        computed = {name: values[name] for name in ("family", "features", "fit", "slope", "intercept")}
        return hashlib.sha256(json.dumps(computed, sort_keys=True).encode()).hexdigest()[:8]

    def as_dict(self) -> dict[str, Any]:
        """Returns the model as plain values, ready for JSON."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "family": self.family,
            "role": self.role,
            "target": self.target,
            "fitted_on": self.fitted_on,
            "fitness": self.fitness.model_dump(mode="json"),
            "features": list(self.features),
            "slope": self.slope,
            "intercept": self.intercept,
            "fit": self.fit.as_dict(),
        }

    def save(self, path: str | Path) -> None:
        """Writes the model as JSON; a file that was there is replaced at once, or not at all."""
        write_json(Path(path), self.as_dict(), SupervisorFileError)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Returns the model in a file; `SupervisorFileError` where it is missing, broken or of a newer version."""
        return cls.from_dict(read_json(Path(path), SupervisorFileError), str(path))

    @classmethod
    def from_dict(cls, values: Any, where: str = "the dict") -> Self:
        """Returns the model that `as_dict` has returned as plain values, which come from `where`."""
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            message = f"{where} is no learned supervisor: it has no 'format': {FORMAT!r}; write one with fit_scorer"
            raise SupervisorFileError(message)
        if values.get("version") not in VERSIONS:
            raise SupervisorFileError(
                f"{where} is a learned supervisor of version {shorten(values.get('version'))}, and this twosup_chain "
                f"reads version {VERSION}: upgrade twosup-chain, or fit it anew"
            )
        try:
            model = cls(
                family=values["family"],
                features=tuple(map(str, values["features"])),
                fit=_FAMILIES[values["family"]].from_dict(values["fit"]),
                slope=_within(0.0, float(values["slope"])),
                intercept=_within(-LARGEST, float(values["intercept"])),
                fitness=Fitness(**values["fitness"]),
                fitted_on=str(values["fitted_on"]),
                role=values["role"] if "role" in values else values["place"],
                target=values["target"],
            )
            blank = model.predict_one({})
        except (
            TwosupError,
            LookupError,
            ArithmeticError,
            RuntimeError,
            TypeError,
            ValueError,
            AttributeError,
        ) as error:
            message = f"{where} is a broken learned supervisor: {type(error).__name__}: {error}"
            raise SupervisorFileError(message) from error
        if not np.isfinite(blank) or len(model.fit.shares) != len(model.features):
            message = f"{where} is a broken learned supervisor: its numbers do not fit {len(model.features)} features"
            raise SupervisorFileError(message)
        return model


def _within(least: float, value: float) -> float:
    if least <= value <= LARGEST:
        return value
    raise ValueError(f"slope or intercept {value}: the one is at least 0, and both are finite")


def probability(logits: Floats) -> Floats:
    """Returns the probabilities of log-odds, shape (n,), each computed alone: the same in any company."""
    return np.array([0.5 + 0.5 * math.tanh(0.5 * logit) for logit in logits.tolist()])


def matrix(columns: Mapping[str, ArrayLike], features: tuple[str, ...]) -> Floats:
    """Returns these columns side by side, shape (n, d), NaN for a column that is not given; one must be."""
    given = {name: np.asarray(columns[name], dtype=np.float64) for name in features if name in columns}
    if not given:
        raise InputError(f"none of the features is given: pass at least one of {', '.join(features)}")
    shapes = {name: column.shape for name, column in given.items()}
    first, shape = next(iter(shapes.items()))
    for name, other in shapes.items():
        if other != shape or len(shape) != 1:
            message = f"the columns {first!r} and {name!r} have the shapes {shape} and {other}: one number a row each"
            raise InputError(message)
    return np.column_stack([given.get(name, np.full(shape, np.nan)) for name in features])
