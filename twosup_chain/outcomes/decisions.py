"""`decide`: what a chain does with every question, on columns; the same decision as `TwoSupervisorChain`'s.

Calibration counts it at many pairs of thresholds at once (`calibration.tally`); whoever needs to know what becomes of
each question takes it from here. What outweighs what (early abstention, reconciliation) does not depend on thresholds:
it is settled when records are read (`predictions.weigh`), and the outcomes tell what was chosen.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twosup_chain.errors import InputError
from twosup_chain.outcomes.outcomes import Choice, Choices, Flags, Floats, Outcomes


@dataclass(frozen=True, eq=False, kw_only=True)
class Decisions:
    """What becomes of n questions at a pair of thresholds; every column is of shape (n,).

    `kept` tells whether the first supervisor trusts what it judges, so that the hosted model is not asked; `accepted`
    whether the second one does, or would if it were asked.
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
        """``"answered"``, ``"unanswerable"`` or ``"untrusted"``, as in `TwoSupervisorResult`."""
        if self.outcomes.local_no_answer is None or self.outcomes.remote_no_answer is None:
            message = "these outcomes do not tell what is predicted: give Outcomes(local_no_answer=, remote_no_answer=)"
            raise InputError(message)
        no_answer = self.pick(self.outcomes.local_no_answer, self.outcomes.remote_no_answer, otherwise=False)
        return np.select([~self.answered, no_answer], ["untrusted", "unanswerable"], "answered")

    def pick(self, local: npt.NDArray[Any], remote: npt.NDArray[Any], *, otherwise: Any) -> npt.NDArray[Any]:
        """Returns a column of what is given in the end: each question's own of the two, `otherwise` for neither."""
        return np.where(self.kept, local, np.where(self.accepted, remote, otherwise))

    @property
    def _local_abstains(self) -> Flags:
        """Whether the local model itself says that there is no answer."""
        no_answer, chosen = self.outcomes.local_no_answer, self.outcomes.local_chosen
        if no_answer is None:
            return np.zeros(len(self.kept), np.bool_)
        own: Flags = no_answer if chosen is None else no_answer & (chosen == Choice.ANSWER)
        return own


def decide(outcomes: Outcomes, local_threshold: float | Floats, remote_threshold: float | Floats) -> Decisions:
    """Returns what a chain with these thresholds does: it trusts a prediction whose score is at least the threshold.

    A threshold may be a column of shape (n,), where "no answer" has one of its own.
    """

    def trusted(score: Floats, threshold: float | Floats, failed: Flags | None) -> Flags:
        enough: Flags = score >= threshold
        return enough if failed is None else enough & ~failed

    return Decisions(
        outcomes=outcomes,
        kept=trusted(outcomes.local_score, local_threshold, outcomes.local_failed),
        accepted=trusted(outcomes.remote_score, remote_threshold, outcomes.remote_failed),
    )
