"""`Outcomes`: failed calls, what a chain makes of them, and questions that are no independent draws."""

from __future__ import annotations

import numpy as np
import pytest

from twosup_chain.errors import InputError
from twosup_chain.outcomes.decisions import decide
from twosup_chain.outcomes.outcomes import Outcomes

NO, YES = np.zeros(4, bool), np.ones(4, bool)


def four(**options):
    columns = {
        "local_score": np.array([0.9, 0.0, 0.9, 0.2]),
        "remote_score": np.array([0.9, 0.9, 0.0, 0.0]),
        "local_correct": np.array([True, False, True, True]),
        "remote_correct": np.array([True, True, False, False]),
        "local_failed": np.array([False, True, False, False]),
        "remote_failed": np.array([False, False, True, True]),
    }
    return Outcomes(**{**columns, **options})


def test_a_failed_call_is_never_trusted_not_even_at_a_threshold_of_0():
    decisions = decide(four(), 0.0, 0.0)
    assert decisions.escalated.tolist() == [False, True, False, False]
    assert decide(four(), 0.5, 0.0).answered.tolist() == [True, True, True, False]


def test_where_the_hosted_call_fails_the_local_answer_may_be_given_as_it_stands():
    given = four().answering_failures_locally()
    decisions = decide(given, 1.0, 1.0)
    assert decisions.answered.tolist() == [False, False, True, True]
    assert decisions.right.tolist() == [False, False, True, True]
    assert given.hosted_correct.tolist() == four().remote_correct.tolist()  # the hosted model alone has failed
    both = four(local_failed=YES, local_correct=NO).answering_failures_locally()
    assert decide(both, 0.0, 0.0).answered.tolist() == [True, True, False, False]


def test_a_call_that_failed_is_not_right():
    with pytest.raises(InputError, match="local_failed and local_correct are both true"):
        four(local_failed=YES)


def test_of_each_passage_one_question_is_drawn():
    on = four(passage=np.array([7, 7, 9, 9], np.uint64))
    for seed in range(20):
        drawn = on.one_a_passage(seed)
        assert sorted(drawn.passage.tolist()) == [7, 9]
    assert {on.one_a_passage(seed).local_score[0] for seed in range(20)} == {0.9, 0.0}
    assert four().one_a_passage(0).local_score.tolist() == four().local_score.tolist()
