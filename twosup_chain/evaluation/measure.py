"""Finds the figures of an evaluation: what the chain would do with recorded questions, on plain columns."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from twosup_chain import curves
from twosup_chain.calibration.estimates import Estimate
from twosup_chain.evaluation.figures import (
    Differences,
    Ending,
    EndingCount,
    EscalationFigures,
    Latency,
    Saving,
    Savings,
    Scores,
    SupervisorFigures,
    Systems,
)
from twosup_chain.outcomes.decisions import Decisions
from twosup_chain.outcomes.from_records import RecordColumns
from twosup_chain.outcomes.outcomes import Flags, Floats
from twosup_chain.outcomes.predictions import PredictionColumns

#: How fine the request–accuracy curve of the figures is.
_STEPS = 100
#: The most numbers that a bootstrap draws: beyond, it makes fewer draws, and the interval is narrow anyway.
_MOST_DRAWN = 100_000_000
_LEAST_DRAWS = 100


def draws_for(n: int, draws: int) -> int:
    """Returns how many draws a bootstrap of n questions makes."""
    return min(draws, max(_LEAST_DRAWS, _MOST_DRAWN // max(n, 1)))


def systems(columns: RecordColumns, decisions: Decisions, draws: int) -> tuple[Systems, Differences, Differences]:
    """Returns the official scores of chain and models, and the chain's differences from local and remote only."""
    left_open = np.where(columns.answerable, 0.0, 1.0)  # an open question predicts "no answer"

    def chain(measure: Literal["exact_match", "f1"]) -> Floats:
        local, remote = (getattr(of, measure) for of in (columns.local_judged, columns.remote_judged))
        instead = np.where(
            columns.remote.failed, local, remote
        )  # given, if at all, where a failure is answered locally
        return decisions.pick(local, instead, otherwise=left_open)

    alone = (
        np.where(of.failed, left_open, measure)
        for of in (columns.local, columns.remote)
        for measure in (of.exact_match, of.f1)
    )
    measures = (chain("exact_match"), chain("f1"), *alone)

    def statistic(has_answer: Flags, *drawn: Floats) -> Floats:
        """Means over all questions, those with and those without an answer; and the chain's differences."""
        rows = np.stack(drawn)
        means = np.stack([_mean(rows), _mean(rows[:, has_answer]), _mean(rows[:, ~has_answer])])
        return np.concatenate([means.ravel(), means[0, :2] - means[0, 2:4], means[0, :2] - means[0, 4:6]])

    found = _measured(curves.bootstrap(statistic, columns.answerable, *measures, draws=draws))

    def scores(place: int) -> Scores:
        parts = [found[start + place + second] for start in (0, 6, 12) for second in (0, 1)]
        return Scores(**dict(zip(Scores.model_fields, parts, strict=True)))

    against_local, against_remote = (Differences(exact_match=found[at], f1=found[at + 1]) for at in (18, 20))
    return Systems(chain=scores(0), local_only=scores(2), remote_only=scores(4)), against_local, against_remote


def selective(decisions: Decisions, draws: int) -> tuple[Estimate, Estimate, Estimate]:
    """Returns coverage, selective risk, and the share of questions that is sent to the hosted model."""

    def statistic(answered: Flags, right: Flags, escalated: Flags) -> Floats:
        wrong = 1.0 - right.sum() / answered.sum() if answered.any() else np.nan
        return np.array([answered.mean(), wrong, escalated.mean()])

    columns = decisions.answered, decisions.right, decisions.escalated
    coverage, risk, rate = _measured(curves.bootstrap(statistic, *columns, draws=draws))
    return coverage, risk, rate


def endings(decisions: Decisions) -> tuple[EndingCount, ...]:
    """Returns what became of the questions."""
    outcomes, source, status = decisions.outcomes, decisions.source, decisions.status
    unanswerable = np.zeros(len(outcomes), np.bool_) if outcomes.answerable is None else ~outcomes.answerable
    right = decisions.right | (~decisions.answered & unanswerable)

    def count(ending: Ending, of: str, that: str) -> EndingCount:
        which = (source == of) & (status == that)
        return EndingCount(ending=ending, questions=int(which.sum()), right=int((which & right).sum()))

    weighed = count("weighed_no_answer", "none", "unanswerable")
    return (
        count("local_answer", "local", "answered"),
        count("local_no_answer", "local", "unanswerable"),
        count("remote_answer", "remote", "answered"),
        count("remote_no_answer", "remote", "unanswerable"),
        *([weighed] if weighed.questions else []),
        count("untrusted", "none", "untrusted"),
    )


def savings(columns: RecordColumns, escalated: Flags, costs: Floats | None) -> Savings:
    """Returns what is saved against sending every question to the hosted model.

    Tokens and seconds are those of the calls that tell them, and of failed ones none.
    """
    remote, local = columns.remote, columns.local
    read, written, seconds = (
        _told(remote, each) for each in (remote.input_tokens, remote.output_tokens, remote.seconds)
    )
    return Savings(
        calls=_saving(float(len(columns)), float(escalated.sum())),
        input_tokens=_saved(read, escalated),
        output_tokens=_saved(written, escalated),
        cost=None if costs is None else _saved(costs, escalated),
        seconds=_saved(seconds, escalated, float(_told(local, local.seconds).sum())),
    )


def latency(columns: RecordColumns, remote_rate: float) -> Latency | None:
    """Returns seconds a question; ``None`` where the records do not tell, or the hosted model takes no time.

    Of each model they are those of the calls that did not fail.
    """
    local, remote = (
        float(_told(of, of.seconds).sum() / max(np.count_nonzero(~of.failed), 1))
        for of in (columns.local, columns.remote)
    )
    if not (np.isfinite(local) and np.isfinite(remote) and remote > 0.0):
        return None
    chain = local + remote * remote_rate
    saving = (remote - chain) / remote
    return Latency(
        local=local,
        remote=remote,
        chain=chain,
        break_even=1 - local / remote,
        saving=saving,
        concurrency=columns.record(0).concurrency,
    )


def supervisors(columns: RecordColumns, decisions: Decisions) -> tuple[SupervisorFigures, SupervisorFigures]:
    """Returns how both supervisors judge: the first one every question, the second one those that are escalated.

    A failed call leaves nothing to judge.
    """
    of, local, remote = decisions.outcomes, ~columns.local.failed, ~columns.remote.failed
    return (
        _supervisor(of.local_score[local], of.local_correct[local], decisions.kept[local], local[local]),
        _supervisor(
            of.remote_score[remote], of.remote_correct[remote], decisions.accepted[remote], decisions.escalated[remote]
        ),
    )


def _supervisor(score: Floats, right: Flags, trusted: Flags, judged: Flags) -> SupervisorFigures:
    return SupervisorFigures(
        judged=int(judged.sum()),
        trusted_right=int((judged & trusted & right).sum()),
        trusted_wrong=int((judged & trusted & ~right).sum()),
        refused_right=int((judged & ~trusted & right).sum()),
        refused_wrong=int((judged & ~trusted & ~right).sum()),
        auroc=_known(curves.auroc(score, right)),
        aurc=curves.aurc(score, right),
        augrc=curves.augrc(score, right),
        calibration_error=curves.calibration_error(score, right),
    )


def escalation(decisions: Decisions, remote_rate: Estimate) -> EscalationFigures:
    """Returns the request–accuracy curve and where the local threshold stands on it."""
    outcomes = decisions.outcomes
    columns = outcomes.local_score, outcomes.local_correct, outcomes.remote_correct
    fine, shown = (curves.request_accuracy(*columns, steps=steps) for steps in (1000, _STEPS))
    best, rate = int(fine.accuracy.argmax()), float(decisions.escalated.mean())
    return EscalationFigures(
        remote_rate=remote_rate,
        accuracy=float(np.where(decisions.kept, outcomes.local_correct, outcomes.remote_correct).mean()),
        best_accuracy=float(fine.accuracy[best]),
        best_remote_rate=float(fine.cutoff[best]),
        auc_rac=_known(curves.auc_rac(fine.accuracy)),
        share_of_oracle_gain=_known(curves.share_of_oracle_gain(*columns, rate)),
        cutoffs=tuple(shown.cutoff.tolist()),
        curve=tuple(shown.accuracy.tolist()),
        random=tuple(shown.random.tolist()),
        oracle=tuple(shown.oracle.tolist()),
    )


def _mean(rows: Floats) -> Floats:
    means: Floats = rows.mean(axis=1) if rows.shape[1] else np.full(len(rows), np.nan)
    return means


def _measured(interval: curves.Interval) -> Sequence[Estimate]:
    ends: Any = zip(*(np.asarray(end).tolist() for end in interval), strict=True)
    return [Estimate(value=_known(value), low=_known(low), high=_known(high)) for value, low, high in ends]


def _known(number: float) -> float | None:
    return number if np.isfinite(number) else None


def _told(of: PredictionColumns, each: Floats) -> Floats:
    return np.where(of.failed & np.isnan(each), 0.0, each)


def _saved(each: Floats, escalated: Flags, more: float = 0.0) -> Saving | None:
    """Returns the saving in what the hosted calls take; ``None`` where one of them, or `more`, is not known."""
    if not np.isfinite(each.sum() + more):
        return None
    return _saving(float(each.sum()), float(each[escalated].sum()) + more)


def _saving(remote_only: float, chain: float) -> Saving:
    saved = remote_only - chain
    return Saving(remote_only=remote_only, chain=chain, saved=saved, share=saved / remote_only if remote_only else None)
