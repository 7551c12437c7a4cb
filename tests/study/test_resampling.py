"""Intervals come from whole groups, and are those of the plain bootstrap where each group is one question."""

from __future__ import annotations

import numpy as np
import pytest
from study.resampling import Resamples


def test_a_draw_holds_whole_groups() -> None:
    groups = np.array(["a", "b", "a", "c", "b", "a"])
    for rows in Resamples(groups, draws=20).indices:
        times = np.bincount(rows, minlength=6)
        assert times[0] == times[2] == times[5]
        assert times[1] == times[4]
        assert times[0] + times[1] + times[3] == 3


def test_the_fast_mean_is_that_of_the_drawn_rows() -> None:
    rng = np.random.default_rng(1)
    groups, values = rng.integers(0, 9, 60).astype(str), rng.random(60)
    resamples = Resamples(groups, draws=200)
    assert resamples.mean(values) == pytest.approx(resamples.of(lambda rows: float(values[rows].mean())))


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(2).normal(size=2000)
    found = Resamples(np.arange(2000).astype(str), draws=2000).mean(values)
    assert (found.high - found.low) == pytest.approx(2 * 1.96 / np.sqrt(2000), rel=0.1)


def test_clusters_of_equal_values_widen_the_interval() -> None:
    values = np.repeat(np.random.default_rng(3).normal(size=100), 10)
    single = Resamples(np.arange(1000).astype(str), draws=500).mean(values)
    whole = Resamples(np.repeat(np.arange(100), 10).astype(str), draws=500).mean(values)
    assert (whole.high - whole.low) > 2 * (single.high - single.low)


def test_questions_without_a_value_are_left_out() -> None:
    values = np.array([1.0, np.nan, 0.0, np.nan])
    assert Resamples(np.arange(4).astype(str), draws=50).mean(values).value == 0.5
