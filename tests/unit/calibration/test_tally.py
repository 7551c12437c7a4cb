"""Counts on a grid of thresholds are those of the decision at each pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.calibration.tally import count, count_each
from twosup_chain.errors import InputError
from twosup_chain.outcomes.decisions import decide
from twosup_chain.outcomes.outcomes import Outcomes

GRID = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), min_size=1, unique=True).map(sorted)


def drawn(n: int, seed: int, **options) -> Outcomes:
    rng = np.random.default_rng(seed)
    columns = {
        "local_score": rng.integers(0, 5, n) / 4.0,
        "remote_score": rng.integers(0, 5, n) / 4.0,
        "local_correct": rng.random(n) < 0.6,
        "remote_correct": rng.random(n) < 0.7,
        "answerable": rng.random(n) < 0.5,
        "remote_cost": rng.random(n),
    }
    return Outcomes(**{**columns, **options})


def failing(o: Outcomes, seed: int) -> Outcomes:
    """A quarter of the calls fails."""
    failed = np.random.default_rng(seed + 7).random((2, len(o))) < 0.25
    right = {"local_correct": o.local_correct & ~failed[0], "remote_correct": o.remote_correct & ~failed[1]}
    return replace(o, local_failed=failed[0], remote_failed=failed[1], **right)


@given(
    st.tuples(st.integers(0, 40), st.integers(0, 5)),
    GRID,
    GRID,
    st.sampled_from(["wrong", "no_answer"]),
    st.booleans(),
    st.sampled_from(["never", "no_answer", "local"]),
)
def test_every_count_is_that_of_the_decision_at_each_pair(
    drawing, local, remote, abstention, reconciled, fails
) -> None:
    n, seed = drawing
    o = drawn(n, seed, remote_alone_correct=np.random.default_rng(seed + 9).random(n) < 0.6 if reconciled else None)
    o = o if fails == "never" else failing(o, seed)
    o = o.answering_failures_locally() if fails == "local" else o
    alone = o.hosted_correct
    if abstention == "no_answer" and o.remote_failed is not None:
        alone = alone | (o.remote_failed & ~o.answerable)
    tally = count(o, np.array(local), np.array(remote), abstention=abstention)
    assert tally.shape == (len(local), len(remote))
    for row, t1 in enumerate(local):
        for column, t2 in enumerate(remote):
            d = decide(o, t1, t2)
            well = d.right | (~d.answered & ~o.answerable if abstention == "no_answer" else False)
            last_right = np.where(d.escalated, o.remote_correct, o.local_correct)
            expected = {
                "local": t1,
                "remote": t2,
                "escalated": d.escalated.sum(),
                "answered": d.answered.sum(),
                "wrong": (d.answered & ~d.right).sum(),
                "right_predictions": last_right.sum(),
                "refused_right": (last_right & ~d.answered).sum(),
                "successes": well.sum(),
                "wins": (well & ~alone).sum(),
                "losses": (~well & alone).sum(),
                "cost": o.remote_cost[d.escalated].sum(),
                "cost_squares": (o.remote_cost[d.escalated] ** 2).sum(),
            }
            for name, value in expected.items():
                assert np.broadcast_to(getattr(tally, name), tally.shape)[row, column] == pytest.approx(value), name


def test_pairs_can_be_taken_out_flattened_and_scaled() -> None:
    tally = count(drawn(30, 0), np.array([0.0, 0.5]), np.array([0.0, 0.25, 1.0]))
    assert tally.flat().local.tolist() == [0.0, 0.0, 0.0, 0.5, 0.5, 0.5]
    picked = tally.pairs(np.array([4]))
    assert (picked.local.item(), picked.remote.item()) == (0.5, 0.25)
    twice = picked.times(2.0)
    assert (twice.n, twice.local, twice.wrong) == (60, picked.local, 2 * picked.wrong)


def test_abstentions_can_only_be_right_where_the_data_tell_which_questions_have_an_answer() -> None:
    with pytest.raises(InputError, match="abstention='no_answer'"):
        count(drawn(3, 0, answerable=None), np.array([0.5]), np.array([0.5]), abstention="no_answer")


@pytest.mark.parametrize("abstention", ["wrong", "no_answer"])
@pytest.mark.parametrize("thresholds", [(0.0, 0.0), (0.4, 0.6), (1.0, 1.0)])
def test_the_counts_of_single_questions_sum_up_to_those_of_all(abstention, thresholds) -> None:
    rng = np.random.default_rng(3)
    local, remote = rng.integers(0, 11, (2, 200)) / 10
    flags = rng.random((4, 200)) < 0.5
    outcomes = Outcomes(
        local_score=local,
        remote_score=remote,
        local_correct=flags[0],
        remote_correct=flags[1],
        answerable=flags[2],
        remote_alone_correct=flags[3],
        remote_cost=rng.random(200),
    )
    each = count_each(outcomes, *thresholds, abstention=abstention)
    together = count(outcomes, *(np.array([at]) for at in thresholds), abstention=abstention).flat()
    for name, column in each._columns():
        if name not in ("local", "remote"):
            assert column.sum() == pytest.approx(getattr(together, name).item()), name
