"""`watch`: whether a calibration's promises hold in a log, as `calibration.Monitor` says it by the feedback so far."""

from collections.abc import Iterable

from twosup_chain.calibration.monitor import Monitor, MonitorReport
from twosup_chain.calibration.record import Calibration
from twosup_chain.calibration.targets import Target
from twosup_chain.schema import TwoSupervisorResult
from twosup_chain.service.decision import Decision
from twosup_chain.service.feedback import Feedback
from twosup_chain.service.log import DecisionLog


def watch(
    log: DecisionLog,
    calibration: Calibration,
    *,
    route: str | None = None,
    since: float | None = None,
    targets: Iterable[Target | type[Target]] = (),
) -> MonitorReport:
    """Returns what a monitor says that was told all decisions of a log in their order, and what was said of them.

    It may be asked as often as one likes, as long as the calibration and `since` stay the same.

    Args:
        log: The log.
        calibration: The calibration that the decisions were made by.
        route: Decisions of this route alone.
        since: Decisions from then on alone, in seconds since 1970: when the calibration went into service.
        targets: Targets of your own that it promises, or their classes.
    """
    monitor, feedback = Monitor(calibration, targets=targets), log.feedback()
    for decision in log.decisions(route=route, since=since):
        if decision.verdicts:
            tell(monitor, decision, feedback.get(decision.id))
    return monitor.report


def tell(monitor: Monitor, decision: Decision, said: Feedback | None) -> MonitorReport:
    """Tells a monitor one decision, and what was said of it, if anything was; returns its report."""
    local = decision.verdicts.get("local")
    last = "local" if local is not None and local.trusted else "remote"
    result = TwoSupervisorResult(
        answer=None,
        status="untrusted" if decision.status == "failed" else decision.status,
        source=decision.source,
        local_verdict=local,
        remote_verdict=None if decision.shadow else decision.verdicts.get("remote"),
    )
    right = None if said is None else said.right_of(decision, last)
    return monitor.feedback(result, right=right, cost=decision.cost)
