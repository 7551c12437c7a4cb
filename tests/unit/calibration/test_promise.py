"""`check`: with what probability a calibration keeps its word on new data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from twosup_chain import calibrate, check
from twosup_chain.calibration.table import check_as_text
from twosup_chain.errors import CalibrationMismatchError, ConfigurationError, InputError, RecordsError
from twosup_chain.outcomes.outcomes import Outcomes


def drawn(n: int, seed: int, *, worse: float = 0.0, **options) -> Outcomes:
    rng = np.random.default_rng(seed)
    local, remote = rng.random(n), rng.random(n)
    columns = {
        "local_score": local,
        "remote_score": remote,
        "local_correct": rng.random(n) < 0.4 + 0.6 * local - worse,
        "remote_correct": rng.random(n) < 0.6 + 0.4 * remote - worse,
        "remote_cost": np.minimum(rng.exponential(0.002, n), 0.01),
        "max_call_cost": 0.01,
    }
    return Outcomes(**{**columns, **options})


def test_the_promise_holds_on_the_same_traffic_and_not_on_worse() -> None:
    made = calibrate(drawn(2000, 0), risk=0.15, confidence=0.9)
    assert check(made, drawn(3000, 1)).probability > 0.8
    assert check(made, drawn(3000, 2, worse=0.2)).probability < 0.01


def test_the_probability_of_a_rate_is_that_of_jeffreys_posterior() -> None:
    made = calibrate(drawn(2000, 0), risk=0.15, confidence=0.9)
    new = drawn(400, 3)
    escalated = new.local_score < made.local.threshold
    answered = ~escalated | (new.remote_score >= made.remote.threshold)
    wrong = (answered & ~np.where(escalated, new.remote_correct, new.local_correct)).sum()
    (held,) = check(made, new).targets
    assert held.estimate.value == pytest.approx(wrong / answered.sum())
    assert held.probability == pytest.approx(stats.beta(wrong + 0.5, answered.sum() - wrong + 0.5).cdf(0.15))


@pytest.mark.parametrize(
    "options", [{"budget": 0.8}, {"match_remote": 0.05}, {"remote_rate": 0.4}, {"false_positive_rate": 0.1}]
)
def test_every_target_has_a_probability_that_is_high_where_it_is_kept(options) -> None:
    made = calibrate(drawn(3000, 0), **options, confidence=0.9)
    report = check(made, drawn(3000, 4))
    assert report.questions == 3000
    assert 0.6 < report.probability <= 1.0


def test_it_prints_as_a_small_table() -> None:
    made = calibrate(drawn(2000, 0), risk=0.15, budget=2.0, confidence=0.9)
    lines = check_as_text(check(made, drawn(300, 1))).splitlines()
    assert lines[0] == "300 new labelled questions"
    assert lines[2].endswith("holds with probability")
    assert [line.split("  ")[0] for line in lines[3:]] == ["selective risk", "cost of 1,000 questions"]


def test_dearer_calls_than_ever_seen_do_not_break_the_check() -> None:
    made = calibrate(drawn(2000, 0), budget=1.0, confidence=0.9)
    dear = drawn(500, 5, remote_cost=np.full(500, 0.5), max_call_cost=None)
    assert check(made, dear).probability < 0.01


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_questions_leave_the_matter_open(n) -> None:
    made = calibrate(drawn(2000, 0), risk=0.15, confidence=0.9)
    assert 0.0 < check(made, drawn(n, 6)).probability < 0.9


def test_what_cannot_be_checked_is_refused() -> None:
    made = calibrate(drawn(2000, 0), budget=1.0, confidence=0.9)
    with pytest.raises(InputError, match="no new labelled question"):
        check(made, drawn(0, 1))
    with pytest.raises(InputError, match="no costs"):
        check(made, drawn(10, 1, remote_cost=None, max_call_cost=None))
    with pytest.raises(ConfigurationError, match="only records are read with options"):
        check(made, drawn(10, 1), correct="exact_match")
    with pytest.raises(CalibrationMismatchError, match="does not name its local scorer"):
        check(made, "records.jsonl")


def test_the_questions_that_it_was_made_from_cannot_vouch_for_it() -> None:
    made = calibrate(drawn(2000, 0), risk=0.15, confidence=0.9)
    with pytest.raises(CalibrationMismatchError, match="the questions that the calibration was made from"):
        check(made, drawn(2000, 0))


def test_what_counts_as_right_is_what_counted_then() -> None:
    names = {"local_scorer": "answerability", "remote_scorer": "grounded"}
    made = calibrate(drawn(2000, 0), risk=0.15, confidence=0.9, **names)
    strict, kind = (made.model_copy(update={"correct": rule}) for rule in ("exact match", "token F1 ≥ 0.8"))
    with pytest.raises(CalibrationMismatchError, match="counts as right: token F1 ≥ 0.8; pass the same"):
        check(kind, "records.jsonl")
    with pytest.raises(CalibrationMismatchError, match="counts as right: exact match"):
        check(strict, "records.jsonl", correct=("f1", 0.8))
    with pytest.raises(RecordsError, match=r"records\.jsonl"):
        check(kind, "records.jsonl", correct=("f1", 0.8))
