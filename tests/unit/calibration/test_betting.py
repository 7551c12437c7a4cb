"""Betting: capital that cannot be expected to grow, and intervals that may be looked at any time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.calibration.betting import (
    STAKES,
    Evidence,
    bounds,
    distance_at_any_time,
    gains,
    mean_at_any_time,
    p_values,
)

SHARES = st.floats(0.0, 1.0)


@given(rate=SHARES, limit=st.floats(0.01, 1.0))
def test_a_bet_is_expected_to_gain_only_if_the_mean_exceeds_the_limit(rate, limit) -> None:
    expected = rate * gains(1.0, limit) + (1.0 - rate) * gains(0.0, limit)
    assert np.all((expected <= 1.0 + 1e-12) == (rate <= limit + 1e-12)) or abs(rate - limit) < 1e-9


@given(values=st.lists(SHARES, min_size=1, max_size=40), limit=st.floats(0.01, 1.0))
def test_evidence_is_the_mixture_over_stakes_and_starts(values, limit) -> None:
    evidence = Evidence(limit)
    for value in values:
        evidence.add(value)
    starts = np.arange(1, len(values) + 1)
    factors = gains(values, limit)
    begun = [np.prod(factors[start - 1 :], axis=0).mean() / (start * (start + 1)) for start in starts]
    assert evidence.peak >= 0.999 * min(1e300, sum(begun) + 1.0 / (len(values) + 1))
    assert float(evidence.mean) == pytest.approx(np.mean(values))


@given(values=st.lists(SHARES, min_size=1, max_size=30), seed=st.integers(0, 9))
def test_the_interval_holds_the_mean_and_does_not_depend_on_the_order(values, seed) -> None:
    low, high = mean_at_any_time(values)
    assert 0.0 <= low <= np.mean(values) + 1e-9
    assert np.mean(values) - 1e-9 <= high <= 1.0
    shuffled = np.random.default_rng(seed).permutation(values)
    assert mean_at_any_time(shuffled) == pytest.approx((low, high), abs=1e-9)


def test_the_interval_shrinks_and_says_nothing_without_values() -> None:
    assert mean_at_any_time([]) == (0.0, 1.0)
    widths = [np.diff(mean_at_any_time(np.arange(n) % 10 == 0))[0] for n in (50, 500, 5_000)]
    assert widths[0] > 2 * widths[1] > 4 * widths[2]


def test_many_different_values_are_rounded_against_the_bet() -> None:
    values = np.random.default_rng(0).random(20_000)
    low, high = mean_at_any_time(values)
    few_low, few_high = mean_at_any_time(np.round(values, 3))
    assert (low, high) == pytest.approx((few_low, few_high), abs=1e-3)


def test_an_event_that_must_not_be_is_enough() -> None:
    evidence = Evidence(0.0)
    evidence.add(0.0)
    assert evidence.peak == 1.0
    evidence.add(1.0)
    assert evidence.peak > 1e6


def test_stakes_leave_something_after_a_loss() -> None:
    assert STAKES.min() > 0.0
    assert STAKES.max() < 1.0


def test_a_long_kept_promise_that_breaks_is_noticed() -> None:
    rng = np.random.default_rng(0)
    evidence = Evidence(0.1)
    for value in rng.random(20_000) < 0.05:
        evidence.add(value)
    assert evidence.peak < 20.0
    for value in rng.random(300) < 0.3:
        evidence.add(value)
    assert evidence.peak > 1e3


def test_the_distance_that_chance_explains_falls_with_the_number_of_draws() -> None:
    assert distance_at_any_time(10_000, 0.05) < 0.04 < distance_at_any_time(1_000, 0.05) < 0.11


@pytest.mark.parametrize("trials", [1.0, 0.5])
@pytest.mark.parametrize("limit", [0.05, 0.2, 0.5, 0.9])
def test_a_p_value_of_means_is_valid(limit, trials) -> None:
    events = (np.arange(2**10)[:, None] >> np.arange(10)) & 1
    found = p_values(trials * events + (1.0 - trials) * limit, limit, trials)
    probability = np.prod(np.where(events, limit, 1.0 - limit), axis=1)
    for level in np.unique(found):
        assert probability[found <= level].sum() <= level + 1e-9


@given(values=st.lists(SHARES, min_size=1, max_size=30), more=SHARES, limit=st.floats(0.01, 0.99))
def test_a_p_value_grows_with_every_value(values, more, limit) -> None:
    raised = np.minimum(np.array(values) + more, 1.0)
    assert p_values(raised, limit) >= p_values(values, limit) - 1e-12
    assert p_values(np.array([values, raised]), limit).tolist() == [p_values(values, limit), p_values(raised, limit)]


def test_without_values_nothing_is_shown_and_a_limit_of_one_is_always_kept() -> None:
    assert p_values(np.empty((2, 0)), 0.5).tolist() == [1.0, 1.0]
    assert p_values([1.0, 1.0], 1.0) == 0.0
    assert p_values([0.0] * 100, 0.0) == 1.0


def test_the_bounds_of_a_ratio_hold_it_as_often_as_they_say() -> None:
    rng, missed = np.random.default_rng(0), 0
    for _ in range(200):
        trials = rng.random(60)
        low, high = bounds(trials * (rng.random(60) < 0.25), trials, 0.8)
        missed += not low <= 0.25 <= high
    assert missed / 200 <= 0.2
