"""`Monitor`: promises watched question by question, from records' columns and from what the chain returns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twosup_chain import Calibration, Monitor, calibrate
from twosup_chain.calibration.targets import Rate, Target
from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.outcomes.outcomes import Outcomes
from twosup_chain.schema import Answer, TwoSupervisorResult, Verdict

MOST = 0.01


def drawn(n: int, seed: int = 0, right: float = 0.4, **options) -> Outcomes:
    rng = np.random.default_rng(seed)
    local, remote = rng.random(n), rng.random(n)
    columns = {
        "local_correct": rng.random(n) < right + (1 - right) * local,
        "remote_correct": rng.random(n) < 0.6 + 0.4 * remote,
        "remote_cost": rng.random(n) * MOST,
        "max_call_cost": MOST,
    }
    return Outcomes(**{"local_score": local, "remote_score": remote, **columns, **options})


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return calibrate(drawn(1500), risk=0.15, remote_rate=0.9, budget=4.5, confidence=0.9)


def test_what_is_kept_gives_no_alarm_and_what_breaks_does(calibration) -> None:
    monitor = Monitor(calibration)
    calm = monitor.add(drawn(2000, seed=1))
    assert not calm.broken
    assert all(drift.at_least == 0.0 for drift in calm.drifts)
    worse = monitor.add(drawn(3000, seed=2, right=-0.3))
    assert worse.broken
    assert [p.target for p in worse.promises if p.broken] == ["risk"]
    assert "BROKEN" in str(worse)
    assert monitor.add(drawn(3000, seed=3)).broken  # what was seen stays seen


def test_one_at_a_time_is_the_same_as_many(calibration) -> None:
    some = drawn(200, seed=4)
    one, many = Monitor(calibration), Monitor(calibration)
    for row in range(len(some)):
        one.add(some.take(np.array([row])))
    assert str(one.report) == str(many.add(some))


def test_of_questions_on_one_passage_the_first_counts_in_one_call_or_several(calibration) -> None:
    passage = np.array([7, 7, 3, 7, 3, 9], np.uint64)
    some = drawn(6, seed=4, passage=passage)
    one, many = Monitor(calibration), Monitor(calibration)
    for row in range(len(some)):
        one.add(some.take(np.array([row])))
    assert str(one.report) == str(many.add(some))
    first = replace(some.take(np.array([0, 2, 5])), passage=None)
    assert many.report.promises == Monitor(calibration).add(first).promises
    assert (many.report.questions, many.report.drifts[0].questions) == (6, 3)


def test_means_are_those_of_the_targets(calibration) -> None:
    some = drawn(500, seed=5)
    watched = {promise.target: promise for promise in Monitor(calibration).add(some).promises}
    escalated = some.local_score < calibration.local.threshold
    answered = ~escalated | (some.remote_score >= calibration.remote.threshold)
    right = np.where(escalated, some.remote_correct, some.local_correct)
    assert watched["remote_rate"].value == pytest.approx(escalated.mean())
    assert watched["risk"].value == pytest.approx(1 - right[answered].mean())
    assert watched["risk"].questions == answered.sum()
    assert watched["budget"].value == pytest.approx(1000 * (some.remote_cost * escalated).mean())


def test_trust_that_drifts_is_seen_without_labels(calibration) -> None:
    monitor = Monitor(calibration)
    low = drawn(800, seed=6)
    local = {role: Verdict(score=0.0, threshold=0.5, trusted=False, scorer="own") for role in ("l", "r")}
    for score in low.local_score**3:
        verdict = local["l"].model_copy(update={"score": float(score)})
        result = TwoSupervisorResult(answer=None, status="untrusted", source="none", local_verdict=verdict)
        report = monitor.feedback(result)
    (drift,) = (drift for drift in report.drifts if drift.role == "local")
    assert 0.1 < drift.at_least < drift.distance
    assert drift.distance == pytest.approx(0.385, abs=0.05)  # max of t^(1/3) − t


def test_feedback_on_results_counts_as_records_do(calibration) -> None:
    some = drawn(300, seed=7)
    by_records, by_results = Monitor(calibration), Monitor(calibration)
    by_records.add(some)
    for row in range(len(some)):
        scores = {"local": float(some.local_score[row]), "remote": float(some.remote_score[row])}
        verdicts = {
            role: Verdict(score=score, threshold=at.threshold, trusted=score >= at.threshold, scorer="own")
            for (role, score), at in zip(scores.items(), calibration.settings.values(), strict=True)
        }
        kept = verdicts["local"].trusted
        trusted = verdicts["local" if kept else "remote"].trusted
        result = TwoSupervisorResult(
            answer="x" if trusted else None,
            status="answered" if trusted else "untrusted",
            source=("local" if kept else "remote") if trusted else "none",
            remote=None if kept else Answer("x"),
            local_verdict=verdicts["local"],
            remote_verdict=None if kept else verdicts["remote"],
        )
        right = bool((some.local_correct if kept else some.remote_correct)[row])
        by_results.feedback(result, right=right, cost=None if kept else float(some.remote_cost[row]))
    assert str(by_results.report) == str(by_records.report)


def test_without_a_label_only_what_needs_none_counts(calibration) -> None:
    verdict = Verdict(score=0.9, threshold=0.5, trusted=True, scorer="own")
    result = TwoSupervisorResult(answer="x", status="answered", source="local", local_verdict=verdict)
    report = Monitor(calibration).feedback(result)
    assert {p.target: p.questions for p in report.promises} == {"remote_rate": 1, "risk": 0, "budget": 1}


def test_a_calibration_of_an_earlier_version_knows_no_trust_and_no_drift(calibration) -> None:
    report = Monitor(calibration.model_copy(update={"trust": {}})).add(drawn(10, seed=8))
    assert report.drifts == ()


def test_what_cannot_be_watched_is_said(calibration) -> None:
    with pytest.raises(ConfigurationError, match="false_alarm=2: pass a probability"):
        Monitor(calibration, false_alarm=2)
    with pytest.raises(InputError, match="the hosted calls have no costs"):
        Monitor(calibration).add(drawn(5, remote_cost=None, max_call_cost=None))

    class Median(Target):
        name, unit = "median", "number"

        def value(self, tally):
            return tally.cost

        def interval(self, tally, confidence):
            return 0.0, 1.0

        def p_value(self, tally, level):
            return np.zeros(tally.shape)

        def posterior(self, tally):
            return 0.5

    made = calibrate(drawn(300), targets=[Median(1.0)], confidence=0.9)
    with pytest.raises(ConfigurationError, match="median cannot be watched question by question"):
        Monitor(made, targets=[Median])


def test_a_target_of_your_own_is_watched() -> None:
    class Wrong(Rate):
        name, events = "wrong", "wrong"

    made = calibrate(drawn(900), targets=[Wrong(0.3)], confidence=0.9)
    report = Monitor(made, targets=[Wrong]).add(drawn(100, seed=1))
    assert report.promises[0].questions == 100
