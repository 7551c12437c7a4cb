"""The second threshold and its figures, by hand and against the quadratic scan of the definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.paper import Recording
from twosup_chain.paper.supervisors import pair, single


def recording(score, correct):
    return Recording(score=np.array(score, dtype=float), correct=np.array(correct, dtype=bool))


# Cutoff 0.5 escalates the first two questions; the remote model is right on the first and the third.
LOCAL = recording([0.1, 0.2, 0.3, 0.4], [0, 1, 1, 0])
REMOTE = recording([0.6, 0.5, 0.9, 0.2], [1, 0, 1, 1])


def test_a_pair_by_hand():
    # Right: questions 0 and 2. The threshold 0.5 rejects no right answer, 0.6 none either (0.5 was wrong).
    found = pair(LOCAL, REMOTE, 0.5, 0.0, "x")
    assert (found.remote_delta, found.sys_delta, found.sys_obj) == (0.5, 1.0, 0.5)
    assert (found.s_05, found.s_1, found.s_2) == pytest.approx((1.25 * 0.5 / 1.125, 1 / 1.5, 2.5 / 3))


def test_a_target_that_no_threshold_reaches_leaves_the_row_empty():
    found = pair(LOCAL, REMOTE, 0.5, 0.1, "x")
    values = (found.remote_delta, found.sys_delta, found.sys_obj, found.s_05, found.s_1, found.s_2)
    assert all(map(math.isnan, values))
    assert (found.target_fpr, found.row) == (0.1, "x")


def test_a_single_supervisor_accepts_above_its_threshold_only():
    # Right: 1 and 2 of the local model; the threshold 0.3 is the first to reject half of them.
    found = single(LOCAL, 0.5, "x")
    assert math.isnan(found.remote_delta)
    assert (found.sys_delta, found.sys_obj) == (0.25, 0.0)


def test_nothing_escalated_leaves_nothing_to_choose():
    assert math.isnan(pair(LOCAL, REMOTE, 0.0, 0.01, "x").sys_delta)


def test_nothing_accepted_has_no_accuracy():
    found = single(recording([0.5, 0.5], [1, 0]), 0.0, "x")
    assert (found.sys_delta, math.isnan(found.sys_obj), math.isnan(found.s_1)) == (0.0, True, True)


@pytest.mark.parametrize("n", [1, 2])
def test_no_right_prediction_has_no_false_positive_rate(n):
    wrong = recording([0.5] * n, [0] * n)
    assert math.isnan(single(wrong, 0.01, "x").sys_delta)
    assert math.isnan(pair(wrong, wrong, 1.0, 0.01, "x").sys_delta)


def slow_pair(local, remote, cutoff, target):
    """The definition, word for word: every score of R as threshold, counting over all rows each time."""
    s, n = sorted(local.score), len(local.score)
    k = int(n * cutoff)
    t = s[0] if k == 0 else s[n - 1] if k == n else s[k]
    rejected = [i for i in range(n) if local.score[i] < t]
    kept = [i for i in range(n) if i not in rejected]
    for tau in sorted(remote.score[i] for i in rejected):
        fp = sum(bool(remote.correct[i]) and remote.score[i] < tau for i in rejected)
        tn = sum(bool(local.correct[i]) for i in kept)
        tn += sum(bool(remote.correct[i]) and remote.score[i] >= tau for i in rejected)
        if fp + tn and fp / (fp + tn) >= target:
            accepted = [i for i in rejected if remote.score[i] >= tau]
            right = sum(bool(local.correct[i]) for i in kept) + sum(bool(remote.correct[i]) for i in accepted)
            delta = sum(remote.score[i] > tau for i in rejected) / len(rejected)
            total = len(kept) + len(accepted)
            return delta, total / n, right / total
    return None


def slow_single(model, target):
    for tau in sorted(model.score):
        right = model.score[model.correct]
        if len(right) and (right < tau).sum() / len(right) >= target:
            accepted = model.score > tau
            obj = model.correct[accepted].sum() / accepted.sum() if accepted.any() else None
            return accepted.sum() / len(accepted), obj
    return None


ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans(), st.booleans()), min_size=1, max_size=40)
TARGETS = st.sampled_from([0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0])


@given(ROWS, st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 0.99, 1.0]), TARGETS)
def test_the_fast_threshold_of_a_pair_equals_the_definition(rows, cutoff, target):
    ls, rs, lc, rc = zip(*rows, strict=True)
    local, remote = recording(ls, lc), recording(rs, rc)
    found, expected = pair(local, remote, cutoff, target, "x"), slow_pair(local, remote, cutoff, target)
    if expected is None:
        assert math.isnan(found.sys_delta)
    else:
        assert (found.remote_delta, found.sys_delta, found.sys_obj) == expected


@given(ROWS, TARGETS)
def test_the_fast_threshold_of_one_model_equals_the_definition(rows, target):
    score, _, correct, _ = zip(*rows, strict=True)
    model = recording(score, correct)
    found, expected = single(model, target, "x"), slow_single(model, target)
    if expected is None:
        assert math.isnan(found.sys_delta)
    else:
        assert (found.sys_delta, None if math.isnan(found.sys_obj) else found.sys_obj) == expected
