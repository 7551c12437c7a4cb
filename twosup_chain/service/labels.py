"""`Labels`: what a log and the feedback on it tell of both models, as columns that calibration works on.

A decision tells it where both predictions are known (the hosted model was asked, if only in the shadow) and feedback
says which of them are right. Those are no fair sample: more is known of what was escalated, and people speak up of what
they please. So `fair` draws from them, stratum by stratum, as many as make the strata as large as they are in the whole
log. What is left is as good as independent draws from the traffic, if within a stratum it is by chance which decisions
are labelled; exact tests need draws, and take no weights.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twosup_chain.calibration.promise import with_metadata
from twosup_chain.calibration.record import Calibration
from twosup_chain.errors import ConfigurationError, InputError, RemoteWithheldError
from twosup_chain.outcomes.outcomes import Outcomes
from twosup_chain.outcomes.price import Price
from twosup_chain.service.decision import Decision
from twosup_chain.service.feedback import Feedback

ROLES = ("local", "remote")
#: What is to be done about a stratum of which nothing is known.
_CURES = {
    "kept": "the local model was trusted with: ask some of them in the shadow (shadow_rate), and label those",
    "trusted": "the hosted model was trusted with: label some (twosup feedback ID --right)",
    "refused": "nobody was trusted with: label some (twosup feedback ID --answer TEXT)",
    "failed": "the hosted model failed at: label some (twosup feedback ID --answer TEXT)",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Labels:
    """Labelled decisions, one a row of the outcomes.

    Args:
        outcomes: What both models did; of a prediction that feedback does not tell of, the worst is assumed.
        decisions: Their ids.
        strata: What became of each: ``"kept"`` (the local prediction was trusted), ``"trusted"`` (the hosted one was),
            ``"refused"``, or ``"failed"`` (the hosted model was asked in vain).
        decided: How many decisions the log holds of each stratum, labelled or not.
        assumed: Of how many rows the worst is assumed of one prediction.
    """

    outcomes: Outcomes
    decisions: tuple[str, ...]
    strata: tuple[str, ...]
    decided: dict[str, int]
    assumed: int

    @property
    def labelled(self) -> dict[str, int]:
        """How many of each stratum are labelled."""
        return dict(Counter(self.strata))

    def fair(self) -> tuple[Outcomes, Outcomes]:
        """Returns a fair sample of the traffic, and the labelled decisions that are not in it.

        Raises:
            InputError: Nothing is labelled of a stratum.
        """
        known = self.labelled
        for stratum, decided in self.decided.items():
            if decided and not known.get(stratum):
                message = f"none is labelled of the {decided:,} decisions that {_CURES[stratum]}"
                raise InputError(message)
        if not known:
            raise InputError("no decision of the log is labelled: say of some whether they were right")
        shares = {stratum: known[stratum] / self.decided[stratum] for stratum in known}
        least = min(shares.values())
        taken = np.array(
            [_drawn(one) * shares[stratum] <= least for one, stratum in zip(self.decisions, self.strata, strict=True)]
        )
        return self.outcomes.take(taken), self.outcomes.take(~taken)


def check_told(calibration: Calibration, route: str | None) -> None:
    """Checks that a log can tell of what a calibration promises.

    Raises:
        ConfigurationError: It cannot: predictions are weighed, or a group of questions has no route of its own.
    """
    if calibration.early_abstention or calibration.reconcile:
        raise ConfigurationError(
            "the calibration is for early_abstention or reconcile, and neither a log nor feedback tells whether what "
            "was weighed is right: collect, and calibrate or check anew"
        )
    if calibration.where and route is None:
        raise ConfigurationError(
            f"the calibration is for the questions{with_metadata(calibration.where)} alone, and a log does not say "
            "which those are: serve them by a route of their own, and name it (--route)"
        )


def read_labels(
    decisions: Iterable[Decision],
    feedback: Mapping[str, Feedback],
    *,
    scorers: Mapping[str, str | None],
    price: Price | None = None,
) -> Labels:
    """Returns what decisions and the feedback on them tell.

    Args:
        decisions: The decisions; those by other scorers, and what a rule or a cap withheld, are passed over.
        feedback: What was said last of each, by its id.
        scorers: The scorers by role.
        price: What the hosted model's tokens cost; those of a call that does not report them leave it out.
    """
    decided: Counter[str] = Counter()
    rows: list[tuple[Any, ...]] = []
    names: list[tuple[str, str]] = []
    passages: list[int] = []
    assumed = 0
    for decision in decisions:
        stratum = stratum_of(decision, scorers)
        if stratum is None:
            continue
        decided[stratum] += 1
        said, usage, cost = feedback.get(decision.id), decision.usage.get("remote"), 0.0
        failed = ["local" not in decision.verdicts, stratum == "failed"]
        if said is None or (stratum == "kept" and not decision.shadow) or (price is not None and usage is None):
            continue
        right = [not fails and said.right_of(decision, role) for fails, role in zip(failed, ROLES, strict=True)]
        if right == [None, None]:
            continue
        assumed += None in right
        if price is not None and usage is not None:
            cost = price.of_usage(usage)
        scores = (decision.verdicts[role].score if role in decision.verdicts else 0.0 for role in ROLES)
        no_answer = (decision.no_answer.get(role, False) for role in ROLES)
        rows.append((*scores, *map(bool, right), *no_answer, *failed, cost))
        names.append((decision.id, stratum))
        passages.append(int((decision.passage or decision.question)[:16], 16))
    columns: npt.NDArray[Any] = np.array(rows, dtype=np.float64).reshape(len(rows), 9).T
    flags = columns[2:8] == 1.0
    outcomes = Outcomes(
        local_score=columns[0],
        remote_score=columns[1],
        local_correct=flags[0],
        remote_correct=flags[1],
        local_no_answer=flags[2],
        remote_no_answer=flags[3],
        local_failed=flags[4],
        remote_failed=flags[5],
        remote_cost=None if price is None else columns[8],
        passage=np.array(passages, dtype=np.uint64),
    )
    return Labels(
        outcomes=outcomes,
        decisions=tuple(name for name, _ in names),
        strata=tuple(stratum for _, stratum in names),
        decided=dict(decided),
        assumed=assumed,
    )


def stratum_of(decision: Decision, scorers: Mapping[str, str | None]) -> str | None:
    """Returns what became of a decision, as `Labels.strata` names it.

    ``None`` where that was by another scorer than those by role, or by a rule or a cap.
    """
    if any(verdict.scorer != scorers[role] for role, verdict in decision.verdicts.items()):
        return None
    local, remote = (decision.verdicts.get(role) for role in ROLES)
    if local is not None and local.trusted:
        return "kept"
    if remote is not None:
        return "trusted" if remote.trusted else "refused"
    withheld = decision.error is None or decision.error.startswith(RemoteWithheldError.__name__)
    return None if withheld or local is None else "failed"


def _drawn(id: str) -> float:
    """Returns a number in [0, 1) that only the id decides on, another one than `Shadow` draws by."""
    return int.from_bytes(hashlib.sha256(f"label {id}".encode()).digest()[:8]) / 2**64
