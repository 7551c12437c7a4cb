"""The statistics are exact where they say so, valid everywhere, and agree with independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special, stats

from twosup_chain.calibration import statistics as risk

RATES = st.floats(0.001, 0.999)
SIZES = st.integers(1, 60)


@given(st.data(), SIZES, RATES)
def test_the_binomial_p_value_is_the_exact_test_of_scipy(data, n, limit) -> None:
    events = data.draw(st.integers(0, n))
    expected = stats.binomtest(events, n, limit, alternative="less").pvalue
    assert risk.binomial_p_value(events, n, limit) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@given(SIZES, RATES, RATES)
def test_the_binomial_p_value_is_small_with_small_probability_wherever_the_limit_is_exceeded(n, limit, excess) -> None:
    rate = limit + (1 - limit) * excess
    events = np.arange(n + 1)
    p_values, weights = risk.binomial_p_value(events, n, limit), stats.binom.pmf(events, n, rate)
    for level in p_values:
        assert weights[p_values <= level].sum() <= level + 1e-9


@given(SIZES, RATES)
def test_p_values_grow_with_the_events_and_fall_with_the_limit(n, limit) -> None:
    events = np.arange(n + 1)
    assert np.all(np.diff(risk.binomial_p_value(events, n, limit)) >= 0)
    assert np.all(risk.binomial_p_value(events, n, limit) >= risk.binomial_p_value(events, n, min(1.0, limit * 1.1)))
    assert np.all(np.diff(risk.hoeffding_bentkus_p_value(events / n, n, limit)) >= -1e-12)


@pytest.mark.parametrize(
    ("events", "trials", "limit", "expected"),
    [
        (0, 0, 0.5, 1.0),
        (0, 10, 0.0, 1.0),
        (10, 10, 0.5, 1.0),
        (10, 10, 1.0, 0.0),
        (0, 1, 0.1, 0.9),
        (0, 45, 0.05, 0.0994),
    ],
)
def test_the_binomial_p_value_at_the_edges(events, trials, limit, expected) -> None:
    assert risk.binomial_p_value(events, trials, limit) == pytest.approx(expected, abs=1e-4)


@given(st.data(), SIZES, st.floats(0.5, 0.999))
def test_the_interval_of_a_rate_is_clopper_and_pearsons(data, n, confidence) -> None:
    events = data.draw(st.integers(0, n))
    expected = stats.binomtest(events, n).proportion_ci(confidence)
    low, high = risk.clopper_pearson(events, n, confidence)
    assert (low, high) == (pytest.approx(expected.low, abs=1e-9), pytest.approx(expected.high, abs=1e-9))


def test_the_interval_of_a_rate_without_trials_says_nothing() -> None:
    assert risk.clopper_pearson(0, 0) == (0.0, 1.0)


@given(SIZES, RATES)
def test_the_hoeffding_bentkus_p_value_is_valid_for_losses_of_zero_and_one(n, limit) -> None:
    events = np.arange(n + 1)
    p_values, weights = risk.hoeffding_bentkus_p_value(events / n, n, limit), stats.binom.pmf(events, n, limit)
    for level in p_values:
        assert weights[p_values <= level].sum() <= level + 1e-9


@pytest.mark.parametrize("shape", [(0.2, 1.8), (2.0, 18.0), (0.05, 0.45)])
def test_the_hoeffding_bentkus_p_value_is_valid_for_costs_of_every_size(shape) -> None:
    rng = np.random.default_rng(0)
    means = rng.beta(*shape, size=(20_000, 30)).mean(axis=1)
    p_values = risk.hoeffding_bentkus_p_value(means, 30, 0.1)
    for level in (0.01, 0.05, 0.1, 0.3):
        assert np.mean(p_values <= level) <= level + 0.005


def test_the_hoeffding_bentkus_p_value_is_the_lesser_of_its_two_parts() -> None:
    mean, n, limit = 0.03, 1000, 0.05
    divergence = mean * np.log(mean / limit) + (1 - mean) * np.log((1 - mean) / (1 - limit))
    expected = min(np.exp(-n * divergence), np.e * stats.binom.cdf(30, n, limit))
    assert risk.hoeffding_bentkus_p_value(mean, n, limit) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("mean", "n", "limit", "expected"),
    [(0.0, 0, 0.1, 1.0), (1.0, 10, 0.1, 1.0), (0.0, 10, 0.0, 1.0), (0.5, 10, 1.0, 0.0), (0.2, 10, 0.1, 1.0)],
)
def test_the_hoeffding_bentkus_p_value_at_the_edges(mean, n, limit, expected) -> None:
    assert risk.hoeffding_bentkus_p_value(mean, n, limit) == expected


@given(SIZES, st.floats(0.0, 1.0))
def test_the_interval_of_a_mean_holds_the_mean(n, mean) -> None:
    low, high = risk.bounded_mean_interval(mean, n)
    assert 0.0 <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= 1.0


@given(st.integers(0, 40), st.integers(0, 40))
def test_without_a_margin_the_paired_test_is_the_sign_test(wins, losses) -> None:
    assume(wins + losses > 0)
    expected = stats.binomtest(wins, wins + losses, 0.5, alternative="greater").pvalue
    assert risk.difference_p_value(wins, losses, 100, 0.0) == pytest.approx(expected, rel=1e-9)


def _outcomes(n: int, win: float, loss: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns every possible pair of counts, and its probability."""
    wins, losses = (axis.ravel() for axis in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    possible = wins + losses <= n
    wins, losses = wins[possible], losses[possible]
    counts = np.stack([wins, losses, n - wins - losses])
    shares = np.clip([win, loss, 1.0 - win - loss], 0.0, 1.0)[:, None]
    log_weights = special.gammaln(n + 1) + (special.xlogy(counts, shares) - special.gammaln(counts + 1)).sum(axis=0)
    return wins, losses, np.exp(log_weights)


@given(st.integers(1, 30), st.floats(0.0, 1.0), st.floats(-0.5, 0.5), st.floats(0.0, 1.0), st.floats(0.001, 0.1))
def test_the_paired_test_is_valid_at_every_margin_and_every_share_of_ties(n, share, margin, worse, nuisance) -> None:
    difference = -margin - worse * (1.0 - margin)  # at most -margin: the hypothesis is true
    discordant = abs(difference) + share * (1.0 - abs(difference))
    win, loss = (discordant + difference) / 2.0, (discordant - difference) / 2.0
    assume(min(win, loss) >= 0.0)
    assume(win + loss <= 1.0)
    wins, losses, weights = _outcomes(n, win, loss)
    p_values = risk.difference_p_value(wins, losses, n, margin, nuisance=nuisance)
    for level in np.quantile(p_values, [0.0, 0.1, 0.25, 0.5]):
        assert weights[p_values <= level].sum() <= level + 1e-7


def test_the_paired_test_without_a_difference_passes_where_there_is_a_margin_and_enough_questions() -> None:
    assert risk.difference_p_value(0, 0, 100, 0.1) == pytest.approx(0.01)
    assert risk.difference_p_value(0, 0, 100, 0.0) == 1.0
    assert risk.difference_p_value(0, 0, 100, -0.1) == 1.0
    assert risk.difference_p_value(50, 50, 1000, 0.05) < 0.011
    assert risk.difference_p_value(50, 100, 1000, 0.05) > 0.4


@settings(max_examples=25)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 60))
def test_the_interval_of_a_difference_holds_the_difference_and_is_symmetric(wins, losses, ties) -> None:
    n = wins + losses + ties
    assume(n > 0)
    low, high = risk.difference_interval(wins, losses, n)
    assert -1.0 <= low <= (wins - losses) / n + 1e-9
    assert (wins - losses) / n - 1e-9 <= high <= 1.0
    assert risk.difference_interval(losses, wins, n) == (pytest.approx(-high), pytest.approx(-low))


def test_the_interval_of_a_difference_covers_it_as_often_as_it_says() -> None:
    wins, losses, weights = _outcomes(12, 0.3, 0.1)
    intervals = [risk.difference_interval(won, lost, 12, 0.9) for won, lost in zip(wins, losses, strict=True)]
    covered = [low - 1e-9 <= 0.2 <= high + 1e-9 for low, high in intervals]
    assert weights[covered].sum() >= 0.9


@pytest.mark.parametrize(
    ("p_values", "rejected"), [([], 0), ([0.1], 1), ([0.2, 0.0], 0), ([0.0, 0.1, 0.11, 0.0], 2), ([np.nan, 0.0], 0)]
)
def test_a_fixed_sequence_stops_at_the_first_failure(p_values, rejected) -> None:
    assert risk.fixed_sequence(p_values, 0.1) == rejected


def test_the_posterior_of_a_rate_is_jeffreys() -> None:
    assert risk.rate_posterior(3, 50, 0.1) == pytest.approx(stats.beta(3.5, 47.5).cdf(0.1))
    assert risk.rate_posterior(0, 0, 0.5) == pytest.approx(0.5)
    assert risk.rate_posterior(5, 5, 1.0) == 1.0


def test_the_posterior_of_a_mean_grows_with_the_limit_and_is_never_sure_without_calls() -> None:
    values = [risk.mean_posterior(10.0, 4.0, 100, limit) for limit in (0.05, 0.1, 0.15)]
    assert values == sorted(values)
    assert values[0] < 0.05
    assert values[2] > 0.95
    assert 0.5 < risk.mean_posterior(0.0, 0.0, 10, 0.2) < 1.0


@pytest.mark.parametrize(("wins", "losses", "n", "margin"), [(20, 10, 100, 0.0), (5, 12, 60, 0.05), (0, 0, 30, 0.02)])
def test_the_posterior_of_a_difference_is_that_of_a_dirichlet(wins, losses, n, margin) -> None:
    drawn = np.random.default_rng(0).dirichlet([wins + 0.5, losses + 0.5, n - wins - losses + 0.5], 200_000)
    expected = np.mean(drawn[:, 0] >= drawn[:, 1] - margin)
    assert risk.difference_posterior(wins, losses, n, margin) == pytest.approx(expected, abs=0.006)
