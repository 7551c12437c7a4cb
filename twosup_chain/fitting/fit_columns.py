"""`fit_columns`: features as columns and labels in, a `LearnedModel` out; plain arrays, no records and no LangChain.

Rows of one group (an article, a passage) are never on both sides of a fold. What the data cannot say is chosen by the
out-of-fold loss (the ridge, the number of trees), and the final probabilities are calibrated on the out-of-fold scores.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from twosup_chain._options import shorten
from twosup_chain.curves import auroc
from twosup_chain.errors import ConfigurationError, InputError, UnknownOptionError
from twosup_chain.fitting.boosted import fit_boosted
from twosup_chain.fitting.folds import HALF, calibrate_line, divide, out_of_fold
from twosup_chain.fitting.isotonic import fit_isotonic
from twosup_chain.fitting.logistic import fit_logistic
from twosup_chain.scoring.fit import Fit, Floats
from twosup_chain.scoring.learned_model import Family, Fitness, LearnedModel, matrix

#: The families, and the settings of each that are tried, the largest last.
_SETTINGS: dict[Family, list[dict[str, float]]] = {
    "logistic": [{"ridge": ridge} for ridge in (1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)],
    "boosted": [{"trees": float(trees)} for trees in (25, 50, 100, 150, 200, 300)],
    "isotonic": [{}],
}
_DEFAULT_FOLDS = 5
#: The column that tells a prediction of "no answer".
_NO_ANSWER = "no_answer"


def fit_columns(  # noqa: PLR0913 (options are all by keyword)
    columns: Mapping[str, ArrayLike],
    right: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    features: Sequence[str] | None = None,
    model: Family = "logistic",
    folds: int = _DEFAULT_FOLDS,
    trees: int = 300,
    seed: int = 0,
    fitted_on: str = "",
    role: str | None = None,
    target: str = "right",
) -> LearnedModel:
    """Returns a model of the probability that a prediction is right, from features by name, each of shape (n,).

    NaN is a missing feature. `right` tells whether each prediction is, shape (n,), or how far, in [0, 1] (its token F1,
    say): the model then gives the expected value of that. Rows of one of the `groups` (article, passage) are never on
    both sides of a fold; by default each row is a group. By default all features are used that are not the same in
    every row; ``"isotonic"`` takes one. `trees` are the most of a boosted model, from 25 on; how many are used is
    chosen. `fitted_on` is what the rows are, in words, and `target` what `right` says, in a word; they stand in the
    file.
    """
    y: Floats = np.asarray(right, dtype=np.float64)
    if y.ndim != 1 or not ((y >= 0.0) & (y <= 1.0)).all():
        raise InputError(f"right={shorten(right)}: pass one True or False, or a number in [0, 1], a row")
    if model not in _SETTINGS:
        raise UnknownOptionError("model of a learned supervisor", str(model), _SETTINGS)
    names = _chosen(columns, features, model)
    x = matrix(columns, names)
    if len(x) != len(y):
        raise InputError(f"right has {len(y)} rows, and the columns have {len(x)}: one label a row")
    division, count = divide(y, groups, folds, seed)
    settings = [setting for setting in _SETTINGS[model] if setting.get("trees", 0.0) <= trees]
    if not settings:
        raise ConfigurationError(f"trees={trees!r}: a boosted model has at least {_SETTINGS[model][0]['trees']:g}")
    fits = _fitting(model, names, seed)
    tried = out_of_fold(lambda some, labels: fits(settings, some, labels), x, y, division)
    lines = [calibrate_line(logits, y, division) for logits in tried]
    best = min(range(len(settings)), key=lambda place: _log_loss(lines[place][2], y))
    slope, intercept, honest = lines[best]
    return LearnedModel(
        family=model,
        features=names,
        fit=fits([settings[best]], x, y)[0],
        slope=slope,
        intercept=intercept,
        fitness=Fitness(
            rows=len(y),
            right=round(y.sum()),
            groups=count,
            folds=int(division.max()) + 1,
            auroc=auroc(honest, y >= HALF),
            log_loss=_log_loss(honest, y),
            brier=float(np.mean((honest - y) ** 2)),
            setting=settings[best],
        ),
        fitted_on=fitted_on,
        role=role,
        target=target,
    )


def _chosen(columns: Mapping[str, ArrayLike], features: Sequence[str] | None, model: Family) -> tuple[str, ...]:
    if isinstance(features, str):
        features = (features,)
    if features is None:
        features = [name for name, column in columns.items() if _varies(column)]
        if model == "isotonic" and len(features) != 1:
            message = f"an isotonic model reads one feature, and there are {len(features)}: pass features=['…']"
            raise ConfigurationError(message)
    for name in features:
        if name not in columns:
            raise UnknownOptionError("feature of these rows", name, columns)
    names = tuple(dict.fromkeys(features))
    if not names:
        raise InputError("no feature differs from row to row: there is nothing to learn from")
    if model == "isotonic" and len(names) != 1:
        raise ConfigurationError(f"features={list(names)}: an isotonic model reads one feature")
    return names


def _varies(column: ArrayLike) -> bool:
    values = np.asarray(column, dtype=np.float64)
    there = values[np.isfinite(values)]
    return bool(there.size) and (bool((there != there[0]).any()) or there.size < values.size)


def _fitting(
    model: Family, names: tuple[str, ...], seed: int
) -> Callable[[Sequence[dict[str, float]], Floats, Floats], Sequence[Fit]]:
    def fits(settings: Sequence[dict[str, float]], x: Floats, y: Floats) -> Sequence[Fit]:
        if model == "logistic":
            no_answer = names.index(_NO_ANSWER) if _NO_ANSWER in names else -1
            return fit_logistic(x, y, ridges=[setting["ridge"] for setting in settings], no_answer=no_answer)
        if model == "boosted":
            whole = fit_boosted(x, y, trees=int(settings[-1]["trees"]), seed=seed)
            return [whole.first(int(setting["trees"])) for setting in settings]
        return [fit_isotonic(x, y)]

    return fits


def _log_loss(p: Floats, y: Floats) -> float:
    p = np.clip(p, 1e-12, 1.0 - 1e-12)
    return float(-np.mean(y * np.log(p) + (1.0 - y) * np.log1p(-p)))
