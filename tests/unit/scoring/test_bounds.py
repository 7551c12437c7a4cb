"""A bound on a score holds whatever follows, and never rises while an answer is being written."""

from __future__ import annotations

import itertools
import math
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain import Answer, QAInput
from twosup_chain.scoring.bounds import bound_of
from twosup_chain.scoring.registry import (
    in_context,
    mean_token_probability,
    min_token_probability,
    token_probability_quantile,
)

BOUNDED = [
    min_token_probability,
    mean_token_probability,
    token_probability_quantile,
    partial(token_probability_quantile, q=0.0),
    partial(token_probability_quantile, q=0.9),
]
QUESTION = QAInput("Who?")
logprobs = st.lists(st.floats(-20.0, 0.0), min_size=1, max_size=12)


@pytest.mark.parametrize("scorer", BOUNDED)
@given(written=logprobs, following=st.lists(st.floats(-20.0, 0.0), max_size=12), spare=st.integers(0, 5))
def test_no_continuation_scores_higher_than_the_bound(scorer, written, following, spare) -> None:
    bound = bound_of(scorer)(written, len(following) + spare)
    final = scorer(QUESTION, Answer("x", token_logprobs=[*written, *following]))
    assert final <= bound * (1 + 1e-9)


@pytest.mark.parametrize("scorer", BOUNDED)
@given(written=logprobs, longest=st.integers(12, 40))
def test_the_bound_never_rises(scorer, written, longest) -> None:
    bounds = [bound_of(scorer)(written[:n], longest - n) for n in range(1, len(written) + 1)]
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in itertools.pairwise(bounds))


@pytest.mark.parametrize("scorer", BOUNDED)
@given(written=logprobs)
def test_the_bound_of_a_complete_answer_is_its_score(scorer, written) -> None:
    final = scorer(QUESTION, Answer("x", token_logprobs=written))
    assert bound_of(scorer)(written, 0) == pytest.approx(final)


def test_without_a_longest_reply_only_a_minimum_is_bounded() -> None:
    written = [math.log(0.1)] * 50
    assert bound_of(min_token_probability)(written, math.inf) == pytest.approx(0.1)
    assert bound_of(mean_token_probability)(written, math.inf) == 1.0
    assert bound_of(token_probability_quantile)(written, math.inf) == 1.0


def test_a_scorer_of_the_whole_answer_has_no_bound() -> None:
    assert bound_of(in_context) is None
    assert bound_of(lambda question, answer: 0.5) is None


def test_a_scorer_may_bring_its_own_bound() -> None:
    class Own:
        def __call__(self, question, answer, *, local=None) -> float:
            return 0.2

        def highest_score(self, logprobs, remaining) -> float:
            return 0.3

    assert bound_of(Own())([-1.0], 3) == 0.3
