"""`Sample`: what single questions, and whole passages, show of a target."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twosup_chain._options import NEVER
from twosup_chain.calibration.betting import p_values
from twosup_chain.calibration.sample import Sample
from twosup_chain.calibration.search import divide
from twosup_chain.calibration.tally import count, count_each
from twosup_chain.calibration.targets import Budget, FalsePositiveRate, MatchRemote, RemoteRate, Risk, Target
from twosup_chain.outcomes.outcomes import Outcomes

TARGETS = (RemoteRate(0.6), Risk(0.4), FalsePositiveRate(0.5), Budget(3.0), MatchRemote(0.2))


def drawn(sizes, seed: int = 0, **options) -> Outcomes:
    """Questions on passages of these sizes; the fifth of the local calls fails."""
    rng, n = np.random.default_rng(seed), int(np.sum(sizes))
    failed = rng.random(n) < 0.2
    return Outcomes(
        local_score=rng.integers(0, 6, n) / 5.0,
        remote_score=rng.integers(0, 6, n) / 5.0,
        local_correct=(rng.random(n) < 0.7) & ~failed,
        remote_correct=rng.random(n) < 0.8,
        remote_cost=rng.random(n) * 0.01,
        max_call_cost=0.01,
        local_failed=failed,
        passage=np.repeat(np.arange(len(sizes), dtype=np.uint64), sizes),
        **options,
    )


def sample(outcomes: Outcomes, *targets: Target, seed: int = 0) -> Sample:
    return Sample.of(outcomes, targets, seed=seed, abstention="wrong")


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_passages_are_tested_by_their_mean_values_and_what_is_no_trial_is_the_limit(target) -> None:
    on = drawn([3, 4, 9, 5, 7] * 8)
    whole = sample(on, target)
    assert (whole.whole, whole.units, len(whole.outcomes)) == (True, 40, 224)
    grid = whole.count(np.array([0.0, 0.35, 0.8, 1.0, NEVER]), np.array([0.0, 0.6, 1.0])).flat()
    found = whole.p_value(target, grid, 0.1)
    low, high = target.span(0.01)
    for at in range(len(found)):
        values = target.value(count_each(on, grid.local[at], grid.remote[at]))
        trial = ~np.isnan(values)
        filled = np.where(trial, values, target.limit)
        order = np.argsort(np.random.default_rng(0).permutation(40))
        means, trials = (
            np.array([column[on.passage == passage].mean() for passage in order])
            for column in ((filled - low) / (high - low), trial)
        )
        expected = p_values(means, (target.limit - low) / (high - low), trials)
        certain = bool(np.broadcast_to(target.certain(grid), found.shape)[at])
        assert found[at] == pytest.approx(0.0 if certain else float(expected), rel=1e-6)


def test_every_passage_counts_alike_in_values_and_their_intervals_hold_them() -> None:
    on = drawn([3] * 30 + [12] * 10)
    whole = sample(on, Risk(0.4))
    tally = whole.count(np.array([0.5]), np.array([0.5])).flat()
    each = count_each(on, 0.5, 0.5)
    size = np.bincount(on.passage.astype(int))[on.passage.astype(int)]
    wrong, answered = (np.sum(column / size) for column in (each.wrong, each.answered))
    assert Risk(0.4).value(tally).item() == pytest.approx(wrong / answered)
    for target in TARGETS:
        low, high = whole.interval(target, tally, 0.95)
        assert low < target.value(tally).item() < high
    assert whole.interval(RemoteRate(0.5), whole.count(np.array([NEVER]), np.zeros(1)).flat(), 0.95)[1] == 1.0


def test_sizes_and_limits_choose_what_tests() -> None:
    assert sample(drawn([3] * 40), Risk(0.4)).whole
    assert not sample(drawn([2] * 60), Risk(0.4)).whole  # too small
    assert not sample(drawn([1] * 40 + [99]), Risk(0.4)).whole  # but for one
    assert not sample(drawn([3] * 40), Risk(0.2)).whole  # 24 events would make up the limit
    assert not sample(drawn([3] * 40), Risk(0.4), RemoteRate(0.1)).whole
    assert not sample(replace(drawn([3] * 40), passage=None), Risk(0.4)).whole
    one = sample(drawn([2] * 60), Risk(0.4))
    assert one.units == len(one.outcomes) == len(np.unique(one.outcomes.passage)) == 60
    exact = one.count(np.array([0.5]), np.array([0.5]))
    assert one.p_value(Risk(0.4), exact, 0.1) == Risk(0.4).p_value(exact, 0.1)


def test_the_rule_reads_neither_labels_nor_scores() -> None:
    on = drawn([5] * 30)
    other = drawn([5] * 30, seed=1)
    first, second = (sample(outcomes, Risk(0.4)) for outcomes in (on, other))
    assert (first.whole, first.units) == (second.whole, second.units)


def test_a_division_draws_passages_and_not_the_larger_ones_rather() -> None:
    on = drawn([1, 20] * 30)
    large = [
        np.mean(np.bincount(divide(on, seed)[0].passage.astype(int), minlength=60)[1::2] > 0) for seed in range(60)
    ]
    assert np.mean(large) == pytest.approx(1 / 3, abs=0.05)


def test_weighed_counts_are_those_of_repeated_questions() -> None:
    on = replace(drawn([4] * 20), passage=None)
    thresholds = np.array([0.0, 0.4, NEVER]), np.array([0.0, 0.6])
    weights = np.random.default_rng(0).integers(1, 4, len(on))
    weighed = count(on, *thresholds, weights=weights)
    repeated = count(on.take(np.repeat(np.arange(len(on)), weights)), *thresholds)
    for name in ("n", "escalated", "answered", "wrong", "refused_right", "wins", "losses", "successes"):
        np.testing.assert_allclose(getattr(weighed, name), getattr(repeated, name))
    np.testing.assert_allclose(weighed.cost, repeated.cost)


def test_counts_that_are_zero_are_zero_however_they_are_weighed() -> None:
    on = drawn([3, 7] * 40)
    right = replace(on, local_correct=~on.local_failed, remote_correct=np.ones(len(on), np.bool_))
    tally = sample(right, Risk(0.4)).count(np.unique(on.local_score), np.unique(on.remote_score))
    assert not tally.wrong.any()


def test_a_budget_is_tested_by_bets_on_single_costs_unless_there_are_very_many() -> None:
    budget = Budget(3.0)
    for n, bets in ((400, True), (20_001, False)):
        single = sample(replace(drawn([n]), passage=None), budget)
        tally = single.count(np.array([0.3]), np.zeros(1))
        shares = count_each(single.outcomes, 0.3, 0.0).cost / 0.01
        order = np.argsort(np.random.default_rng(0).permutation(n))
        expected = p_values(shares[order], 0.3) if bets else budget.p_value(tally, 0.1)
        assert single.p_value(budget, tally, 0.1).item() == pytest.approx(np.asarray(expected).item())
        assert single.p_value(Risk(0.4), tally, 0.1) == Risk(0.4).p_value(tally, 0.1)
