"""`Watch`: whether a calibration's promises hold in a log, as `calibration.Monitor` says it by the feedback so far.

All that is known stands in the log: whoever starts anew reads it again, and comes to the same. A decision counts when
it is made, what was said of it when it was said. So each look only adds to the one before, which is what makes the
monitor's word valid at every look.
"""

from __future__ import annotations

import math
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from twosup_chain.calibration.betting import mean_at_any_time
from twosup_chain.calibration.monitor import Monitor, MonitorReport
from twosup_chain.calibration.targets import TARGETS, Rate
from twosup_chain.errors import RemoteWithheldError
from twosup_chain.schema import TwoSupervisorResult
from twosup_chain.service.labels import check_told, stratum_of
from twosup_chain.service.log import UnknownDecisionError
from twosup_chain.service.stats import share

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twosup_chain.calibration.monitor import WatchedPromise
    from twosup_chain.calibration.record import Calibration
    from twosup_chain.calibration.targets import Target
    from twosup_chain.service.decision import Decision
    from twosup_chain.service.feedback import Feedback
    from twosup_chain.service.log import DecisionLog

#: How much later than a decision was asked for its row may be written, in seconds.
_LATE = 300.0
#: What feedback can never tell of, and what does.
_UNTOLD = {"match_remote": "feedback does not tell it: twosup check on new records does"}


class LogReport(MonitorReport):
    """What a monitor says of a log, and of which decisions anything was said.

    `decided` and `labelled` count decisions by what became of them, as `Labels` has it: ``"kept"`` here, ``"trusted"``
    or ``"refused"`` of the hosted model, ``"failed"`` there.
    """

    decided: dict[str, int] = Field(default_factory=dict)
    labelled: dict[str, int] = Field(default_factory=dict)

    @property
    def skew(self) -> str:
        """Says where labels are surely no sample of the answers, whose risk then is that of the labelled ones alone."""
        kept, asked = (share(self.labelled.get(name, 0), self.decided.get(name, 0)) for name in ("kept", "trusted"))
        if kept.value is None or asked.value is None:
            return ""
        if not (_above(kept.low, asked.high) or _above(asked.low, kept.high)):
            return ""
        return (
            f"labels are no sample of the answers: there are some of {kept.value:.1%} of the local ones and of "
            f"{asked.value:.1%} of the hosted ones, so what rests on them is judged of that mixture"
        )

    def said(self, promise: WatchedPromise) -> str:
        """Returns in a few words whether a promise is kept, as far as the log tells at any moment."""
        if promise.broken:
            return "BROKEN"
        if not promise.questions:
            return _UNTOLD.get(promise.target, "not known yet")
        _, high = interval(promise)
        return "kept so far" if high is not None and high <= promise.limit else "no sign that it is broken"

    def __str__(self) -> str:
        return "\n".join(filter(None, [super().__str__(), self.skew]))


class Watch:
    """Reads a log as it grows, and tells a monitor what is new in it.

    Only decisions count that the calibration's scorers made at its thresholds, and answers that it promises something
    of: one that a cap or a breaker let stand counts as none, unless the calibration is for ``on_remote_error="local"``.
    What feedback cannot tell (of `match_remote` all, costs where there is no price) is not known, and said to be.

    Args:
        log: The log.
        calibration: The calibration.
        route: Decisions of this route alone.
        since: Decisions from then on alone, in seconds since 1970.
        targets: Targets of your own that it promises, or their classes.

    Raises:
        ConfigurationError: A log does not tell of what the calibration promises; the message says why.
    """

    def __init__(
        self,
        log: DecisionLog,
        calibration: Calibration,
        *,
        route: str | None = None,
        since: float | None = None,
        targets: Iterable[Target | type[Target]] = (),
    ) -> None:
        check_told(calibration, route)
        self._log = log
        self._calibration = calibration
        self._route = route
        self._since = since
        self._targets = tuple(targets)
        self._begin()

    def _begin(self) -> None:
        self._monitor = Monitor(self._calibration, targets=self._targets)
        self._recent: dict[str, float] = {}
        self._heard: set[str] = set()
        self._labelled: set[str] = set()
        self._counts: dict[str, Counter[str]] = {"decided": Counter(), "labelled": Counter()}
        self._newest = 0.0

    def read(self) -> LogReport:
        """Reads what is new, and returns what the monitor says; all anew where feedback was corrected or taken back."""
        said = self._said()
        if said is None:
            self._begin()
            said = self._said() or {}
        about = {}
        for decision in self._log.decisions(route=self._route, since=max(self._since or 0.0, self._newest - _LATE)):
            if decision.id in said:
                about[decision.id] = decision
            if decision.id not in self._recent:
                self._recent[decision.id] = decision.time
                self._newest = max(self._newest, decision.time)
                self._tell(decision)
        self._recent = {one: time for one, time in self._recent.items() if time >= self._newest - _LATE}
        for name, feedback in said.items():
            with suppress(UnknownDecisionError):  # it has just been deleted
                decision = about.get(name) or self._log.get(name)
                if self._route in (None, decision.route) and decision.time >= (self._since or 0.0):
                    self._tell(decision, feedback)
        return self.report

    @property
    def report(self) -> LogReport:
        """What was to be said when the log was last read."""
        return LogReport(**{**vars(self._monitor.report), **self._counts})

    def _said(self) -> dict[str, Feedback] | None:
        """Returns what is new of what was said, in its order; ``None`` where something that was told is no more so."""
        every = {feedback.id: feedback for feedback in self._log.said()}
        new = [feedback for one, feedback in every.items() if one not in self._heard]
        names = [feedback.decision for feedback in new]
        if self._heard - every.keys() or self._labelled.intersection(names):
            return None
        self._heard.update(every)
        self._labelled.update(names)
        return {feedback.decision: feedback for feedback in new}

    def _tell(self, decision: Decision, said: Feedback | None = None) -> None:
        if not _made_by(decision, self._calibration):
            return
        tell(self._monitor, decision, said, late=said is not None)
        stratum = stratum_of(decision, {role: found.scorer for role, found in self._calibration.settings.items()})
        if stratum is not None:
            self._counts["decided" if said is None else "labelled"][stratum] += 1


def watch(
    log: DecisionLog,
    calibration: Calibration,
    *,
    route: str | None = None,
    since: float | None = None,
    targets: Iterable[Target | type[Target]] = (),
) -> LogReport:
    """Returns what a `Watch` of a log says, which is given the same; it may be asked as often as one likes."""
    return Watch(log, calibration, route=route, since=since, targets=targets).read()


def tell(monitor: Monitor, decision: Decision, said: Feedback | None, *, late: bool = False) -> MonitorReport:
    """Tells a monitor one decision, and what was said of it, if anything was; returns its report.

    Args:
        monitor: The monitor.
        decision: The decision.
        said: What was said of it.
        late: Whether the decision was told before, without what was said of it.
    """
    local, calibration = decision.verdicts.get("local"), monitor.calibration
    kept = local is not None and local.trusted
    withheld = decision.error is not None and decision.error.startswith(RemoteWithheldError.__name__)
    none = decision.status == "failed" or (withheld and calibration.on_remote_error != "local")
    result = TwoSupervisorResult(
        answer=None,
        status="untrusted" if none else decision.status,
        source="none" if none else decision.source,
        local_verdict=local,
        remote_verdict=None if decision.shadow else decision.verdicts.get("remote"),
    )
    right = None if said is None else said.right_of(decision, "local" if kept else "remote")
    priced = decision.currency is not None and decision.currency == (calibration.currency or decision.currency)
    return monitor.feedback(result, right=right, cost=decision.cost if priced else math.nan, late=late)


def interval(promise: WatchedPromise) -> tuple[float | None, float | None]:
    """Returns an interval of what a promise limits that holds at every look at once, with probability 95 %.

    It is there for rates alone, whose mean tells all values: each is 0 or 1.
    """
    if not promise.questions or promise.value is None or not issubclass(TARGETS.get(promise.target, object), Rate):
        return None, None
    events = round(promise.value * promise.questions)
    return mean_at_any_time(np.repeat([1.0, 0.0], [events, promise.questions - events]))


def _made_by(decision: Decision, calibration: Calibration) -> bool:
    """Whether a calibration's scorers made a decision, at its thresholds."""
    if not decision.verdicts:  # nobody judged: a request that failed at the hosted model
        return "remote" in decision.stages and decision.calibration == calibration.digest
    told = ((verdict, calibration.settings[role]) for role, verdict in decision.verdicts.items())
    return all((one.scorer, one.threshold) == (at.scorer, at.threshold) for one, at in told)


def _above(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and one > other
