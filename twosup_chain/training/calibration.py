"""Answerability as a probability: a logistic model on the reader's evidence, fitted on labelled questions.

And the answerability from which on a span is the better prediction, which follows from it.

Platt scaling with several inputs (Platt 1999) and a weak ridge. Both classes get half of the weight, whatever their
shares in the file, so that the probabilities hold where half of the questions are unanswerable, as in SQuAD v2's
evaluation sets.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from twosup_chain.errors import ConfigurationError
from twosup_chain.fitting.logistic import fit_line

#: What the calibration reads of a reading's evidence. The odds of all spans of a window tell answerable questions from
#: unanswerable ones clearly better than the best span's margin alone (AUROC 0.780 against 0.759 on 11,822 training
#: questions, half of each kind, of the first packaged model). The best span's share bends the line: on 2,519 held-out
#: training questions of the fourth packaged model, cross-fitted over passages, the calibration error is 0.014 to 0.018
#: with it and 0.031 to 0.039 without, the log loss 0.444 and 0.447; the runner-up margin lowers the log loss as much,
#: the calibration error less, null margin and entropy less of both (``tests/benchmarks/answerability_features.py``).
FEATURES = ("answer_log_odds", "window_span_probability")
_RIDGE = 1e-3


def fit_answerability(
    evidence: Sequence[Mapping[str, float]], answerable: Sequence[bool], features: Sequence[str] = FEATURES
) -> dict[str, float]:
    """Returns the weights of the features of the reader's evidence and the ``"intercept"``, for ``config.json``."""
    y = np.asarray(answerable, dtype=np.float64)
    if not 0 < y.sum() < len(y):
        raise ConfigurationError(
            f"the calibration needs answerable and unanswerable questions, {int(y.sum())} of {len(y)} are answerable"
        )
    x = np.array([[item[name] for name in features] for item in evidence], dtype=np.float64)
    centre, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    weight = np.where(y == 1, 0.5 / y.sum(), 0.5 / (len(y) - y.sum()))
    weights, constant = fit_line((x - centre) / scale, y, weight, _RIDGE)
    slopes = weights / scale
    return {**dict(zip(features, slopes.tolist(), strict=True)), "intercept": float(constant - slopes @ centre)}


def fit_no_answer_below(forced_f1: Sequence[float]) -> float:
    """Returns the answerability from which on a span is the better prediction by SQuAD v2's F1, in [0.5, 1].

    With a calibrated answerability a, "no answer" earns 1 - a on average and a span a·f, where f is the mean of
    `forced_f1` (the best spans' F1 on answerable questions): a span is better from a = 1 / (1 + f) on.
    """
    return 1.0 / (1.0 + float(np.mean(forced_f1)))
