"""The search: which pairs it tries, that labels do not divide the questions, and which of the good pairs it takes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain._options import NEVER
from twosup_chain.calibration.search import find, ranks, worst_p_value
from twosup_chain.calibration.tally import count
from twosup_chain.calibration.targets import make_targets
from twosup_chain.outcomes.outcomes import Outcomes


def drawn(n: int, seed: int = 0) -> Outcomes:
    rng = np.random.default_rng(seed)
    local, remote = rng.random(n), rng.random(n)
    return Outcomes(
        local_score=local,
        remote_score=remote,
        local_correct=rng.random(n) < 0.4 + 0.6 * local,
        remote_correct=rng.random(n) < 0.6 + 0.4 * remote,
        remote_cost=rng.random(n) / 100,
    )


RISK = make_targets(risk=0.15)


def test_every_accepted_pair_passes_its_tests_and_stands_before_the_first_failure() -> None:
    found = find(drawn(1500), RISK, confidence=0.9, prefer="cheapest")
    assert found.method == "fixed sequence"
    assert (found.ordering, found.testing) == (500, 1000)
    passed = int(found.accepted.sum())
    assert 0 < passed < len(found.accepted)
    assert found.accepted[:passed].all()
    assert (found.p_values[:passed] <= 0.1).all()
    assert found.p_values[passed] > 0.1
    assert np.array_equal(found.p_values, worst_p_value(found.tried, RISK, 0.1))


def test_the_best_pair_is_the_preferred_one_of_those_accepted() -> None:
    for prefer, best in {
        "cheapest": lambda t: t.escalated.min(),
        "coverage": lambda t: t.answered.max(),
        "accuracy": lambda t: t.successes.max(),
        "safest": lambda t: (t.wrong / t.answered).min(),
    }.items():
        found = find(drawn(1500), RISK, confidence=0.9, prefer=prefer)
        accepted = found.tried.pairs(np.flatnonzero(found.accepted))
        measured = {
            "cheapest": found.chosen.escalated,
            "coverage": found.chosen.answered,
            "accuracy": found.chosen.successes,
            "safest": found.chosen.wrong / found.chosen.answered,
        }
        assert measured[prefer].item() == best(accepted)


def test_equals_in_the_first_respect_are_told_apart_by_the_second() -> None:
    tally = count(drawn(50), np.array([0.2, 0.6]), np.array([0.0, 0.5])).flat()
    assert ranks(tally, "cheapest").tolist() == [0, 1, 2, 3]
    assert ranks(tally, "coverage")[[0, 2]].tolist() == [0, 1]  # both answer everything; the first asks less


def test_the_questions_that_are_tested_do_not_depend_on_labels_or_scores() -> None:
    outcomes = drawn(300)
    flipped = Outcomes(
        local_score=outcomes.local_score,
        remote_score=outcomes.remote_score,
        local_correct=~outcomes.local_correct,
        remote_correct=~outcomes.remote_correct,
    )
    target = make_targets(risk=0.9)
    one, other = (find(o, target, confidence=0.9, prefer="coverage") for o in (outcomes, flipped))
    both = np.array([0.0]), np.array([0.0])
    order = np.random.default_rng(0).permutation(300)[100:]
    for found, source in ((one, outcomes), (other, flipped)):
        everything = count(source.take(np.sort(order)), *both).flat()
        if found.tried.local[0] == 0.0:
            assert found.tried.wrong[0] == everything.wrong[0]
    assert one.testing == other.testing == 200


def test_the_same_data_and_seed_give_the_same_thresholds_and_another_seed_another_division() -> None:
    pairs = [find(drawn(900), RISK, confidence=0.9, prefer="cheapest", seed=seed).chosen for seed in (1, 1, 2)]
    assert pairs[0].local == pairs[1].local
    assert pairs[0].wrong != pairs[2].wrong


def test_targets_that_grow_with_the_local_threshold_use_all_questions() -> None:
    targets = make_targets(remote_rate=0.5, budget=4.0)
    found = find(drawn(800), targets, confidence=0.9, prefer="accuracy")
    assert (found.method, found.ordering, found.testing) == ("nested", 0, 800)
    assert all(target.met(found.chosen) for target in targets)


def test_a_nested_target_is_exhausted_up_to_the_last_question_that_the_test_allows() -> None:
    outcomes = Outcomes(
        local_score=np.linspace(0.01, 0.99, 200),
        remote_score=np.full(200, 0.5),
        local_correct=np.zeros(200, dtype=bool),
        remote_correct=np.ones(200, dtype=bool),
    )
    (target,) = make_targets(remote_rate=0.5)
    found = find(outcomes, [target], confidence=0.9, prefer="accuracy")
    assert found.chosen.escalated == 90  # P(Binomial(200, 1/2) ≤ 90) = 0.089, ≤ 91: 0.115


@pytest.mark.parametrize("n", [0, 1, 2, 3])
@pytest.mark.parametrize("confidence", [None, 0.9])
@pytest.mark.parametrize("options", [{"risk": 0.1}, {"risk": 0.1, "match_remote": True}])
def test_a_handful_of_questions_is_no_evidence(n, confidence, options) -> None:
    found = find(drawn(n), make_targets(**options), confidence=confidence, prefer="cheapest")
    if confidence:
        assert found.best is None


@pytest.mark.parametrize("options", [{"remote_rate": 0.1}, {"false_positive_rate": 0.1}])
def test_what_never_asking_keeps_is_kept_without_any_data(options) -> None:
    found = find(drawn(0), make_targets(**options), confidence=0.9, prefer="accuracy")
    assert 0.0 in (found.chosen.local.item(), found.chosen.remote.item())


@pytest.mark.parametrize("margin", [True, 0.1])
def test_what_always_asking_keeps_is_kept_without_any_data(margin) -> None:
    found = find(drawn(3), make_targets(match_remote=margin), confidence=0.9, prefer="cheapest")
    assert (found.chosen.local.item(), found.chosen.remote.item()) == (NEVER, 0.0)
    assert found.chosen.escalated == found.chosen.answered == found.testing


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_scores_that_are_all_alike_leave_all_or_nothing(score) -> None:
    n = 400
    same = Outcomes(
        local_score=np.full(n, score),
        remote_score=np.full(n, score),
        local_correct=np.arange(n) % 50 > 0,
        remote_correct=np.arange(n) % 50 > 0,
    )
    found = find(same, make_targets(risk=0.05), confidence=0.9, prefer="cheapest")
    assert found.chosen.escalated == 0
    assert found.chosen.answered == found.testing


@given(st.integers(0, 120), st.integers(0, 3), st.sampled_from([0, 2, 1000]), st.floats(0.5, 0.99))
def test_whatever_the_data_an_accepted_pair_has_passed_every_test(n, seed, levels, confidence) -> None:
    outcomes = drawn(n, seed)
    if levels:
        columns = {"local_score": outcomes.local_score, "remote_score": outcomes.remote_score}
        rounded = {name: np.round(column * levels) / levels for name, column in columns.items()}
        outcomes = Outcomes(**rounded, local_correct=outcomes.local_correct, remote_correct=outcomes.remote_correct)
    targets = make_targets(risk=0.3, remote_rate=0.8)
    found = find(outcomes, targets, confidence=confidence, prefer="cheapest")
    level = 1.0 - confidence
    if found.best is not None:
        assert all(target.p_value(found.chosen, level).item() <= level for target in targets)


def test_with_a_margin_that_the_labels_suffice_for_local_thresholds_are_tried_from_the_top() -> None:
    outcomes, targets = drawn(400), make_targets(match_remote=0.05)
    found = find(outcomes, targets, confidence=0.9, prefer="cheapest")
    assert (found.method, found.ordering, found.tested.outcomes) == ("from the top", 0, outcomes)
    assert (np.diff(found.tried.local) < 0).all()
    assert set(found.tried.local[1:]) == set(outcomes.local_score)
    assert found.best == int(found.accepted.sum()) - 1
    assert found.p_values[found.best + 1] > 0.1
    assert not found.tried.remote.any()


@pytest.mark.parametrize(
    ("margin", "n", "options"),
    [
        (0.0, 400, {}),
        (0.01, 100, {}),
        (0.05, 400, {"prefer": "safest"}),
        (0.05, 20_001, {}),
    ],
)
def test_elsewhere_a_share_of_the_questions_orders_them(margin, n, options) -> None:
    options = {"prefer": "cheapest", **options}
    assert find(drawn(n), make_targets(match_remote=margin), confidence=0.9, **options).method == "fixed sequence"
