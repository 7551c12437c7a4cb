"""The bootstrap: right coverage, reproducible, and honest where a statistic does not exist."""

from __future__ import annotations

import numpy as np
import pytest

from twosup_chain.curves import accuracy_by_cutoff, auroc, bootstrap
from twosup_chain.errors import InputError


def test_the_interval_of_a_mean_is_the_normal_one():
    values = np.random.default_rng(0).normal(size=2000)
    found = bootstrap(np.mean, values, draws=2000)
    assert found.value == values.mean()
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - 1.96 * values.std() / 2000**0.5, values.mean() + 1.96 * values.std() / 2000**0.5), abs=0.004
    )


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(1)
    covered = 0
    for seed in range(200):
        low, high = bootstrap(np.mean, rng.random(200) < 0.3, draws=150, confidence=0.8, seed=seed)[1:]
        covered += low <= 0.3 <= high
    assert 0.8 * 200 - 3.5 * (200 * 0.16) ** 0.5 <= covered <= 0.8 * 200 + 3.5 * (200 * 0.16) ** 0.5


def test_the_same_seed_gives_the_same_interval_whatever_the_order_of_the_rows():
    score = np.random.default_rng(2).random(100)
    correct = score > 0.4
    back = score[::-1], correct[::-1]
    one, other = bootstrap(auroc, score, correct, draws=50, seed=3), bootstrap(auroc, *back, draws=50, seed=3)
    assert one == other
    values = score + correct
    assert bootstrap(np.mean, values, draws=50, seed=3) != bootstrap(np.mean, values, draws=50, seed=4)


def test_rows_stay_together():
    score = np.random.default_rng(2).random(50)
    found = bootstrap(lambda a, b: np.abs(a - b).max(), score, score.copy(), draws=20)
    assert found == (0.0, 0.0, 0.0)


def test_a_curve_gets_a_band():
    score = np.linspace(0, 1, 200)
    band = bootstrap(lambda *c: accuracy_by_cutoff(*c, [0, 0.5, 1]), score, score > 0.5, score < 0.9, draws=100)
    assert band.value.shape == band.low.shape == band.high.shape == (3,)
    assert (band.low <= band.value).all()
    assert (band.value <= band.high).all()


def test_draws_without_the_statistic_are_left_out():
    rare = np.arange(30) == 0
    found = bootstrap(auroc, np.arange(30.0), rare, draws=200)
    assert found.value == 0.0
    assert (found.low, found.high) == (0.0, 0.0)
    never = bootstrap(auroc, np.arange(30.0), np.zeros(30), draws=5)
    assert np.isnan(never).all()


@pytest.mark.parametrize(
    ("columns", "options"),
    [
        ([], {}),
        ([[]], {}),
        ([[1, 2], [1]], {}),
        ([[1, 2]], {"draws": 0}),
        ([[1, 2]], {"confidence": 1.0}),
        ([[1, 2]], {"confidence": float("nan")}),
    ],
)
def test_what_cannot_be_resampled_is_refused(columns, options):
    with pytest.raises(InputError):
        bootstrap(lambda *c: len(c), *columns, **options)
