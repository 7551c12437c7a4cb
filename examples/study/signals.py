"""The table of signals: how well each tells right predictions from wrong ones, alone and learned together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from study.folds import splits
from twosup_chain.curves import auroc
from twosup_chain.fitting.fit_columns import fit_columns

if TYPE_CHECKING:
    from study.columns import Columns, Flags, Floats
    from study.resampling import Resamples

#: Whose predictions.
Side = Literal["local", "remote"]
#: The families of learned supervisors.
FAMILIES = ("logistic", "boosted")
#: The paper's remote score, and the scores of two rivals: shown whatever their rank.
_ALWAYS = ("token_min", "token_mean", "token_margin_mean", "backed", "answerability", "span_probability", "agreement")


def signals_table(
    columns: Columns, read: Columns, resamples: Resamples, *, families: tuple[str, ...] = FAMILIES
) -> dict[str, Any]:
    """Returns the AUROC of every signal and learned supervisor, for the reader's and for the hosted predictions.

    Args:
        columns: The questions.
        read: Questions of the same articles that the reader was asked, for its supervisors to be fitted on.
        resamples: Draws of `columns`.
        families: The families of the learned supervisors.
    """
    known: dict[Side, Columns] = {"local": read, "remote": columns}
    return {side: _side(columns, side, known[side], resamples, families) for side in known}


def learned(known: Columns, side: Side, columns: Columns, family: str) -> Floats:
    """Returns the probability that each prediction is right, by models fitted on the other folds' articles.

    Args:
        known: The questions to fit on, of the same articles.
        side: Whose predictions.
        columns: The questions to predict.
        family: The family of the models.
    """
    found = np.empty(len(columns))
    for rest, held in splits(columns.article):
        some = known.take(np.isin(known.article, columns.article[rest]))
        model = fit_columns(*_labelled(some, side), groups=some.article, model=family)
        found[held] = model.predict(_labelled(columns.take(held), side)[0])
    return found


def _labelled(columns: Columns, side: Side) -> tuple[dict[str, Floats], Flags]:
    """Returns the signals of one side, and which of its predictions are right."""
    if side == "local":
        return columns.local_signals, columns.reader.exact > 0
    return columns.remote_signals, columns.remote.exact > 0


def _side(
    columns: Columns, side: Side, known: Columns, resamples: Resamples, families: tuple[str, ...]
) -> dict[str, Any]:
    signals, right = _labelled(columns, side)
    single = {name: filled for name, values in signals.items() if (filled := _filled(values)) is not None}
    oriented = {name: _oriented(columns, values, right) for name, values in single.items()}
    ranked = sorted(oriented, key=lambda name: -auroc(oriented[name], right))
    fitted = {family: learned(known, side, columns, family) for family in families}
    best = ranked[0]
    shown = [*ranked[:8], *(name for name in _ALWAYS if name in oriented and name not in ranked[:8])]
    return {
        "questions": len(right),
        "right": float(right.mean()),
        "single": {name: _auroc(oriented[name], right, resamples) for name in shown},
        "learned": {family: _auroc(score, right, resamples) for family, score in fitted.items()},
        "best_single": best,
        "over_best_single": {
            family: resamples.of(
                lambda rows, score=score: auroc(score[rows], right[rows]) - auroc(oriented[best][rows], right[rows])
            )
            for family, score in fitted.items()
        },
        "all_single": {name: auroc(oriented[name], right) for name in ranked},
    }


def _auroc(score: Floats, right: Flags, resamples: Resamples) -> Any:
    return resamples.of(lambda rows: auroc(score[rows], right[rows]))


def _oriented(columns: Columns, values: Floats, right: Flags) -> Floats:
    """Returns the signal, turned round where fewer right predictions have high values: judged on the other folds."""
    turned = np.empty(len(values))
    for rest, held in splits(columns.article):
        found = auroc(values[rest], right[rest])
        turned[held] = values[held] if math.isnan(found) or found >= 0.5 else -values[held]  # noqa: PLR2004  chance
    return turned


def _filled(values: Floats) -> Floats | None:
    """Returns the signal with its mean where it is missing; ``None`` where it never varies."""
    there = np.isfinite(values)
    if not there.any() or np.ptp(values[there]) == 0.0:
        return None
    return np.where(there, values, values[there].mean())
