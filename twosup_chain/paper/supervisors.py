"""The second supervisor's threshold for a target false-positive rate, and how the two supervisors then do together.

The definitions are those of the paper's second research question (DOI 10.1145/3617593). A false positive
is a right prediction that is rejected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twosup_chain.curves import s_beta, thresholds_at

if TYPE_CHECKING:
    import numpy.typing as npt

    from twosup_chain.paper.recording import Recording

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

_NOTHING = float("nan")


@dataclass(frozen=True, kw_only=True)
class SupervisorRow:
    """One supervised system; every figure is in [0, 1], and NaN where the target cannot be reached.

    Args:
        target_fpr: The false-positive rate that the second threshold aims at.
        row: The system's name, as the paper's table writes it.
        remote_delta: The share of escalated questions whose score lies above the second threshold; NaN for one model
            alone.
        sys_delta: The share of all questions that are answered.
        sys_obj: The accuracy among these.
        s_05: The harmonic mean of both that weighs accuracy more (β = 0.5).
        s_1: The one that weighs both alike.
        s_2: The one that weighs the answered share more.
    """

    target_fpr: float
    row: str
    remote_delta: float
    sys_delta: float
    sys_obj: float
    s_05: float
    s_1: float
    s_2: float


def single(model: Recording, target_fpr: float, row: str) -> SupervisorRow:
    """Returns one model alone with one supervisor: a prediction is accepted above, not at, the threshold."""
    threshold = _threshold(model.score, model.correct, int(model.correct.sum()), target_fpr)
    if threshold is None:
        return _row(target_fpr, row, _NOTHING, None, model.correct)
    return _row(target_fpr, row, _NOTHING, model.score > threshold, model.correct)


def pair(local: Recording, remote: Recording, cutoff: float, target_fpr: float, row: str) -> SupervisorRow:
    """Returns both models with both supervisors.

    Args:
        local: The local model.
        remote: The hosted model.
        cutoff: The share of questions that the first supervisor rejects, in [0, 1].
        target_fpr: What the second threshold aims at, in [0, 1].
        row: The system's name.
    """
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

    Args:
        scores: The scores that are judged, shape (m,).
        correct: Whether their predictions are right, shape (m,).
        right: How many predictions of the whole system are right, those that are not judged included.
        target_fpr: The rate.

    Returns:
        ``None`` where no threshold reaches it.
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
    half, one, two = (float(s_beta(objective, delta, beta)) for beta in (0.5, 1, 2))
    return SupervisorRow(
        target_fpr=target_fpr,
        row=row,
        remote_delta=remote_delta,
        sys_delta=delta,
        sys_obj=objective,
        s_05=half,
        s_1=one,
        s_2=two,
    )
