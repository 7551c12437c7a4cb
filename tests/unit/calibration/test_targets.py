"""Targets: their values by definition, their p-values at the edges, and what the options may be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twosup_chain.calibration import statistics as risk
from twosup_chain.calibration.measures import written
from twosup_chain.calibration.tally import count
from twosup_chain.calibration.targets import (
    TARGETS,
    Budget,
    MatchRemote,
    Rate,
    RemoteRate,
    Risk,
    default_preference,
    make_targets,
)
from twosup_chain.errors import ConfigurationError, UnknownOptionError
from twosup_chain.outcomes.outcomes import Outcomes

OUTCOMES = Outcomes(
    local_score=np.array([0.9, 0.8, 0.4, 0.3, 0.2]),
    remote_score=np.array([0.5, 0.5, 0.9, 0.2, 0.1]),
    local_correct=np.array([True, False, False, False, True]),
    remote_correct=np.array([True, True, True, True, False]),
    remote_cost=np.array([0.01, 0.01, 0.02, 0.04, 0.03]),
    max_call_cost=0.05,
)
#: Two kept (one wrong), three escalated: one trusted and right, two refused (one of them right).
TALLY = count(OUTCOMES, np.array([0.5]), np.array([0.3])).flat()
NOBODY_ESCALATED = count(OUTCOMES, np.array([0.0]), np.array([0.3])).flat()
NOBODY_REFUSED = count(OUTCOMES, np.array([0.5]), np.array([0.0])).flat()


def _target(**options):
    (target,) = make_targets(**options)
    return target


@pytest.mark.parametrize(
    ("options", "value", "words"),
    [
        ({"remote_rate": 0.5}, 3 / 5, "remote_rate ≤ 0.5"),
        ({"risk": 0.1}, 1 / 3, "risk ≤ 0.1"),
        ({"false_positive_rate": 0.1}, 1 / 3, "false_positive_rate ≤ 0.1"),
        ({"budget": 10}, 1000 * 0.09 / 5, "budget ≤ 10"),
        ({"match_remote": True}, 2 / 5, "accuracy ≥ remote only"),
        ({"match_remote": 0.02}, 2 / 5, "accuracy ≥ remote only − 0.02"),
    ],
)
def test_a_value_is_that_of_its_definition(options, value, words) -> None:
    target = _target(**options)
    assert target.value(TALLY).item() == pytest.approx(value)
    assert str(target) == words
    assert not target.met(TALLY).item()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"remote_rate": 0.5}, risk.binomial_p_value(3, 5, 0.5)),
        ({"risk": 0.1}, risk.binomial_p_value(1, 3, 0.1)),
        ({"false_positive_rate": 0.1}, risk.binomial_p_value(1, 3, 0.1)),
        ({"budget": 20}, risk.hoeffding_bentkus_p_value(0.09 / 5 / 0.05, 5, 0.02 / 0.05)),
        ({"match_remote": True}, risk.difference_p_value(0, 2, 5, 0.0)),
        ({"match_remote": 0.3}, risk.difference_p_value(0, 2, 5, 0.3, nuisance=0.01)),
    ],
)
def test_a_p_value_is_that_of_its_test(options, expected) -> None:
    assert _target(**options).p_value(TALLY, 0.1).item() == pytest.approx(float(expected))


@pytest.mark.parametrize("options", [{"remote_rate": 0.01}, {"false_positive_rate": 0.01}, {"budget": 0.01}])
def test_what_a_threshold_of_zero_makes_impossible_needs_no_data(options) -> None:
    target = _target(**options)
    assert target.value(NOBODY_ESCALATED) == 0.0
    assert target.p_value(NOBODY_ESCALATED, 0.1) == 0.0
    assert target.interval(NOBODY_ESCALATED, 0.95) == (0.0, 0.0)
    assert target.posterior(NOBODY_ESCALATED) == 1.0


def test_who_accepts_every_remote_answer_refuses_no_right_one() -> None:
    assert _target(false_positive_rate=0.01).p_value(NOBODY_REFUSED, 0.1) == 0.0
    assert _target(risk=0.01).p_value(NOBODY_REFUSED, 0.1) > 0.9


def test_the_risk_of_no_answers_at_all_is_unknown_and_never_certified() -> None:
    nothing = count(OUTCOMES, np.array([1.0]), np.array([1.0])).flat()
    target = _target(risk=0.5)
    assert np.isnan(target.value(nothing))
    assert not target.met(nothing)
    assert target.p_value(nothing, 0.1) == 1.0


def test_free_calls_keep_every_budget() -> None:
    free = count(
        replace(OUTCOMES, remote_cost=np.zeros(5), max_call_cost=None), np.array([0.5]), np.array([0.3])
    ).flat()
    target = Budget(0.0)
    assert target.p_value(free, 0.1) == 0.0
    assert target.interval(free, 0.95) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [({"remote_rate": 0.9}, 0.55, 0.99), ({"risk": 0.1}, 0.0, 0.2), ({"match_remote": 0.02}, 0.0, 0.2)],
)
def test_a_posterior_is_a_probability_that_fits_the_counts(options, low, high) -> None:
    assert low < _target(**options).posterior(TALLY) < high


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "no target is given"),
        ({"match_remote": False}, "no target is given"),
        ({"risk": 1.0}, "risk=1.0: pass a rate, a number from 0 to less than 1"),
        ({"risk": -0.1}, "risk=-0.1"),
        ({"risk": float("nan")}, "risk=nan"),
        ({"risk": True}, "risk=True"),
        ({"remote_rate": "half"}, "remote_rate='half'"),
        (
            {"false_positive_rate": 5},
            "false_positive_rate=5: pass a rate, a number from 0 to less than 1 .0.05 for 5 %",
        ),
        ({"match_remote": 1.5}, "match_remote=1.5: pass True or a margin"),
        ({"budget": -1.0}, "budget=-1.0: pass an amount"),
        ({"budget": float("inf")}, "budget=inf"),
    ],
)
def test_a_limit_out_of_range_is_named_with_the_cure(options, words) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make_targets(**options)


def test_keywords_are_another_way_to_write_targets() -> None:
    assert make_targets(risk=0.05, match_remote=True) == (Risk(0.05), MatchRemote())
    assert make_targets([Budget(2), RemoteRate(0.2)], risk=0.05) == (Risk(0.05), Budget(2.0), RemoteRate(0.2))


class Late(Rate):
    """Escalated questions that nobody answers."""

    name = "late_no"

    def counts(self, tally):
        return tally.n - tally.answered, tally.escalated


class Imitation(Late):
    name = "risk"


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ([Risk(0.1), Risk(0.2)], "risk is given twice"),
        ([Risk], "pass targets with their limits, such as Risk"),
        ([0.05], "targets holds 0.05"),
        ([Imitation(0.1)], "Imitation.name='risk' is the name of a packaged target"),
    ],
)
def test_what_is_no_target_is_refused_with_the_cure(targets, words) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make_targets(targets)


def test_a_misspelt_target_lists_the_good_ones() -> None:
    with pytest.raises(UnknownOptionError, match="'risks' is no target"):
        make_targets(risks=0.1)


def test_a_target_of_ones_own_is_called_by_its_name_and_has_the_tests_of_a_rate() -> None:
    late = Late(0.5)
    assert (late.label, late.measure, str(late)) == ("late no", "late_no", "late_no ≤ 0.5")
    assert late.value(TALLY).item() == pytest.approx(2 / 3)
    assert late.p_value(TALLY, 0.1).item() == pytest.approx(float(risk.binomial_p_value(2, 3, 0.5)))
    with pytest.raises(ConfigurationError, match="late_no=2: pass a rate"):
        Late(2)


def test_every_packaged_target_says_what_it_is() -> None:
    for name, target in TARGETS.items():
        made = target(0.5)
        assert made.name == name
        assert made.label
        assert made.unit in ("share", "money")
        assert np.isfinite(made.value(TALLY)).all()


def test_a_demand_for_quality_makes_the_cheapest_pair_the_best_one() -> None:
    assert default_preference([RemoteRate(0.5)]) == "accuracy"
    assert default_preference([RemoteRate(0.5), Risk(0.1)]) == "cheapest"


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.1234, "share", "12.3 %"),
        (-0.05, "share", "−5.0 %"),
        (1234.5, "money", "1,234 EUR"),
        (2.5, "number", "2.5"),
        (None, "share", "–"),
        (float("nan"), "money", "–"),
    ],
)
def test_a_value_is_written_in_its_unit(value, unit, expected) -> None:
    assert written(value, unit, "EUR") == expected
