"""The second supervisor's threshold for a target false-positive rate, and how the two supervisors then do together.

The definitions are those of the paper's second research question (DOI 10.1145/3617593). A false positive
is a right prediction that is rejected.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twosup_chain.curves import s_beta, thresholds_at
from twosup_chain.paper.recording import Recording

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_NOTHING = float("nan")


@dataclass(frozen=True)
class SupervisorRow:
    """One supervised system; every figure is in [0, 1], and NaN where the target cannot be reached."""

    target_fpr: float  # the false-positive rate that the second threshold aims at
    row: str  # the system's name, as the paper's table writes it
    remote_delta: float  # the share of escalated questions whose score lies above the second threshold
    sys_delta: float  # the share of all questions that are answered
    sys_obj: float  # the accuracy among these
    s_05: float  # the harmonic mean of both that weighs accuracy more (β = 0.5)
    s_1: float  # both alike
    s_2: float  # the answered share more


def single(model: Recording, target_fpr: float, row: str) -> SupervisorRow:
    """Returns one model alone with one supervisor: a prediction is accepted above, not at, the threshold."""
    threshold = _threshold(model.score, model.correct, int(model.correct.sum()), target_fpr)
    if threshold is None:
        return _row(target_fpr, row, _NOTHING, None, model.correct)
    return _row(target_fpr, row, _NOTHING, model.score > threshold, model.correct)


def pair(local: Recording, remote: Recording, cutoff: float, target_fpr: float, row: str) -> SupervisorRow:
    """Returns both models with both supervisors; the first one rejects the share `cutoff` of the questions."""
    escalated = local.score < thresholds_at(local.score, [cutoff])
    correct = np.where(escalated, remote.correct, local.correct)
    scores = remote.score[escalated]
    threshold = _threshold(scores, remote.correct[escalated], int(correct.sum()), target_fpr)
    if threshold is None:
        return _row(target_fpr, row, _NOTHING, None, correct)
    accepted = ~escalated | (remote.score >= threshold)
    return _row(target_fpr, row, float((scores > threshold).mean()), accepted, correct)


def _threshold(scores: Floats, correct: Flags, right: int, target_fpr: float) -> float | None:
    """Returns the first score, in ascending order, as threshold of which the false-positive rate reaches the target.

    `right` counts the right predictions of the whole system, those that are not judged included.
    """
    if not right:
        return None
    candidates = np.sort(scores)
    rejected_and_right = np.searchsorted(np.sort(scores[correct]), candidates, side="left")
    reached = np.flatnonzero(rejected_and_right / right >= target_fpr)
    return float(candidates[reached[0]]) if reached.size else None


def _row(target_fpr: float, row: str, remote_delta: float, accepted: Flags | None, correct: Flags) -> SupervisorRow:
    delta = objective = _NOTHING
    if accepted is not None:
        delta = float(accepted.mean())
        objective = float(correct[accepted].mean()) if delta else _NOTHING
    means = (float(s_beta(objective, delta, beta)) for beta in (0.5, 1, 2))
    return SupervisorRow(target_fpr, row, remote_delta, delta, objective, *means)
