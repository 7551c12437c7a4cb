"""The figures of a study on recordings made by hand, and at their edges."""

from __future__ import annotations

import json

import numpy as np
import pytest

from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.paper import Recording, replicate

KEYS = {"n", "local_only", "remote_only", "auc_rac", "points", "table", "latency", "aurc", "augrc"}


def recording(score, correct, seconds=None):
    return Recording(
        score=np.array(score, dtype=float),
        correct=np.array(correct, dtype=bool),
        seconds=None if seconds is None else np.array(seconds, dtype=float),
    )


# The curve is 1/4, 2/4, 3/4, 2/4, 2/4: even at 0.25, best at 0.5.
LOCAL = recording([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 0], [1.0, 1.0, 1.0, np.nan])
REMOTE = recording([0.4, 0.3, 0.2, 0.1], [1, 1, 0, 0], [4.0, 4.0, 4.0, 4.0])


def test_the_figures_by_hand():
    found = replicate(LOCAL, REMOTE, target_fprs=[0.01])
    assert (found.n, found.local_only, found.remote_only) == (4, 0.25, 0.5)
    assert found.auc_rac == pytest.approx((0.5 - 0.25) / 0.25)
    assert [(p.name, p.cutoff, p.accuracy) for p in found.points] == [("remote-even", 0.25, 0.5), ("best", 0.5, 0.75)]
    assert [row.row for row in found.table] == [
        "0.00 (local_baseline)",
        "0.25 (remote-even)",
        "0.50 (best)",
        "1.00 (remote_baseline)",
    ]
    assert found.aurc["remote"] == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4)
    assert found.augrc["remote"] == pytest.approx((0 + 0 + 1 / 4 + 2 / 4 / 2) / 4)


def test_the_latency_by_hand_leaves_out_times_that_were_not_recorded():
    latency = replicate(LOCAL, REMOTE).latency
    assert (latency.local_seconds, latency.remote_seconds, latency.break_even) == (1.0, 4.0, 0.75)
    assert [(p.name, p.cutoff, p.seconds, p.saving) for p in latency.points] == [
        ("remote-even", 0.25, 2.0, 0.5),
        ("best", 0.5, 3.0, 0.25),
    ]


def test_without_times_there_is_no_latency():
    bare = recording(REMOTE.score, REMOTE.correct)
    assert replicate(LOCAL, bare).latency is None
    assert replicate(LOCAL, recording(REMOTE.score, REMOTE.correct, [np.nan] * 4)).latency is None


def test_where_even_and_best_coincide_only_best_stays():
    remote = recording(REMOTE.score, [1, 1, 1, 1])
    local = recording(LOCAL.score, [0, 0, 0, 0])
    assert [p.name for p in replicate(local, remote).points] == ["best"]
    assert [p.name for p in replicate(local, remote, points=["even"]).points] == ["remote-even"]


def test_points_may_be_cutoffs_off_the_grid():
    found = replicate(LOCAL, REMOTE, points=[0.3, "best", 1], target_fprs=[0.1])
    assert [(p.name, p.cutoff, p.accuracy) for p in found.points] == [
        ("default", 0.3, 0.5),
        ("best", 0.5, 0.75),
        ("default", 1.0, 0.5),
    ]
    assert [row.row for row in found.table][1:-1] == ["0.30 (default)", "0.50 (best)", "1.00 (default)"]


def test_a_row_shows_as_many_digits_as_its_cutoff_has():
    rows = replicate(LOCAL, REMOTE, points=[0.593, 0.5, 0.05], target_fprs=[0.1]).table
    assert [row.row for row in rows][1:-1] == ["0.593 (default)", "0.50 (default)", "0.05 (default)"]


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("right", [[False, False], [True, True], [True, False], [False, True]])
def test_the_smallest_recordings_have_figures(n, right):
    local, remote = recording([0.5] * n, right[:1] * n), recording([0.5] * n, right[1:] * n)
    figures = replicate(local, remote).as_dict()
    assert (figures["local_only"], figures["remote_only"], figures["auc_rac"]) == (*map(float, right), None)
    assert figures["points"] == [{"name": "best", "cutoff": 0.0, "accuracy": float(right[0])}]
    json.dumps(figures, allow_nan=False)


def test_the_keys_are_those_that_scripts_rely_on():
    figures = replicate(LOCAL, REMOTE).as_dict()
    assert set(figures) == KEYS
    assert set(figures["points"][0]) == {"name", "cutoff", "accuracy"}
    assert set(figures["table"][0]) == {
        "target_fpr", "row", "remote_delta", "sys_delta", "sys_obj", "s_05", "s_1", "s_2",
    }  # fmt: skip
    assert set(figures["latency"]) == {"local_seconds", "remote_seconds", "break_even", "points"}
    assert figures["table"][0]["remote_delta"] is None


def test_no_question_and_misaligned_recordings_are_refused():
    with pytest.raises(InputError, match="n=0"):
        replicate(recording([], []), recording([], []))
    with pytest.raises(InputError, match="4 questions, the remote one 1"):
        replicate(LOCAL, recording([0.5], [1]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"points": ["worst"]}, "point 'worst'"),
        ({"points": [1.5]}, r"point 1\.5"),
        ({"points": [float("nan")]}, "point nan"),
        ({"target_fprs": [-0.1]}, r"target_fpr=-0\.1"),
    ],
)
def test_options_out_of_range_are_named(options, message):
    with pytest.raises(ConfigurationError, match=message):
        replicate(LOCAL, REMOTE, **options)
    with pytest.raises(InputError, match="steps=0"):
        replicate(LOCAL, REMOTE, steps=0)
