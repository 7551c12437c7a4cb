"""`replay`: what a log would have come to at other thresholds, or what an observed chain would save and risk.

Nothing is asked anew. What nobody knows is left open and counted: what the hosted model would have said to a question
that it was not asked.
"""

import numpy as np

from twosup_chain._options import Record
from twosup_chain.calibration.estimates import Estimate, NamedEstimate, estimate
from twosup_chain.calibration.record import Calibration
from twosup_chain.calibration.tally import count
from twosup_chain.calibration.targets import MEASURES
from twosup_chain.errors import InputError
from twosup_chain.service.decision import Decision
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.recalibrate import labels_for
from twosup_chain.service.stats import share


class Replay(Record):
    """What a calibration would make of the decisions of a log.

    Args:
        decisions: How many decisions tell of its scorers.
        changed: How many of them would be made otherwise, as far as is known.
        kept: The share that the local model would be trusted with, with a 95 % interval: what would be saved.
        kept_before: The share that it was trusted with.
        saved: What those would have cost at the hosted model, in currency, by what `Decision` says of it.
        currency: The currency; ``None`` without a price.
        differing: Among those that would be kept and of which the hosted answer is known, the share in which it is
            another one, with its interval: the most that would be risked if the hosted model were always right.
        unknown: How many would go to the hosted model that was never asked them.
        labelled: How many decisions a fair sample of the labelled ones holds.
        estimates: What is measured of it at these thresholds, with intervals; empty where too little is labelled.
        lacking: Why it is empty.
    """

    decisions: int
    changed: int
    kept: Estimate
    kept_before: Estimate
    saved: float
    currency: str | None
    differing: Estimate
    unknown: int
    labelled: int
    estimates: tuple[NamedEstimate, ...]
    lacking: str

    def __str__(self) -> str:
        lines = [
            f"{self.decisions:,} decisions, {self.changed:,} would be others",
            f"kept by the local model: {self.kept}, before {self.kept_before}",
            f"other than the hosted answer, of those kept: {self.differing}",
            f"{self.unknown:,} would go to the hosted model, which was never asked them",
        ]
        if self.currency is not None:
            lines.append(f"saved: {self.saved:.4f} {self.currency}")
        if self.lacking:
            return "\n".join([*lines, f"nothing is measured: {self.lacking}"])
        measured = (
            f"{one.label}: {one.write(one.value, self.currency)} ({' to '.join(one.write_interval())})"
            for one in self.estimates
        )
        return "\n".join([*lines, f"of {self.labelled:,} labelled decisions, drawn as the traffic is:", *measured])


def replay(
    log: DecisionLog, calibration: Calibration, *, route: str | None = None, since: float | None = None
) -> Replay:
    """Returns what a calibration would make of the decisions of a log.

    Args:
        log: The log, of a service or of an `Observer`.
        calibration: The calibration.
        route: Decisions of this route alone.
        since: Decisions from then on alone, in seconds since 1970.

    Raises:
        InputError: No decision of the log tells of the calibration's scorers.
        ConfigurationError: As in `recalibrate`.
    """
    labels = labels_for(log, calibration, route=route, since=since)
    found = [d for d in log.decisions(route=route, since=since) if _by(d, calibration)]
    if not found:
        raise InputError("no decision of the log was judged by the scorers of this calibration: nothing to replay")
    kept = [d for d in found if d.verdicts["local"].score >= calibration.local.threshold]
    asked = [d for d in found if d.verdicts["local"].score < calibration.local.threshold]
    both = [d for d in kept if d.agree is not None]
    fair, lacking = None, ""
    try:
        fair, _ = labels.fair()
    except InputError as error:
        lacking = str(error)
    estimates: tuple[NamedEstimate, ...] = ()
    if fair is not None and len(fair):
        thresholds = (np.array([setting.threshold]) for setting in calibration.settings.values())
        tally = count(fair, *thresholds, abstention=calibration.abstention).flat()
        estimates = tuple(estimate(m, tally) for m in MEASURES.values() if not m.lacks(fair))
    return Replay(
        decisions=len(found),
        changed=sum(_changed(d, calibration) for d in found),
        kept=share(len(kept), len(found)),
        kept_before=share(sum(d.verdicts["local"].trusted for d in found), len(found)),
        saved=sum(d.always_remote or 0.0 for d in kept),
        currency=next((d.currency for d in found if d.currency is not None), None),
        differing=share(sum(not d.agree for d in both), len(both)),
        unknown=sum("remote" not in d.verdicts for d in asked),
        labelled=0 if fair is None else len(fair),
        estimates=estimates,
        lacking=lacking,
    )


def _by(decision: Decision, calibration: Calibration) -> bool:
    settings = calibration.settings
    told = all(verdict.scorer == settings[role].scorer for role, verdict in decision.verdicts.items())
    return told and "local" in decision.verdicts


def _changed(decision: Decision, calibration: Calibration) -> bool:
    """Whether a decision would be another one, as far as is known."""
    local, remote = decision.verdicts["local"], decision.verdicts.get("remote")
    kept = local.score >= calibration.local.threshold
    if kept != local.trusted:
        return True
    return not kept and remote is not None and (remote.score >= calibration.remote.threshold) != remote.trusted
