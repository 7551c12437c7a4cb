"""`Monitor`: whether a calibration's promises hold while the chain runs, said validly at any moment.

One process of evidence a promise (`betting`) grows with what feedback says, and the trust of all questions, labelled or
not, is compared to what it was when the calibration was made (`trust`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from twosup_chain._options import Record, shorten
from twosup_chain.calibration.betting import Evidence
from twosup_chain.calibration.measures import Unit, written
from twosup_chain.calibration.promise import promised, with_metadata
from twosup_chain.calibration.tally import Tally, count_each
from twosup_chain.calibration.trust import Drift, Drifting
from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.text.questions import Metadata

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twosup_chain.calibration.record import Calibration
    from twosup_chain.calibration.targets import Target
    from twosup_chain.outcomes.outcomes import Floats, Outcomes
    from twosup_chain.schema import TwoSupervisorResult, Verdict


class WatchedPromise(Record):
    """One promise after so many questions that tell of it: their mean, and how far the evidence against it ever came.

    `evidence` is the most that one unit of capital ever became by bets that the limit is exceeded: if the promise is
    kept, it ever reaches x with probability at most 1/x. `broken` says that it reached what the monitor asks for.
    """

    target: str
    limit: float
    label: str
    unit: Unit
    questions: int
    value: float | None
    evidence: float
    broken: bool

    def __str__(self) -> str:
        found = f"{self.label} {written(self.value, self.unit)} of {self.questions:,}"
        state = "BROKEN" if self.broken else "no sign that it is broken"
        return f"{found}, promised ≤ {written(self.limit, self.unit)}: {state} (evidence {self.evidence:.3g})"


class MonitorReport(Record):
    """What a monitor says after so many questions; `false_alarm` is the probability of any wrong alarm, ever."""

    questions: int
    where: Metadata = Field(default_factory=dict)
    false_alarm: float
    promises: tuple[WatchedPromise, ...]
    drifts: tuple[Drift, ...]

    @property
    def broken(self) -> bool:
        """Whether a promise is known to be broken."""
        return any(promise.broken for promise in self.promises)

    def __str__(self) -> str:
        heading = f"{self.questions:,} questions{with_metadata(self.where)}"
        return "\n".join([heading, *map(str, self.promises), *map(str, self.drifts)])


class Monitor:
    """Watches the promises of a calibration, question by question; read it whenever you like.

    With probability at least ``1 − false_alarm`` it never says that a promise is broken, or that trust has drifted, as
    long as every promise holds, however long it runs and however often it is read. That rests on the feedback being
    about questions that are chosen without regard to their answers; they need not be independent, since only what is
    to be expected of the next one counts (except for the drift, which takes independent questions).

    Args:
        calibration: The calibration.
        targets: Targets of your own that it promises, or their classes.
        false_alarm: The probability of any wrong alarm, ever, in (0, 1); each promise and each drift has an equal part.

    Raises:
        ConfigurationError: `false_alarm` is out of range, a target of your own is missing, or is no mean of questions.
    """

    def __init__(
        self, calibration: Calibration, *, targets: Iterable[Target | type[Target]] = (), false_alarm: float = 0.05
    ) -> None:
        if not 0.0 < false_alarm < 1.0:
            raise ConfigurationError(f"false_alarm={shorten(false_alarm)}: pass a probability between 0 and 1")
        self.calibration, self._false_alarm, self._questions = calibration, false_alarm, 0
        self._passages: set[int] = set()
        self._targets = promised(calibration, targets)
        most = calibration.max_call_cost or 0.0
        self._spans = {target.name: _span(target, most) for target in self._targets}
        self._evidence = {t.name: Evidence(float(_scaled(t.limit, self._spans[t.name]))) for t in self._targets}
        self._alpha = false_alarm / (len(self._targets) + len(calibration.trust))
        self._drifting = {role: Drifting(trust, self._alpha) for role, trust in calibration.trust.items()}

    def add(self, outcomes: Outcomes) -> MonitorReport:
        """Takes labelled questions, one or many, in the order in which they came, and returns the report.

        Of questions on one passage the first to come counts, as one of each does in `calibrate`: no later one bets, in
        this call or another.

        Raises:
            InputError: They lack what a target reads, like costs.
        """
        for target in self._targets:
            if lacking := target.lacks(outcomes):
                raise InputError(f"the calibration promises {target}, and {lacking}")
        if self.calibration.on_remote_error == "local":
            outcomes = outcomes.answering_failures_locally()
        self._questions += len(outcomes)
        outcomes = self._on_new_passages(outcomes)
        local, remote = (setting.threshold for setting in self.calibration.settings.values())
        each = count_each(outcomes, local, remote, abstention=self.calibration.abstention)
        asked = each.escalated.astype(bool)
        self._take(each, local=outcomes.local_score, remote=outcomes.remote_score[asked])
        return self.report

    def feedback(
        self,
        result: TwoSupervisorResult,
        *,
        right: bool | None = None,
        cost: float | None = None,
        late: bool = False,
    ) -> MonitorReport:
        """Takes one result of the chain, and returns the report.

        Args:
            result: What the chain returned.
            right: Whether the last prediction (the local one if it was trusted, else the hosted one) is right, refused
                or not; ``None`` where nobody said. Feedback does not tell what the hosted model would have said to a
                question that it was not asked: of `match_remote` only `add` knows.
            cost: What the hosted call cost, in currency; NaN where that is not known of any question.
            late: Whether this result was taken before, without `right`: only what rests on `right` is taken now.
        """
        kept = result.local_verdict is not None and result.local_verdict.trusted
        each = _tally(result, self.calibration, right, 0.0 if cost is None and kept else cost)
        if late:
            self._take(each, taken=_tally(result, self.calibration, None, 0.0 if cost is None and kept else cost))
            return self.report
        self._questions += 1
        self._take(each, local=_scores(result.local_verdict), remote=_scores(None if kept else result.remote_verdict))
        return self.report

    @property
    def report(self) -> MonitorReport:
        """What can be said at this moment."""
        return MonitorReport(
            questions=self._questions,
            where=self.calibration.where,
            false_alarm=self._false_alarm,
            promises=tuple(self._watched(target) for target in self._targets),
            drifts=tuple(drifting.drift(role) for role, drifting in self._drifting.items()),
        )

    def _on_new_passages(self, outcomes: Outcomes) -> Outcomes:
        if outcomes.passage is None:
            return outcomes
        passages, first = np.unique(outcomes.passage, return_index=True)
        new = np.array([passage not in self._passages for passage in passages.tolist()], np.bool_)
        self._passages.update(passages[new].tolist())
        return outcomes.take(np.sort(first[new]))

    def _take(self, each: Tally, *, taken: Tally | None = None, **scores: Floats) -> None:
        """Bets on what questions tell, but for what a tally of the same ones has told before."""
        for target in self._targets:
            evidence, values = self._evidence[target.name], target.value(each)
            new = ~np.isnan(values) if taken is None else ~np.isnan(values) & np.isnan(target.value(taken))
            for value in _scaled(values[new], self._spans[target.name]):
                evidence.add(value)
        for role, found in scores.items():
            if role in self._drifting:
                self._drifting[role].add(found)

    def _watched(self, target: Target) -> WatchedPromise:
        evidence, (low, high) = self._evidence[target.name], self._spans[target.name]
        return WatchedPromise(
            target=target.name,
            limit=target.limit,
            label=target.label,
            unit=target.unit,
            questions=evidence.count,
            value=low + float(evidence.mean) * (high - low) if evidence.count else None,
            evidence=float(evidence.peak),
            broken=bool(evidence.peak >= 1.0 / self._alpha),
        )


def _span(target: Target, max_call_cost: float) -> tuple[float, float]:
    span = target.span(max_call_cost)
    if span is None or span[0] >= span[1]:
        message = (
            f"{target.name} cannot be watched question by question: its span(…) names no lowest and highest value of "
            "one question"
        )
        raise ConfigurationError(message)
    return span


def _scaled(value: Floats | float, span: tuple[float, float]) -> Floats:
    low, high = span
    return np.clip((np.asarray(value, np.float64) - low) / (high - low), 0.0, 1.0)


def _tally(result: TwoSupervisorResult, calibration: Calibration, right: bool | None, cost: float | None) -> Tally:
    """Returns what one result counts as; what nobody knows is NaN."""
    kept = result.local_verdict is not None and result.local_verdict.trusted
    answered = result.status != "untrusted" and result.source != "fallback"
    known, spent = (np.nan if value is None else float(value) for value in (right, cost))
    columns = {
        "escalated": float(not kept),
        "answered": float(answered),
        "wrong": float(answered) * (1.0 - known),
        "right_predictions": known,
        "refused_right": float(not answered) * known,
        "successes": float(answered) * known,
        "wins": np.nan,
        "losses": np.nan,
        "cost": spent,
        "cost_squares": spent**2,
        **{role: setting.threshold for role, setting in calibration.settings.items()},
    }
    arrays = {name: np.array([value]) for name, value in columns.items()}
    return Tally(n=1, max_call_cost=0.0, local_fails=True, weighs=True, **arrays)


def _scores(verdict: Verdict | None) -> Floats:
    return np.array([] if verdict is None else [verdict.score])
