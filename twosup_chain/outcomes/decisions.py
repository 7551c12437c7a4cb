"""`decide`: what a chain does with every question, on columns; the same decision as `TwoSupervisorChain`'s.

Calibration counts it at many pairs of thresholds at once (`calibration.tally`); whoever needs to know what becomes of
each question takes it from here. What outweighs what (early abstention, reconciliation) does not depend on thresholds:
it is settled when records are read (`predictions.weigh`), and the outcomes tell what was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from twosup_chain.errors import InputError
from twosup_chain.outcomes.outcomes import Choice

if TYPE_CHECKING:
    from twosup_chain.outcomes.outcomes import Choices, Flags, Outcomes


@dataclass(frozen=True, eq=False, kw_only=True)
class Decisions:
    """What becomes of n questions at a pair of thresholds; every column is of shape (n,).

    Args:
        outcomes: The questions.
        kept: Whether the first supervisor trusts what it judges: the hosted model is not asked.
        accepted: Whether the second supervisor trusts what it judges, or would if it were asked.
    """

    outcomes: Outcomes
    kept: Flags
    accepted: Flags

    @property
    def escalated(self) -> Flags:
        """Whether the hosted model is asked."""
        return ~self.kept

    @property
    def answered(self) -> Flags:
        """Whether a prediction is trusted, be it an answer or that there is none."""
        return self.kept | self.accepted

    @property
    def right(self) -> Flags:
        """Whether a prediction is trusted and right."""
        return self.pick(self.outcomes.local_correct, self.outcomes.remote_correct, otherwise=False)

    @property
    def chosen(self) -> Choices:
        """Which prediction is trusted, by `Choice`, as seen from the supervisor that trusts it; else -1."""
        made = np.zeros(len(self.kept), np.int8)
        local, remote = (made if c is None else c for c in (self.outcomes.local_chosen, self.outcomes.remote_chosen))
        return self.pick(local, remote, otherwise=-1)

    @property
    def source(self) -> npt.NDArray[np.str_]:
        """Whose prediction is given: ``"local"``, ``"remote"`` or ``"none"``, as in `TwoSupervisorResult`."""
        chosen = self.chosen
        nobody = (chosen == -1) | ((chosen == Choice.UNANSWERABLE) & ~self._local_abstains)
        by_remote = self.escalated & (chosen == Choice.ANSWER)
        return np.select([nobody, by_remote], ["none", "remote"], "local")

    @property
    def status(self) -> npt.NDArray[np.str_]:
        """``"answered"``, ``"unanswerable"`` or ``"untrusted"``, as in `TwoSupervisorResult`.

        Raises:
            InputError: The outcomes do not tell which predictions are that there is no answer.
        """
        if self.outcomes.local_no_answer is None or self.outcomes.remote_no_answer is None:
            message = "these outcomes do not tell what is predicted: give Outcomes(local_no_answer=, remote_no_answer=)"
            raise InputError(message)
        no_answer = self.pick(self.outcomes.local_no_answer, self.outcomes.remote_no_answer, otherwise=False)
        return np.select([~self.answered, no_answer], ["untrusted", "unanswerable"], "answered")

    def pick(self, local: npt.NDArray[Any], remote: npt.NDArray[Any], *, otherwise: Any) -> npt.NDArray[Any]:
        """Returns a column of what is given in the end: of two supervisors' columns, each question's own.

        Args:
            local: What holds where the first supervisor trusts, shape (n,).
            remote: What holds where the second one does, shape (n,).
            otherwise: What holds where neither does: a number or flag, or a column of them.
        """
        return np.where(self.kept, local, np.where(self.accepted, remote, otherwise))

    @property
    def _local_abstains(self) -> Flags:
        """Whether the local model itself says that there is no answer."""
        no_answer, chosen = self.outcomes.local_no_answer, self.outcomes.local_chosen
        if no_answer is None:
            return np.zeros(len(self.kept), np.bool_)
        own: Flags = no_answer if chosen is None else no_answer & (chosen == Choice.ANSWER)
        return own


def decide(outcomes: Outcomes, local_threshold: float, remote_threshold: float) -> Decisions:
    """Returns what a chain with these thresholds does: a prediction is trusted if its score is at least the threshold.

    Args:
        outcomes: What both models did, and what both supervisors say of it.
        local_threshold: The least score that the first supervisor trusts, in [0, 1].
        remote_threshold: The least score that the second one trusts.
    """
    return Decisions(
        outcomes=outcomes,
        kept=outcomes.local_score >= local_threshold,
        accepted=outcomes.remote_score >= remote_threshold,
    )
