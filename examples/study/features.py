"""The table of features: how well each tells right predictions from wrong ones, alone and learned together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from study.questions import splits
from twosup_chain.curves import auroc
from twosup_chain.fitting.fit_columns import fit_columns

if TYPE_CHECKING:
    import numpy.typing as npt

    from study.questions import Asked, Questions
    from study.resampling import Resamples
    from twosup_chain.outcomes.outcomes import Flags, Floats

#: The families of learned scorers.
FAMILIES = ("logistic", "boosted")
#: The paper's remote score, and the scores of two rivals: shown whatever their rank.
_ALWAYS = ("token_min", "token_mean", "token_margin_mean", "backed", "answerability", "span_probability", "agreement")


def features_table(
    questions: Questions, resamples: Resamples, *, families: tuple[str, ...] = FAMILIES
) -> dict[str, Any]:
    """Returns the AUROC of every feature and learned scorer, for the reader's best spans and the hosted predictions.

    Args:
        questions: The questions.
        resamples: Draws of them.
        families: The families of the learned scorers.
    """
    sides = {"local": questions.span, "remote": questions.remote}
    return {role: _side(asked, questions.article, resamples, families) for role, asked in sides.items()}


def learned(asked: Asked, articles: npt.NDArray[np.str_], family: str) -> Floats:
    """Returns the probability that each prediction is right, by models fitted on the other folds' articles.

    Args:
        asked: The predictions.
        articles: What the folds are made of, shape (n,).
        family: The family of the models.
    """
    right = asked.made.exact_match > 0
    found = np.empty(len(right))
    for rest, held in splits(articles):
        fitted, judged = ({name: values[rows] for name, values in asked.features.items()} for rows in (rest, held))
        found[held] = fit_columns(fitted, right[rest], groups=articles[rest], model=family).predict(judged)
    return found


def _side(
    asked: Asked, articles: npt.NDArray[np.str_], resamples: Resamples, families: tuple[str, ...]
) -> dict[str, Any]:
    right = asked.made.exact_match > 0
    single = {name: filled for name, values in asked.features.items() if (filled := _filled(values)) is not None}
    oriented = {name: _oriented(articles, values, right) for name, values in single.items()}
    ranked = sorted(oriented, key=lambda name: -auroc(oriented[name], right))
    fitted = {family: learned(asked, articles, family) for family in families}
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


def _oriented(articles: npt.NDArray[np.str_], values: Floats, right: Flags) -> Floats:
    """Returns the feature, turned round where fewer right predictions have high values: judged on the other folds."""
    turned = np.empty(len(values))
    for rest, held in splits(articles):
        found = auroc(values[rest], right[rest])
        turned[held] = values[held] if math.isnan(found) or found >= 0.5 else -values[held]  # noqa: PLR2004  chance
    return turned


def _filled(values: Floats) -> Floats | None:
    """Returns the feature with its mean where it is missing; ``None`` where it never varies."""
    there = np.isfinite(values)
    if not there.any() or np.ptp(values[there]) == 0.0:
        return None
    return np.where(there, values, values[there].mean())
