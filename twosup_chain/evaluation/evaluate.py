"""`evaluate`: recorded questions and two supervisors in, a `Report` out: figures, pictures, and one page to read."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from twosup_chain._sketch import recognised
from twosup_chain.calibration.promise import check
from twosup_chain.calibration.record import CalibratedSupervisor, Calibration
from twosup_chain.calibration.settings import learned_scorers, read_judged, setting_of
from twosup_chain.calibration.targets import Target
from twosup_chain.errors import CalibrationMismatchError, ConfigurationError, InputError
from twosup_chain.evaluation import measure, page
from twosup_chain.evaluation.explorer import explorer
from twosup_chain.evaluation.figures import Figures, PromiseFigures
from twosup_chain.evaluation.mistakes import mistakes
from twosup_chain.evaluation.report import Past, Report, Run
from twosup_chain.outcomes.decisions import decide
from twosup_chain.outcomes.from_records import RecordColumns
from twosup_chain.outcomes.outcomes import Flags, Floats, Outcomes
from twosup_chain.outcomes.predictions import Correct, in_words
from twosup_chain.outcomes.price import Price
from twosup_chain.records.lines import Paths
from twosup_chain.scoring.scorer import ScoreFunction, Scorer
from twosup_chain.supervisor import Supervisor
from twosup_chain.text.questions import Questions, load_questions

#: Below so many questions every figure is rough.
_FEW = 200
#: A larger share of failed calls than this may bend every figure.
_MANY_FAILED = 0.05


class Evaluation(Report):
    """A report that is ready to be looked at."""

    def as_html(self) -> str:
        """Returns the report as one HTML page that needs nothing else: see `page.as_html`."""
        return page.as_html(self)

    def save(self, folder: str | Path) -> Path:
        """Writes ``report.html`` and ``figures.json`` into a folder, and returns the page's path: see `page.save`."""
        return page.save(self, folder)


def evaluate(  # noqa: PLR0913 (options are all by keyword)
    records: Paths,
    *,
    calibration: Calibration | str | Path | None = None,
    local_supervisor: Supervisor | CalibratedSupervisor | None = None,
    remote_supervisor: Supervisor | CalibratedSupervisor | None = None,
    price: Price | None = None,
    correct: Correct = "exact_match",
    examples: int = 5,
    draws: int = 1000,
    scorers: Mapping[str, ScoreFunction | Scorer] | None = None,
    targets: Iterable[Target | type[Target]] = (),
    early_abstention: bool = False,
    reconcile: bool = False,
    questions: Questions | None = None,
    beside: Past | str | Path | None = None,
) -> Evaluation:
    """Returns what a chain with these supervisors does with recorded questions, and what it saves and costs.

    Failed calls count as in `calibrate`: a local one is not trusted; a hosted one is asked, paid for, and not answered,
    or answered locally where the calibration is for such a chain. What the supervisors are worth is said of the others.

    Args:
        records: The file of records, or several; not those that the thresholds were chosen on.
        calibration: A `Calibration`, or the path of one, which sets both supervisors.
        local_supervisor: The first supervisor, in its place, or just its setting; its scorer must be one that was
            recorded.
        remote_supervisor: The second supervisor, likewise.
        price: What the hosted model's tokens cost; without it the report knows no money.
        correct: What counts as right for supervisors, curves and promises: ``"exact_match"``, or ``("f1", floor)``. The
            official measures are there either way.
        examples: How many examples of each kind of mistake to show at most.
        draws: Resamples of the bootstrap intervals; on more than 100,000 questions there are fewer.
        scorers: By name, the learned scorers of the calibration that are not the packaged ones.
        targets: Targets of your own that the calibration promises, or their classes.
        early_abstention: Whether the first supervisor weighs "no answer" against the local prediction, as in
            `TwoSupervisorChain`; a calibration says so itself.
        reconcile: Whether the second supervisor weighs the hosted prediction against the local one and "no answer",
            likewise.
        questions: The labelled questions that were recorded, whose passages the page shows then: see `load_questions`.
        beside: Another report's folder or ``figures.json``, to be shown beside this one.

    Raises:
        ConfigurationError: Neither a calibration nor both supervisors are given, an option contradicts another, or a
            target of your own is missing.
        CalibrationMismatchError: The calibration was made for other models, or for another notion of right.
        CalibrationFileError: The calibration cannot be read.
        RecordsError: The records cannot be read.
        InputError: There is no question, every call of a model failed, or there is a price and a hosted answer does not
            tell its tokens.
    """
    past = beside if beside is None or isinstance(beside, Past) else Past.load(beside)
    texts = None if questions is None else {question.id: question for question in load_questions(questions)}
    run = Run(
        date=datetime.now(UTC).isoformat(timespec="minutes"),
        records=[Path(path).name for path in (records if isinstance(records, (list, tuple)) else [records])],
        calibration=None if calibration is None or isinstance(calibration, Calibration) else Path(calibration).name,
    )
    if calibration is not None and not isinstance(calibration, Calibration):
        calibration = Calibration.load(calibration)
    weighing: dict[str, Any] = {"early_abstention": early_abstention, "reconcile": reconcile}
    if calibration is not None:
        if any(weighing.values()):
            raise ConfigurationError(
                "calibration says whether predictions are weighed: leave early_abstention and reconcile out"
            )
        weighing = {name: getattr(calibration, name) for name in weighing}
    local, remote = _settings(calibration, local_supervisor, remote_supervisor)
    known = {**learned_scorers(local_supervisor, remote_supervisor), **(scorers or {})}
    where = None if calibration is None else calibration.where
    columns = read_judged(records, local=local, remote=remote, scorers=known, failures=True, where=where, **weighing)
    source = columns.provenance
    if not len(columns):
        raise InputError("there is no question to evaluate on")
    for role, made in (("local", columns.local), ("hosted", columns.remote)):
        if made.failed.all():
            raise InputError(
                f"every {role} call failed: there is nothing to evaluate; collect them again (--retry-failed)"
            )
    words = in_words(correct)
    outcomes = columns.outcomes(correct=correct, price=price)
    if calibration is not None and calibration.correct not in (None, words):
        raise CalibrationMismatchError(
            f"the calibration counts {calibration.correct!r} as right, and correct= says {words!r}: let them agree"
        )
    locally = calibration is not None and calibration.on_remote_error == "local"
    given = outcomes.answering_failures_locally() if locally else outcomes
    decisions = decide(given, _least(local, given.local_no_answer), _least(remote, given.remote_no_answer))
    count = measure.draws_for(len(columns), draws)
    systems, against_local, against_remote = measure.systems(columns, decisions, count)
    coverage, risk, remote_rate = measure.selective(decisions, count)
    local_figures, remote_figures = measure.supervisors(columns, decisions)
    in_sample = calibration is not None and calibration.digest == source.digest
    seen = 0 if calibration is None else int(recognised(calibration.made_from, columns.digests).sum())
    figures = Figures(
        provenance=source,
        local=local,
        remote=remote,
        correct=words,
        price=price,
        systems=systems,
        against_local=against_local,
        against_remote=against_remote,
        endings=measure.endings(decisions),
        coverage=coverage,
        risk=risk,
        savings=measure.savings(columns, decisions.escalated, outcomes.remote_cost),
        latency=measure.latency(columns, remote_rate.value or 0.0),
        local_supervisor=local_figures,
        remote_supervisor=remote_figures,
        escalation=measure.escalation(decisions, remote_rate),
        decides=columns.record(0).decides,
        **weighing,
        confidence=None if calibration is None else calibration.confidence,
        promises=_promises(calibration, outcomes, targets),
        in_sample=in_sample,
        remarks=tuple(_remarks(columns, in_sample=in_sample, seen=seen)),
    )
    return Evaluation(
        figures=figures,
        mistakes=mistakes(columns, decisions, examples),
        outcomes=outcomes,
        run=run,
        explored=explorer(columns, decisions, outcomes.remote_cost, {"local": local, "remote": remote}, texts),
        calibration=calibration,
        beside=past,
    )


def _least(setting: CalibratedSupervisor, no_answer: Flags | None) -> float | Floats:
    """Returns the least trusted score of each prediction."""
    if setting.no_answer_threshold is None or no_answer is None:
        return setting.threshold
    return np.where(no_answer, setting.no_answer_threshold, setting.threshold)


def _settings(
    calibration: Calibration | None,
    local: Supervisor | CalibratedSupervisor | None,
    remote: Supervisor | CalibratedSupervisor | None,
) -> tuple[CalibratedSupervisor, CalibratedSupervisor]:
    if calibration is not None:
        if local is not None or remote is not None:
            raise ConfigurationError(
                "calibration sets both supervisors: leave local_supervisor and remote_supervisor out"
            )
        return calibration.local, calibration.remote
    if local is None or remote is None:
        raise ConfigurationError(
            "pass calibration=…, or both local_supervisor=… and remote_supervisor=… with their thresholds"
        )
    return setting_of(local), setting_of(remote)


def _promises(
    calibration: Calibration | None, outcomes: Outcomes, own: Iterable[Target | type[Target]]
) -> tuple[PromiseFigures, ...]:
    if calibration is None:
        return ()
    calibrated = {estimate.name: estimate for estimate in calibration.estimates}
    return tuple(
        PromiseFigures(
            target=held.target,
            limit=held.limit,
            calibrated=calibrated.get(held.estimate.name),
            found=held.estimate,
            probability=held.probability,
        )
        for held in check(calibration, outcomes, targets=own).targets
    )


def _remarks(columns: RecordColumns, *, in_sample: bool, seen: int) -> list[str]:
    """Returns what a reader of the figures should know."""
    source = columns.provenance
    remarks = [
        f"{name} was fitted on {rows.sum():,} of these questions: every figure flatters it. Evaluate on others."
        for name, rows in columns.fitted.items()
        if rows.any()
    ]
    if in_sample:
        remarks.append(
            "These are the very questions that the thresholds were chosen on: every figure flatters them. Evaluate on "
            "others."
        )
    elif seen:
        remarks.append(
            f"The thresholds were chosen on {seen:,} or more of these questions: every figure flatters them. Evaluate "
            "on the others."
        )
    if source.questions < _FEW:
        remarks.append(f"{source.questions:,} questions are few: look at the intervals, not at the figures.")
    if source.failed > _MANY_FAILED * source.questions:
        remarks.append(
            f"{source.failed:,} of these questions have a failed call, and count as the chain treats them. If fewer "
            "calls fail from now on, ask them again (--retry-failed)."
        )
    return remarks
