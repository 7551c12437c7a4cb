"""`calibrate`: what it returns, what it warns of, and what it refuses."""

from __future__ import annotations

import json
import pickle
from contextlib import suppress
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from twosup_chain import Calibration, calibrate
from twosup_chain.calibration.search import divide
from twosup_chain.calibration.targets import Budget, RemoteRate, Risk
from twosup_chain.errors import ConfigurationError, InfeasibleTargetError, InputError, RecordsError, UnknownOptionError
from twosup_chain.outcomes.outcomes import Outcomes
from twosup_chain.outcomes.price import Price


def drawn(n: int, seed: int = 0, **options) -> Outcomes:
    rng = np.random.default_rng(seed)
    local, remote = rng.random(n), rng.random(n)
    columns = {
        "local_score": local,
        "remote_score": remote,
        "local_correct": rng.random(n) < 0.4 + 0.6 * local,
        "remote_correct": rng.random(n) < 0.6 + 0.4 * remote,
        "remote_cost": np.full(n, 0.002),
        "max_call_cost": 0.002,
    }
    return Outcomes(**{**columns, **options})


def test_a_guarantee_comes_with_all_its_evidence() -> None:
    made = calibrate(
        drawn(1500),
        risk=0.15,
        remote_rate=0.9,
        confidence=0.9,
        local_scorer="answerability",
        remote_scorer="grounded",
        local_model="reader",
        remote_model="gpt",
    )
    assert (made.local.scorer, made.local.model) == ("answerability", "reader")
    assert (made.remote.scorer, made.remote.model) == ("grounded", "gpt")
    assert [(p.target, p.limit) for p in made.promises] == [("remote_rate", 0.9), ("risk", 0.15)]
    assert all(p.p_value <= 0.1 for p in made.promises)
    assert (made.method, made.confidence, made.prefer) == ("fixed sequence", 0.9, "cheapest")
    assert (made.questions, made.ordering, made.testing) == (1500, 500, 1000)
    assert made.tried == len(made.trace.local) == len(made.trace.p_value) == len(made.trace.risk)
    risk = made.estimate("risk")
    assert risk.low < risk.value < risk.high
    assert made.estimate("cost").value == pytest.approx(2 * made.estimate("remote_rate").value)
    assert [system.name for system in made.systems] == ["this setting", "local only", "hosted only"]
    assert [system.calls for system in made.systems[1:]] == [0.0, 1.0]
    assert made.systems[0].right == pytest.approx(made.estimate("accuracy").value, abs=0.03)
    assert made.systems[1].right == drawn(1500).local_correct.mean()
    (costly,) = made.warnings
    assert "by the local model alone (70." in costly


def test_estimates_are_those_of_the_questions_that_were_tested() -> None:
    outcomes = drawn(900)
    made = calibrate(outcomes, risk=0.15, confidence=0.9)
    tested = outcomes.take(np.sort(np.random.default_rng(int(outcomes.digest, 16)).permutation(900)[300:]))
    escalated = tested.local_score < made.local.threshold
    answered = ~escalated | (tested.remote_score >= made.remote.threshold)
    right = np.where(escalated, tested.remote_correct, tested.local_correct)
    assert made.estimate("remote_rate").value == pytest.approx(escalated.mean())
    assert made.estimate("coverage").value == pytest.approx(answered.mean())
    assert made.estimate("risk").value == pytest.approx(1 - right[answered].mean())
    assert made.estimate("accuracy").value == pytest.approx((right & answered).mean())
    assert made.estimate("below_remote").value == pytest.approx(
        (tested.remote_correct.sum() - (right & answered).sum()) / 600
    )


def test_without_confidence_the_choice_says_that_it_promises_nothing() -> None:
    made = calibrate(drawn(500), risk=0.15)
    assert (made.method, made.confidence) == ("plug-in", None)
    assert made.estimate("risk").value <= 0.15
    assert made.promises[0].p_value is None
    assert made.trace.p_value == ()
    assert "plug-in" in made.warnings[0]
    assert str(made).startswith("No guarantee: plug-in thresholds from 500 labelled questions")


@pytest.mark.parametrize(
    ("options", "prefer"),
    [
        ({"risk": 0.2}, "cheapest"),
        ({"match_remote": 0.1}, "cheapest"),
        ({"false_positive_rate": 0.2}, "safest"),
        ({"remote_rate": 0.5}, "accuracy"),
        ({"budget": 1.0}, "accuracy"),
        ({"risk": 0.2, "false_positive_rate": 0.5}, "cheapest"),
        ({"risk": 0.2, "prefer": "coverage"}, "coverage"),
    ],
)
def test_what_is_preferred_follows_from_the_targets_unless_it_is_said(options, prefer) -> None:
    assert calibrate(drawn(900), **options, confidence=0.9).prefer == prefer


def test_nothing_is_promised_of_a_budget_unless_the_dearest_call_is_known() -> None:
    for n in (1, 900):
        seen = drawn(n, max_call_cost=None)
        with pytest.raises(ConfigurationError, match="0.002, is not it.*: pass max_call_cost=…, or Price"):
            calibrate(seen, budget=1.0, confidence=0.9)
    assert calibrate(seen, budget=1.0).confidence is None
    assert calibrate(seen, budget=1.0, max_call_cost=0.005, confidence=0.9).max_call_cost == 0.005
    with pytest.raises(ConfigurationError, match="max_call_cost=0.001: a call in the data cost 0.002"):
        calibrate(drawn(900), budget=1.0, max_call_cost=0.001, confidence=0.9)
    with pytest.raises(ConfigurationError, match="no costs: pass price"):
        calibrate(drawn(900, remote_cost=None, max_call_cost=None), budget=1.0)


def test_a_hosted_model_that_is_asked_for_nothing_is_pointed_out() -> None:
    useless = drawn(2000, remote_correct=np.zeros(2000, dtype=bool), local_correct=np.arange(2000) % 9 > 0)
    made = calibrate(useless, risk=0.4, false_positive_rate=0.3, prefer="cheapest", confidence=0.9)
    assert made.local.threshold == 0.0
    assert "never asked" in made.warnings[0]


def test_abstaining_is_right_on_unanswerable_questions_where_that_is_asked_for() -> None:
    answerable = np.random.default_rng(9).random(900) < 0.5
    outcomes = drawn(900, answerable=answerable, remote_correct=np.zeros(900, dtype=bool))
    counted = {
        rule: calibrate(outcomes, remote_rate=0.6, confidence=0.9, abstention=rule).estimate("accuracy").value
        for rule in ("wrong", "no_answer")
    }
    assert counted["no_answer"] > counted["wrong"]


def test_an_infeasible_target_names_the_closest_setting_the_bound_and_what_would_help() -> None:
    with pytest.raises(InfeasibleTargetError) as caught:
        calibrate(drawn(60, 2), risk=0.1, confidence=0.9)
    error = caught.value
    assert 0.0 <= error.best["risk"] <= 0.1
    least, most = error.questions_needed
    assert 60 < least <= most
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(copy), vars(copy)) == (str(error), vars(error))
    for words in ("risk ≤ 0.1", "90% confidence", "60 labelled questions", "local ≥", "may be enough (", "looks=…"):
        assert words in str(error)
    assert str(error).count("90% confidence") == 1


def test_the_number_of_questions_that_is_said_to_be_needed_is_about_right() -> None:
    with pytest.raises(InfeasibleTargetError) as caught:
        calibrate(drawn(100), risk=0.12, confidence=0.9)
    least, most = caught.value.questions_needed
    passed = {least: 0, most: 0}
    for questions, seed in product(passed, range(20)):
        with suppress(InfeasibleTargetError):
            passed[questions] += bool(calibrate(drawn(questions, seed), risk=0.12, confidence=0.9))
    assert 3 <= passed[least] <= passed[most]
    assert passed[most] >= 14


def test_where_the_estimate_misses_the_limit_no_number_of_questions_is_said() -> None:
    nothing = np.zeros(300, dtype=bool)
    with pytest.raises(InfeasibleTargetError, match="the estimate itself misses the limit") as caught:
        calibrate(drawn(300, local_correct=nothing, remote_correct=nothing), risk=0.05, confidence=0.9)
    assert caught.value.questions_needed is None
    assert caught.value.abstention_bound == pytest.approx(1.0)


def test_declared_looks_share_what_the_confidence_leaves() -> None:
    once, often = (calibrate(drawn(900), risk=0.15, confidence=0.9, looks=looks) for looks in (1, 5))
    assert (once.looks, often.looks) == (1, 5)
    assert once.promises[0].p_value <= 0.1
    assert often.promises[0].p_value <= 0.02
    with pytest.raises(ConfigurationError, match="looks=0: pass how often"):
        calibrate(drawn(90), risk=0.15, looks=0)


def test_the_plug_in_choice_is_infeasible_too_where_every_estimate_is_too_high() -> None:
    nothing = np.zeros(50, dtype=bool)
    with pytest.raises(InfeasibleTargetError, match="no thresholds keep risk ≤ 0.05") as caught:
        calibrate(drawn(50, local_correct=nothing, remote_correct=nothing), risk=0.05)
    assert caught.value.best == {"risk": 1.0}


def test_the_abstention_bound_is_that_of_the_best_local_threshold() -> None:
    outcomes = Outcomes(
        local_score=np.array([0.1, 0.2, 0.8, 0.9]),
        remote_score=np.full(4, 0.5),
        local_correct=np.array([False, False, True, False]),
        remote_correct=np.array([True, False, False, False]),
    )
    assert Risk(0.2).least_abstention(outcomes) == pytest.approx((0.5 - 0.2) / 0.8)
    assert Risk(0.6).least_abstention(outcomes) is None
    assert RemoteRate(0.2).least_abstention(outcomes) is None


def test_without_questions_there_is_nothing_to_calibrate_on() -> None:
    with pytest.raises(InputError, match="no labelled question"):
        calibrate(drawn(0), risk=0.1)


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_questions_are_enough_for_what_needs_none(n) -> None:
    assert calibrate(drawn(n), remote_rate=0.5, confidence=0.9).local.threshold == 0.0
    with pytest.raises(InfeasibleTargetError):
        calibrate(drawn(n), risk=0.1, confidence=0.9)


def test_questions_that_are_all_right_need_no_hosted_model() -> None:
    every = np.ones(200, dtype=bool)
    made = calibrate(drawn(200, local_correct=every, remote_correct=every), risk=0.05, confidence=0.9)
    assert (made.local.threshold, made.estimate("coverage").value) == (0.0, 1.0)


def test_questions_that_are_all_wrong_have_no_false_positive_rate() -> None:
    nothing = np.zeros(200, dtype=bool)
    made = calibrate(
        drawn(200, local_correct=nothing, remote_correct=nothing), false_positive_rate=0.05, confidence=0.9
    )
    assert 0.0 in (made.local.threshold, made.remote.threshold)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "no target is given"),
        ({"risk": 0.1, "confidence": 0.2}, "confidence=0.2: pass a number from 0.5 to less than 1"),
        ({"risk": 0.1, "confidence": 1.0}, "confidence=1.0"),
        ({"risk": 0.1, "confidence": float("nan")}, "confidence=nan"),
        ({"risk": 0.1, "prefer": "fast"}, "prefer='fast': pass one of 'cheapest'"),
        ({"risk": 0.1, "abstention": "right"}, "abstention='right': pass one of 'wrong'"),
        ({"risk": 0.1, "missing": 0.0}, "Outcomes hold costs, scores and labels"),
        ({"risk": 0.1, "price": Price(1.0, 1.0)}, "Outcomes hold costs, scores and labels"),
    ],
)
def test_an_option_out_of_range_is_named_with_the_cure(options, words) -> None:
    with pytest.raises(ConfigurationError, match=words):
        calibrate(drawn(50), **options)


def test_targets_as_values_are_the_same_as_by_keyword() -> None:
    values = calibrate(drawn(900), targets=[Risk(0.2), Budget(2.0)], confidence=0.9)
    assert values == calibrate(drawn(900), risk=0.2, budget=2.0, confidence=0.9)


def test_the_dearest_call_of_all_questions_bounds_both_shares_of_a_search() -> None:
    dear = np.full(900, 0.001)
    dear[np.random.default_rng(0).permutation(900)[0]] = 0.9  # one that orders the search
    made = calibrate(
        drawn(900, remote_cost=dear, max_call_cost=None), risk=0.2, budget=800.0, max_call_cost=0.9, confidence=0.9
    )
    assert made.max_call_cost == 0.9
    assert made.estimate("cost").high > 1.0  # which 1,000 calls of the tested questions cost


def test_options_are_by_keyword_only() -> None:
    with pytest.raises(TypeError):
        calibrate(drawn(5), 0.1)


# -- records ----------------------------------------------------------------------------------------------------


def _line(number: int, rng: np.random.Generator) -> str:
    def prediction(model: str, scorer: str) -> dict:
        trust = rng.random()
        right = float(rng.random() < 0.5 + 0.5 * trust)
        return {
            "no_answer": False,
            "exact_match": right,
            "f1": right,
            "trust": {scorer: trust},
            "usage": {"input_tokens": 500, "output_tokens": 10},
            "model": model,
        }

    return json.dumps(
        {
            "version": 1,
            "id": str(number),
            "digest": f"{number:016x}",
            "answerable": True,
            "local": prediction("reader-1", "answerability"),
            "remote": prediction("gpt-1", "grounded"),
        }
    )


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "records.jsonl"
    rng = np.random.default_rng(0)
    path.write_text("".join(_line(number, rng) + "\n" for number in range(600)))
    return path


SCORERS = {"local_scorer": "answerability", "remote_scorer": "grounded"}


def test_records_bring_scorers_models_costs_and_a_digest(records, tmp_path) -> None:
    made = calibrate(records, risk=0.25, confidence=0.9, price=Price(1.0, 10.0, "EUR"), missing=0.0, **SCORERS)
    assert (made.local.model, made.remote.model, made.remote.missing) == ("reader-1", "gpt-1", 0.0)
    assert (made.currency, made.correct, made.max_call_cost) == ("EUR", "exact match", pytest.approx(0.0006))
    halves = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    lines = records.read_text().splitlines(keepends=True)
    halves[0].write_text("".join(lines[300:]))
    halves[1].write_text("".join(lines[:300]))
    assert calibrate(halves, remote_rate=0.5, **SCORERS).digest == made.digest
    assert calibrate(records, risk=0.25, correct=("f1", 0.5), **SCORERS).correct == "token F1 ≥ 0.5"


def test_records_need_their_scorers_and_bring_their_models(records) -> None:
    with pytest.raises(ConfigurationError, match="pass local_scorer='…' and remote_scorer='…'"):
        calibrate(records, risk=0.25)
    with pytest.raises(ConfigurationError, match="leave local_model and remote_model out"):
        calibrate(records, risk=0.25, local_model="x", **SCORERS)
    with pytest.raises(UnknownOptionError, match="groundet"):
        calibrate(records, risk=0.25, local_scorer="answerability", remote_scorer="groundet")


def test_broken_records_are_named(records) -> None:
    records.write_bytes(records.read_bytes()[:-50])
    with pytest.raises(RecordsError, match="600"):
        calibrate(records, risk=0.25, **SCORERS)
    with pytest.raises(RecordsError):
        calibrate(records.with_name("none.jsonl"), risk=0.25, **SCORERS)


def test_a_calibration_is_the_same_for_the_same_data() -> None:
    one, other = (calibrate(drawn(600), risk=0.2, confidence=0.9) for _ in range(2))
    assert one == other
    assert isinstance(one, Calibration)
    assert calibrate(drawn(600, 1), risk=0.2, confidence=0.9).digest != one.digest


def test_the_division_follows_from_the_data_so_that_nobody_can_try_seeds() -> None:
    with pytest.raises(TypeError, match="seed"):
        calibrate(drawn(600), risk=0.2, confidence=0.9, seed=1)
    assert calibrate(drawn(600), risk=0.2, confidence=0.9).seed is None


def test_outcomes_that_were_weighed_are_for_a_chain_that_weighs() -> None:
    weighed = drawn(600, remote_chosen=np.ones(600, np.int8))
    with pytest.raises(ConfigurationError, match="pass reconcile=True"):
        calibrate(weighed, risk=0.2)
    assert calibrate(weighed, risk=0.2, reconcile=True).reconcile
    assert not calibrate(drawn(600, remote_chosen=np.zeros(600, np.int8)), risk=0.2).reconcile


def test_a_grid_leaves_a_trace_of_the_chosen_remote_threshold() -> None:
    made = calibrate(drawn(3000), remote_rate=0.5, confidence=0.9)
    assert made.tried > 1000
    assert len(made.trace.local) <= 257
    assert set(made.trace.remote) == {made.remote.threshold}
    assert made.local.threshold in made.trace.local


def test_equal_questions_under_several_ids_are_refused(records) -> None:
    lines = records.read_text().splitlines(keepends=True)
    copy = json.loads(lines[5]) | {"id": "copy"}
    records.write_text("".join(lines) + json.dumps(copy) + "\n")
    with pytest.raises(InputError, match=r"1 of these 601 questions repeat another one, as '(copy|5)' does"):
        calibrate(records, risk=0.25, **SCORERS)


def test_of_small_passages_one_question_tests_and_of_large_ones_all_and_none_is_divided() -> None:
    for size, tested, passages in ((2, 300, None), (3, 600, 200)):
        on = drawn(900, passage=np.arange(900, dtype=np.uint64) // size)
        made = calibrate(on, risk=0.2, confidence=0.9)
        assert (made.questions, made.ordering, made.testing, made.passages) == (900, 300, tested, passages)
        assert ("600 on 200 passages, which count alike, tested" in made.heading) == (passages is not None)
        first, second = divide(on, 0)
        assert not set(first.passage.tolist()) & set(second.passage.tolist())
    kept = divide(on, 0, order=drawn(60, 1, passage=np.arange(60, dtype=np.uint64)))[1]
    assert kept.passage.min() == 60


def test_failed_calls_count_as_the_chain_treats_them() -> None:
    failed = np.random.default_rng(3).random((2, 900)) < 0.2
    data = drawn(900)
    right = {"local_correct": data.local_correct & ~failed[0], "remote_correct": data.remote_correct & ~failed[1]}
    data = replace(data, local_failed=failed[0], remote_failed=failed[1], **right)
    open_, local = (calibrate(data, remote_rate=0.5, on_remote_error=policy) for policy in ("no_answer", "local"))
    assert open_.estimate("remote_rate").value >= failed[0].mean()
    assert open_.estimate("coverage").value < local.estimate("coverage").value
    assert (open_.on_remote_error, local.on_remote_error) == ("no_answer", "local")
    with pytest.raises(InfeasibleTargetError):
        calibrate(data, remote_rate=0.15, confidence=0.9)  # a fifth is asked at every threshold
    assert "nothing is promised of it" in calibrate(data, remote_rate=0.5, confidence=0.9, fallback=True).warnings[0]
