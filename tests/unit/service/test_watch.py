"""A log that grows tells at every look what one that is read anew tells, however late labels come or change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from serving import route, samples, serve

from twosup_chain import calibrate
from twosup_chain.errors import ConfigurationError
from twosup_chain.outcomes.outcomes import Outcomes
from twosup_chain.schema import Verdict
from twosup_chain.service.decision import Decision
from twosup_chain.service.feedback import Feedback
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.watch import Watch, watch

SCORERS = {"local": "mine", "remote": "theirs"}


def drawn(n, seed=0):
    random = np.random.default_rng(seed)
    local, remote = random.random(n), random.random(n)
    right = {"local_correct": random.random(n) < 0.4 + 0.6 * local, "remote_correct": random.random(n) < 0.9}
    return Outcomes(local_score=local, remote_score=remote, **right)


@pytest.fixture(scope="module")
def calibration():
    names = {f"{role}_scorer": name for role, name in SCORERS.items()}
    return calibrate(drawn(1500), risk=0.15, remote_rate=0.9, confidence=0.9, **names)


@pytest.fixture
def log(tmp_path):
    made = DecisionLog(tmp_path / "log.db")
    yield made
    made.store.close()


def decided(calibration, number, local, remote=None, *, at=None, **fields):
    """A decision by the calibration's scorers; both scores stand for how far the models are trusted."""
    scores = {"local": local} if remote is None else {"local": local, "remote": remote}
    at = at or {role: setting.threshold for role, setting in calibration.settings.items()}
    verdicts = {
        role: Verdict(score=score, threshold=at[role], trusted=score >= at[role], scorer=SCORERS[role])
        for role, score in scores.items()
    }
    source = next((role for role, verdict in verdicts.items() if verdict.trusted), "none")
    told = {"source": source, "status": "untrusted" if source == "none" else "answered", "verdicts": verdicts}
    known = {"id": f"dec_{number}", "route": "docs", "caller": None, "time": 1000.0 + number, "seconds": 0.1}
    return Decision(**{**known, "question": "0" * 64, "reason": "", **told, **fields})


def put(log, *decisions):
    for decision in decisions:
        log.put(decision)
    log.store.flush()


def say(log, number, *, right, at=None):
    log.give(Feedback(decision=f"dec_{number}", right=right, time=at or 5000.0 + number)).result()


def traffic(calibration, n, seed=0):
    random = np.random.default_rng(seed)
    for number, local in enumerate(random.random(n)):
        kept = local >= calibration.local.threshold
        yield decided(calibration, number, float(local), None if kept else float(random.random()))


def test_a_log_that_grows_tells_what_one_that_is_read_at_once_tells(log, calibration):
    growing, random = Watch(log, calibration, route="docs"), np.random.default_rng(1)
    decisions = list(traffic(calibration, 60))
    for begin in range(0, 60, 20):
        put(log, *decisions[begin : begin + 20])
        for number in range(begin // 2, begin):  # what is said of a decision comes later, maybe in another order
            if random.random() < 0.5 and f"dec_{number}" not in log.feedback():
                say(log, number, right=bool(random.random() < 0.8))
        growing.read()
    report = growing.read()
    assert str(report) == str(watch(log, calibration, route="docs"))
    assert report.questions == 60
    assert sum(report.labelled.values()) == len(log.feedback()) > 10
    rate, risk = (next(p for p in report.promises if p.target == name) for name in ("remote_rate", "risk"))
    assert rate.questions == 60
    assert 0 < risk.questions < 60
    assert growing.read() == report


def test_a_promise_that_is_broken_is_said_to_be_also_by_whoever_reads_the_log_anew(log, calibration):
    put(log, *(decided(calibration, number, 1.0) for number in range(80)))
    growing = Watch(log, calibration)
    for number in range(80):
        say(log, number, right=number % 3 == 0)
    found = growing.read()
    assert found.broken
    assert {found.said(promise) for promise in found.promises} == {"BROKEN", "kept so far"}
    assert watch(log, calibration) == found


def test_what_is_corrected_or_taken_back_counts_as_it_stands_then(log, calibration):
    put(log, *(decided(calibration, number, 1.0) for number in range(3)))
    growing = Watch(log, calibration)

    def wrong():
        return next(p for p in growing.read().promises if p.target == "risk").value

    say(log, 0, right=False)
    say(log, 1, right=True)
    assert wrong() == 0.5
    say(log, 0, right=True, at=6000.0)
    assert wrong() == 0.0
    log.revoke("dec_1").result()
    say(log, 2, right=False)
    assert wrong() == 0.5


def test_only_what_the_calibration_decided_and_promises_counts(log, calibration):
    other = {"local": 0.123, "remote": 0.5}
    withheld = {"error": "RemoteWithheldError: the cap", "source": "local", "status": "answered"}
    failed = {"verdicts": {}, "status": "failed", "source": "none", "stages": {"remote": 1.0}}
    put(
        log,
        decided(calibration, 0, 1.0),
        decided(calibration, 1, 1.0, at=other),
        decided(calibration, 2, 0.0, **withheld),
        decided(calibration, 3, 0.0).model_copy(update={**failed, "calibration": calibration.digest}),
        decided(calibration, 4, 1.0, route="others"),
    )
    for number in (0, 1, 2, 4):
        say(log, number, right=False)
    found = watch(log, calibration, route="docs")
    told = {promise.target: (promise.questions, promise.value) for promise in found.promises}
    assert told == {"risk": (1, 1.0), "remote_rate": (3, pytest.approx(2 / 3))}
    assert (found.decided, found.labelled) == ({"kept": 1}, {"kept": 1})


def test_without_a_price_nothing_is_said_of_a_budget(log):
    outcomes = replace(drawn(900), remote_cost=np.full(900, 0.001), max_call_cost=0.002)
    names = {f"{role}_scorer": name for role, name in SCORERS.items()}
    made = calibrate(outcomes, budget=0.9, confidence=0.9, **names)
    put(log, decided(made, 0, 1.0), decided(made, 1, 0.0, 1.0))
    found = watch(log, made)
    assert [found.said(promise) for promise in found.promises] == ["not known yet"]
    put(log, decided(made, 2, 0.0, 1.0, currency="EUR", cost=0.0015, always_remote=0.0015))
    assert watch(log, made).promises[0].value == pytest.approx(1.5)


def test_what_feedback_can_never_tell_is_said_to_be_so(log):
    names = {f"{role}_scorer": name for role, name in SCORERS.items()}
    made = calibrate(drawn(1500), match_remote=0.3, confidence=0.9, **names)
    put(log, decided(made, 0, 1.0))
    say(log, 0, right=True)
    found = watch(log, made)
    assert [found.said(promise) for promise in found.promises] == [
        "feedback does not tell it: twosup check on new records does"
    ]


def test_labels_that_are_no_sample_of_the_answers_are_said_to_be_none(log, calibration):
    put(log, *(decided(calibration, number, number % 2, 1.0 - number % 2 or None) for number in range(200)))
    for number in range(1, 200, 2):
        say(log, number, right=True)
    assert "100.0% of the local ones and of 0.0% of the hosted ones" in watch(log, calibration).skew
    for number in range(0, 200, 2):
        say(log, number, right=True)
    assert watch(log, calibration).skew == ""


def test_a_calibration_that_weighs_is_refused_by_name_and_the_server_says_so(log, calibration):
    weighing = calibration.model_copy(update={"reconcile": True})
    with pytest.raises(ConfigurationError, match="early_abstention or reconcile"):
        watch(log, weighing)
    with serve(replace(route("x", calibration=weighing), sinks=(route().sinks[0], log))) as served:
        assert "They are not watched: the calibration is for early_abstention" in served.get("/").text


def test_page_and_metrics_say_what_the_log_says(log, calibration):
    put(log, *(decided(calibration, number, 1.0) for number in range(80)))
    for number in range(80):
        say(log, number, right=False)
    with serve(replace(route("x", calibration=calibration), sinks=(route().sinks[0], log))) as served:
        page, found = served.get("/").text, samples(served)
    assert "<td>BROKEN</td>" in page
    assert "has drifted by" in page
    assert found["twosup_promise", "broken", "docs", "risk"] == 1
    assert found["twosup_promise", "broken", "docs", "remote_rate"] == 0
    assert found["twosup_promise", "docs", "low", "risk"] > found["twosup_promise", "docs", "limit", "risk"]
    assert found["twosup_trust_drift", "at_least", "docs", "local"] > 0
