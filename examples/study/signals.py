"""The table of signals: how well each tells right predictions from wrong ones, alone and learned together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from study.folds import splits
from twosup_chain.curves import auroc
from twosup_chain.supervision import fit_columns

if TYPE_CHECKING:
    from study.columns import Columns, Flags, Floats
    from study.resampling import Resamples

#: The families of learned supervisors.
FAMILIES = ("logistic", "boosted")
#: The paper's remote score, and the scores of two rivals: shown whatever their rank.
_ALWAYS = ("token_min", "token_mean", "token_margin_mean", "backed", "answerability", "span_probability", "agreement")


def signals_table(columns: Columns, resamples: Resamples, *, families: tuple[str, ...] = FAMILIES) -> dict[str, Any]:
    """Returns the AUROC of every signal and learned supervisor, for the reader's and for the hosted predictions."""
    return {
        "local": _side(columns, columns.local_signals, columns.reader.exact > 0, resamples, families),
        "remote": _side(columns, columns.remote_signals, columns.remote.exact > 0, resamples, families),
    }


def learned(columns: Columns, signals: dict[str, Floats], right: Flags, family: str) -> Floats:
    """Returns the probability that each prediction is right, by models fitted on the other folds' articles."""
    found = np.empty(len(columns))
    for rest, held in splits(columns.article):
        model = fit_columns(_rows(signals, rest), right[rest], groups=columns.article[rest], model=family)
        found[held] = model.predict(_rows(signals, held))
    return found


def _side(
    columns: Columns, signals: dict[str, Floats], right: Flags, resamples: Resamples, families: tuple[str, ...]
) -> dict[str, Any]:
    single = {name: filled for name, values in signals.items() if (filled := _filled(values)) is not None}
    oriented = {name: _oriented(columns, values, right) for name, values in single.items()}
    ranked = sorted(oriented, key=lambda name: -auroc(oriented[name], right))
    fitted = {family: learned(columns, signals, right, family) for family in families}
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


def _rows(signals: dict[str, Floats], rows: Flags) -> dict[str, Floats]:
    return {name: values[rows] for name, values in signals.items()}
