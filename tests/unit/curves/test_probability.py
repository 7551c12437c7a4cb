"""Reliability and calibration error on points counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from twosup_chain.curves import calibration_error, reliability
from twosup_chain.errors import InputError


def test_each_bin_has_its_mean_and_its_share():
    found = reliability([0.0, 0.1, 0.5, 1.0], [False, True, True, True], bins=4)
    assert found.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.questions.tolist() == [2, 0, 1, 1]
    assert found.predicted == pytest.approx([0.05, np.nan, 0.5, 1.0], nan_ok=True)
    assert found.observed == pytest.approx([0.5, np.nan, 1.0, 1.0], nan_ok=True)


@pytest.mark.parametrize("bins", [10, 15, 100])
def test_a_probability_on_an_edge_falls_into_the_bin_that_begins_there(bins):
    found = reliability(np.arange(bins) / bins, np.ones(bins, bool), bins=bins)
    assert found.questions.tolist() == [1] * bins


def test_calibration_error_is_the_mean_gap_over_the_bins():
    assert calibration_error([0.8] * 10, np.arange(10) < 8) == pytest.approx(0.0)
    assert calibration_error([0.8] * 10, np.arange(10) < 3) == pytest.approx(0.5)
    assert calibration_error([0.0, 1.0], [True, False]) == pytest.approx(1.0)
    # gaps of opposite sign cancel within a bin only
    assert calibration_error([0.1, 0.9], [True, False], bins=1) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("probability", "bins", "message"),
    [([1.5], 3, r"probability=1\.5"), ([-0.1], 3, r"probability=-0\.1"), ([0.5], 0, "bins=0"), ([], 3, "is empty")],
)
def test_what_is_no_probability_is_refused(probability, bins, message):
    with pytest.raises(InputError, match=message):
        reliability(probability, [True] * len(probability), bins=bins)
