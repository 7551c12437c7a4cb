"""Scorers of token probabilities: which tokens count, and bounds that hold whatever follows and never rise."""

from __future__ import annotations

import itertools
import math
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain import Answer, QAInput, Supervisor
from twosup_chain.errors import MissingEvidenceError
from twosup_chain.scoring.registry import resolve
from twosup_chain.scoring.token_probability import (
    mean_token_probability,
    min_token_probability,
    token_probability_quantile,
)

QUESTION = QAInput(question="Who wrote it?", context="The notes were written by Ada Lovelace, in 1843.")
TOKEN_SCORERS = [min_token_probability, mean_token_probability, token_probability_quantile]
BOUNDED = [
    min_token_probability,
    mean_token_probability,
    token_probability_quantile,
    partial(token_probability_quantile, q=0.0),
    partial(token_probability_quantile, q=0.9),
]
logprobs = st.lists(st.floats(-20.0, 0.0), min_size=1, max_size=12)


def tokens(*pairs: tuple[str | None, float]) -> Answer:
    return Answer("x", token_logprobs=[(token, math.log(probability)) for token, probability in pairs])


def test_min_token_probability_is_that_of_the_least_sure_token() -> None:
    assert min_token_probability(QUESTION, tokens(("A", 0.9), ("da", 0.4))) == pytest.approx(0.4)


def test_mean_token_probability_is_geometric() -> None:
    assert mean_token_probability(QUESTION, tokens(("A", 0.9), ("da", 0.4))) == pytest.approx(0.6)


def test_a_quantile_lies_between_minimum_and_maximum_and_can_be_chosen() -> None:
    answer = tokens(("a", 0.1), ("b", 0.5), ("c", 0.9))
    assert token_probability_quantile(QUESTION, answer, q=0.0) == pytest.approx(0.1)
    assert token_probability_quantile(QUESTION, answer, q=0.5) == pytest.approx(0.5)
    assert token_probability_quantile(QUESTION, answer, q=1.0) == pytest.approx(0.9)
    median = Supervisor(partial(token_probability_quantile, q=0.5), threshold=0.5)
    assert median.scorer_name == "token_probability_quantile"
    assert median.judge(QUESTION, answer).score == pytest.approx(0.5)


@pytest.mark.parametrize(
    "token", ['"', "'", "“", "”", "\n", " ", "", '\n"', "```", "**", "<|im_end|>", "</s>", "<end_of_turn>", "[/INST]"]
)
@pytest.mark.parametrize("scorer", TOKEN_SCORERS)
def test_format_tokens_do_not_count(scorer, token) -> None:
    with_format = tokens((token, 0.01), ("Ada", 0.8), (token, 0.01))
    assert scorer(QUESTION, with_format) == pytest.approx(scorer(QUESTION, tokens(("Ada", 0.8))))


@pytest.mark.parametrize("token", ["Ada", " Ada", "1843", "-", "$", "%", ".", None, "<", "A"])
@pytest.mark.parametrize("scorer", TOKEN_SCORERS)
def test_content_tokens_count(scorer, token) -> None:
    assert scorer(QUESTION, tokens((token, 0.2), ("Ada", 0.2))) == pytest.approx(0.2)


@pytest.mark.parametrize("scorer", TOKEN_SCORERS)
@pytest.mark.parametrize("answer", [Answer("x"), Answer("x", token_logprobs=[]), tokens(("\n", 0.5))])
def test_without_content_log_probabilities_the_error_says_so(scorer, answer) -> None:
    with pytest.raises(MissingEvidenceError, match=scorer.__name__):
        scorer(QUESTION, answer)


@given(st.lists(st.floats(min_value=-50, max_value=0), min_size=1, max_size=30))
def test_token_scores_are_probabilities_in_order(logprobs) -> None:
    answer = Answer("x", token_logprobs=logprobs)
    low, quantile, mean = (
        scorer(QUESTION, answer)
        for scorer in (min_token_probability, token_probability_quantile, mean_token_probability)
    )
    assert 0.0 <= low <= mean * (1 + 1e-9) <= 1.0 + 1e-9
    assert low * (1 - 1e-9) <= quantile <= 1.0


@pytest.mark.parametrize("scorer", BOUNDED)
@given(written=logprobs, following=st.lists(st.floats(-20.0, 0.0), max_size=12), spare=st.integers(0, 5))
def test_no_continuation_scores_higher_than_the_bound(scorer, written, following, spare) -> None:
    bound = resolve(scorer).bound(written, len(following) + spare)
    final = scorer(QUESTION, Answer("x", token_logprobs=[*written, *following]))
    assert final <= bound * (1 + 1e-9)


@pytest.mark.parametrize("scorer", BOUNDED)
@given(written=logprobs, longest=st.integers(12, 40))
def test_the_bound_never_rises(scorer, written, longest) -> None:
    bounds = [resolve(scorer).bound(written[:n], longest - n) for n in range(1, len(written) + 1)]
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in itertools.pairwise(bounds))


@pytest.mark.parametrize("scorer", BOUNDED)
@given(written=logprobs)
def test_the_bound_of_a_complete_answer_is_its_score(scorer, written) -> None:
    final = scorer(QUESTION, Answer("x", token_logprobs=written))
    assert resolve(scorer).bound(written, 0) == pytest.approx(final)


def test_without_a_longest_reply_only_a_minimum_is_bounded() -> None:
    written = [math.log(0.1)] * 50
    assert resolve(min_token_probability).bound(written, math.inf) == pytest.approx(0.1)
    assert resolve(mean_token_probability).bound(written, math.inf) == 1.0
    assert resolve(token_probability_quantile).bound(written, math.inf) == 1.0
