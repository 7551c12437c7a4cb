"""Request–accuracy and cost–accuracy curves: the paper's tie rules, the area, and the lines beside them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.curves import (
    accuracy_by_cutoff,
    auc_rac,
    cost_accuracy,
    cutoff_grid,
    request_accuracy,
    share_of_oracle_gain,
    thresholds_at,
)
from twosup_chain.errors import InputError

# Trust falls with the index; the local model is right on the trusted half, the remote one on the other and on one more.
SCORE = np.array([0.9, 0.7, 0.4, 0.2])
LOCAL = np.array([True, True, False, False])
REMOTE = np.array([False, True, True, True])

TIED = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans()), min_size=1, max_size=30)


def columns(rows):
    score, local, remote = zip(*rows, strict=True)
    return np.array(score, float), np.array(local), np.array(remote)


def slow_accuracy(score, local, remote, cutoff):
    """The definition, word for word."""
    s, n = sorted(score), len(score)
    k = int(n * cutoff)
    t = s[0] if k == 0 else s[n - 1] if k == n else s[k]
    return sum(bool(r) if a < t else bool(x) for a, x, r in zip(score, local, remote, strict=True)) / n


def best_by_trying(local, remote, chosen):
    """The best accuracy of any choice of that many questions to escalate."""
    from itertools import combinations

    n = len(local)
    return max(
        sum(bool(remote[i]) if i in some else bool(local[i]) for i in range(n)) / n
        for some in map(set, combinations(range(n), chosen))
    )


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 49, 100, 365, 1000])
def test_the_grid_is_the_papers(steps):
    assert cutoff_grid(5000, steps) == pytest.approx(np.arange(0, 1.0001, 1 / steps), abs=0, rel=3e-16)
    assert cutoff_grid(5000, steps)[-1] == pytest.approx(1.0)


def test_the_grid_has_at_most_n_steps():
    assert cutoff_grid(4).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert cutoff_grid(1).tolist() == [0.0, 1.0]


def test_a_grid_finer_than_the_papers_still_ends_at_one():
    grid = cutoff_grid(100_000, 20_000)
    assert (len(grid), grid[-1]) == (20_001, 1.0)


def test_the_threshold_is_the_score_at_index_n_times_cutoff():
    assert thresholds_at(SCORE, [0.0, 0.24, 0.25, 0.5, 0.99, 1.0]).tolist() == [0.2, 0.2, 0.4, 0.7, 0.9, 0.9]


def test_a_score_at_the_threshold_stays_local_and_cutoff_one_keeps_the_top():
    assert accuracy_by_cutoff(SCORE, LOCAL, REMOTE, [0, 0.25, 0.5, 0.75, 1]).tolist() == [0.5, 0.75, 1.0, 1.0, 1.0]
    assert request_accuracy(SCORE, LOCAL, REMOTE).remote_rate.tolist() == [0, 0.25, 0.5, 0.75, 0.75]


def test_all_ties_stay_local_at_every_cutoff():
    curve = request_accuracy(np.full(4, 0.5), LOCAL, REMOTE)
    assert curve.accuracy.tolist() == [0.5] * 5
    assert curve.remote_rate.tolist() == [0.0] * 5
    assert np.isnan(auc_rac(curve.accuracy))


@given(TIED, st.integers(1, 40))
def test_the_fast_curve_equals_the_definition(rows, steps):
    score, local, remote = columns(rows)
    grid = cutoff_grid(len(score), steps)
    expected = [slow_accuracy(score, local, remote, c) for c in grid]
    assert request_accuracy(score, local, remote, steps=steps).accuracy.tolist() == expected


@given(TIED.filter(lambda rows: len(rows) <= 9))
def test_the_oracle_is_the_best_choice_of_as_many_questions(rows):
    score, local, remote = columns(rows)
    curve = request_accuracy(score, local, remote)
    n = len(score)
    for rate, oracle in zip(curve.remote_rate, curve.oracle, strict=True):
        assert oracle == pytest.approx(best_by_trying(local, remote, round(rate * n)))
    assert (curve.accuracy <= curve.oracle + 1e-12).all()


def test_the_random_line_joins_both_models():
    curve = request_accuracy(SCORE, LOCAL, REMOTE)
    assert curve.random.tolist() == pytest.approx([0.5, 0.5625, 0.625, 0.6875, 0.6875])


def test_the_share_of_the_oracles_gain():
    assert share_of_oracle_gain(SCORE, LOCAL, REMOTE, 0.5) == 1.0
    assert share_of_oracle_gain(-SCORE, LOCAL, REMOTE, 0.5) == pytest.approx((0.25 - 0.625) / (1.0 - 0.625))
    assert np.isnan(share_of_oracle_gain(SCORE, LOCAL, REMOTE, 0.0))
    assert np.isnan(share_of_oracle_gain(SCORE, LOCAL, LOCAL, 0.5))


def test_partial_correctness_counts_by_its_amount():
    f1 = np.array([1.0, 0.5, 0.25, 0.0])
    curve = request_accuracy(SCORE, f1, np.ones(4))
    assert curve.accuracy[[0, 2]].tolist() == [0.4375, 0.875]
    assert curve.oracle.tolist() == pytest.approx([0.4375, 0.6875, 0.875, 1.0, 1.0])


def test_the_area_of_the_paper_is_a_mean_and_no_trapezoid():
    assert auc_rac([0.5, 0.75, 1.0, 1.0, 1.0]) == pytest.approx((0.85 - 0.5) / 0.5)
    assert auc_rac([0.0, 0.5, 1.0]) == 0.5
    assert auc_rac([0.0, 2.0, 1.0]) == 1.0
    assert np.isnan(auc_rac([0.5, 0.5]))


def test_cost_is_summed_over_the_escalated_questions_per_thousand():
    curve = cost_accuracy(SCORE, LOCAL, REMOTE, [0.1, 0.2, 0.3, 0.4])
    assert curve.spent.tolist() == pytest.approx([0.0, 100.0, 175.0, 225.0, 225.0])
    assert curve.random.tolist() == pytest.approx([0.5 + 0.25 * spent / 250 for spent in curve.spent])


def test_the_oracle_buys_the_cheapest_gain_first():
    # Only the last two questions gain; the cheaper of them costs 3, and the loss of the first question costs 1.
    curve = cost_accuracy(SCORE, LOCAL, REMOTE, [1.0, 1.0, 3.0, 4.0])
    assert curve.spent.tolist() == pytest.approx([0, 1000, 1750, 2000, 2000])
    assert curve.oracle.tolist() == pytest.approx([0.5, 0.75 + 0.25 / 4, 1.0, 1.0, 1.0])


@given(TIED, st.data())
def test_uniform_prices_give_the_request_accuracy_curve(rows, data):
    score, local, remote = columns(rows)
    price = data.draw(st.floats(1e-6, 1e3))
    by_rate = request_accuracy(score, local, remote)
    by_cost = cost_accuracy(score, local, remote, np.full(len(score), price))
    assert by_cost.spent == pytest.approx(1000 * price * by_rate.remote_rate)
    for name in ("accuracy", "random", "oracle"):
        assert getattr(by_cost, name) == pytest.approx(getattr(by_rate, name))


def test_free_calls_beside_paid_ones_are_the_oracles_first():
    curve = cost_accuracy(SCORE, LOCAL, REMOTE, [0.0, 1.0, 0.0, 1.0])
    assert curve.oracle[0] == 0.75


@pytest.mark.parametrize(
    ("given_columns", "message"),
    [
        (([], [], []), "local_score is empty"),
        (([0.1, np.nan], [1, 0], [1, 0]), r"local_score\[1\]=nan"),
        (([0.1, 0.2], [1], [1, 0]), r"local_correct has the shape \(1,\).*\(2,\) as local_score has"),
        ((["a"], [1], [1]), "local_score is no column of numbers"),
    ],
)
def test_columns_that_cannot_be_are_named(given_columns, message):
    with pytest.raises(InputError, match=message):
        request_accuracy(*given_columns)


def test_options_out_of_range_are_named():
    with pytest.raises(InputError, match="steps=0"):
        request_accuracy(SCORE, LOCAL, REMOTE, steps=0)
    with pytest.raises(InputError, match=r"cutoff 1\.5"):
        accuracy_by_cutoff(SCORE, LOCAL, REMOTE, [1.5])
    with pytest.raises(InputError, match="cutoff nan"):
        accuracy_by_cutoff(SCORE, LOCAL, REMOTE, [np.nan])
    with pytest.raises(InputError, match="remote_cost"):
        cost_accuracy(SCORE, LOCAL, REMOTE, [0, 0, 0, 0])
    with pytest.raises(InputError, match=r"the least is -1\.0"):
        cost_accuracy(SCORE, LOCAL, REMOTE, [1, 1, 1, -1])
