"""Our rule: ask where it is worth it, then say what is likeliest to be right; fitted in two steps.

The learned supervisors are fitted on the other folds' articles (`estimates`), and the thresholds are calibrated there
too, by `twosup_chain.calibrate` on out-of-fold estimates, for a share of hosted calls with 90 % confidence. What is
worth a call is told in two ways: ``"trust"`` asks where neither the reader's span nor "no answer" is likely to be
right, which is what a chain with ``early_abstention`` and ``reconcile`` does; ``"gain"`` asks where the answer is
likeliest to get better by it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from study.estimates import Supervisors
from study.folds import splits
from study.system import System, joined
from twosup_chain.calibration import calibrate
from twosup_chain.outcomes.outcomes import Outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from study.columns import Columns, Flags, Floats
    from study.estimates import Estimates

#: What makes a question worth a call.
Worth = Literal["gain", "trust"]
WORTHS: tuple[Worth, ...] = ("trust", "gain")
CONFIDENCE = 0.9
#: What is likeliest to be right is said, however unlikely: "no answer" is one of the options.
_NO_THRESHOLD = 0.0


@dataclass(frozen=True, eq=False)
class Fold:
    """The supervisors that were fitted without some questions, and their estimates of these."""

    held: Flags
    columns: Columns
    train: Columns
    supervisors: Supervisors
    estimates: Estimates


class Ours:
    """Our rule on all questions, cross-fitted over articles; only thresholds are fitted anew for each target.

    Args:
        columns: The questions.
        read: Questions of the same articles that the reader alone was asked, for the estimates before a call.
    """

    def __init__(self, columns: Columns, read: Columns | None = None) -> None:
        self._count = len(columns)
        self.folds = list(_folds(columns, read))

    def without_calls(self) -> System:
        """Returns the reader with the learned local supervisor alone."""
        return self._routed("ours (never asking)", [-np.inf] * len(self.folds), [_NO_THRESHOLD] * len(self.folds))

    def within(self, rate: float, by: Worth = "trust") -> System:
        """Returns the rule, calibrated for at most this share of hosted calls; it always says what is likeliest.

        The whole share is spent: as the hosted answer is weighed against the others, a call seldom harms, and the
        threshold with the most right answers on the fitting questions would follow chance.
        """
        nobody = [np.zeros(len(fold.train), dtype=bool) for fold in self.folds]
        found = [
            calibrate(
                replace(outcomes(fold.supervisors.train, fold.train, by=by), local_correct=none, remote_correct=~none),
                remote_rate=rate,
                confidence=CONFIDENCE,
                prefer="accuracy",
            ).local.threshold
            for fold, none in zip(self.folds, nobody, strict=True)
        ]
        return self._routed(f"ours (by {by}, at most {rate:.0%} calls)", found, [_NO_THRESHOLD] * len(found), by)

    def with_risk(self, limit: float, rate: float, by: Worth = "trust") -> System:
        """Returns the rule, calibrated for a selective risk and a share of hosted calls at once; it may abstain."""
        found = [
            calibrate(
                outcomes(fold.supervisors.train, fold.train, by=by),
                risk=limit,
                remote_rate=rate,
                confidence=CONFIDENCE,
                prefer="coverage",
            )
            for fold in self.folds
        ]
        return self._routed(
            f"ours (by {by}, risk at most {limit:.0%}, at most {rate:.0%} calls)",
            [calibration.local.threshold for calibration in found],
            [calibration.remote.threshold for calibration in found],
            by,
        )

    def _routed(self, name: str, local: list[float], remote: list[float], by: Worth = "trust") -> System:
        pieces = [
            (fold.held, routed(name, fold.estimates, fold.columns, first, second, by))
            for fold, first, second in zip(self.folds, local, remote, strict=True)
        ]
        return joined(pieces, self._count)


def routed(
    name: str, estimates: Estimates, columns: Columns, local: float, remote: float, by: Worth = "trust"
) -> System:
    """Returns what the rule does with these thresholds: on the need of asking, and on the trust after it."""
    before, after = estimates.before, estimates.after
    escalated = trust_without_asking(estimates, by) < local
    return System.of(
        name,
        columns,
        before,
        after,
        escalated=escalated,
        local_trust=before.trust,
        remote_trust=after.trust,
        accepted=after.trust >= remote,
    )


def trust_without_asking(estimates: Estimates, by: Worth = "trust") -> Floats:
    """Returns the trust that the first threshold is for: in the prediction, or in that asking would not help."""
    if by == "trust":
        return estimates.before.trust
    return np.clip(0.5 - 0.5 * estimates.gain, 0.0, 1.0)


def outcomes(estimates: Estimates, columns: Columns, *, by: Worth = "trust") -> Outcomes:
    """Returns what `calibrate` and `check` work on.

    Args:
        estimates: The estimates, never by supervisors that were fitted on these questions.
        columns: The questions.
        by: What makes a question worth a call.
    """
    before, after = estimates.before, estimates.after
    return Outcomes(
        local_score=trust_without_asking(estimates, by),
        remote_score=after.trust,
        local_correct=before.exact > 0,
        remote_correct=after.exact > 0,
        answerable=columns.answerable,
    )


def _folds(columns: Columns, read: Columns | None) -> Iterator[Fold]:
    for rest, held in splits(columns.article):
        train, test = columns.take(rest), columns.take(held)
        supervisors = Supervisors(train, read)
        yield Fold(held, test, train, supervisors, supervisors.estimates(test))
