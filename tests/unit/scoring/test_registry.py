"""What each trust score says, which tokens count, and what it says where its evidence is missing."""

from __future__ import annotations

import functools
import math
import warnings
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain import Answer, Candidate, QAInput, Supervisor
from twosup_chain.errors import ConfigurationError, MissingEvidenceError, UnknownOptionError
from twosup_chain.scoring.learned import UncalibratedWarning
from twosup_chain.scoring.registry import (
    SCORERS,
    Grounded,
    agreement,
    answerability,
    in_context,
    mean_token_probability,
    min_token_probability,
    span_probability,
    token_probability_quantile,
)

QUESTION = QAInput(question="Who wrote it?", context="The notes were written by Ada Lovelace, in 1843.")
TOKEN_SCORERS = [min_token_probability, mean_token_probability, token_probability_quantile]


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
    median = Supervisor(functools.partial(token_probability_quantile, q=0.5), threshold=0.5)
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


def test_reader_scores_are_those_of_what_is_predicted() -> None:
    scores = {"span_probability": 0.7, "null_probability": 0.2, "answerability": 0.75}
    assert span_probability(QUESTION, Answer("x", scores=scores)) == 0.7
    assert span_probability(QUESTION, Answer(None, scores=scores)) == 0.2
    assert answerability(QUESTION, Answer("x", scores=scores)) == 0.75
    assert answerability(QUESTION, Answer(None, scores=scores)) == 0.25


@pytest.mark.parametrize("scorer", [span_probability, answerability])
def test_a_foreign_answer_lacks_reader_scores_and_the_error_says_how_to_get_them(scorer) -> None:
    with pytest.raises(MissingEvidenceError, match=r"answer with ExtractiveReader or LlamaCppAnswerer"):
        scorer(QUESTION, Answer("x"))


@pytest.mark.parametrize(
    ("remote", "local", "score"),
    [
        ("Ada Lovelace", "ada lovelace.", 1.0),
        ("Ada", "Ada Lovelace", 2 / 3),
        ("Ada", "Bob", 0.0),
        (None, None, 1.0),
        (None, "Ada", 0.0),
        ("Ada", None, 0.0),
    ],
)
def test_agreement_is_token_f1_with_the_local_answer(remote, local, score) -> None:
    assert agreement(QUESTION, Answer(remote), local=Answer(local)) == pytest.approx(score)


def test_agreement_needs_a_local_answer() -> None:
    with pytest.raises(MissingEvidenceError, match="remote supervisor"):
        agreement(QUESTION, Answer("Ada"))


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Ada Lovelace", 1.0),
        ("by ada lovelace in 1843", 1.0),
        ("the notes", 1.0),
        ("Love", 0.0),
        ("Charles Babbage", 0.0),
        ("!!", 0.0),
        (None, 1.0),
    ],
)
def test_in_context_looks_for_whole_words(text, score) -> None:
    assert in_context(QUESTION, Answer(text)) == score


def test_in_context_finds_answers_in_scripts_without_spaces_and_from_right_to_left() -> None:
    assert in_context(QAInput(question="?", context="富士山は日本で一番高い山です。"), Answer("日本")) == 1.0
    assert in_context(QAInput(question="?", context="כתבה את זה עדה לאבלייס בשנת 1843."), Answer("עדה לאבלייס")) == 1.0


def test_in_context_needs_a_context_but_takes_an_empty_one() -> None:
    with pytest.raises(MissingEvidenceError, match="pass 'context'"):
        in_context(QAInput(question="?"), Answer("x"))
    assert in_context(QAInput(question="?", context=[]), Answer("x")) == 0.0


class FakeReader:
    """A reader that finds "Ada Lovelace" (0.6) and "1843" (0.2), is 80 % sure of an answer, and matches words only."""

    def answer_many(self, inputs):
        candidates = (Candidate("Ada Lovelace", 0, 12, 0, 0.6), Candidate("1843", 20, 24, 0, 0.2))
        return [Answer("Ada Lovelace", scores={"answerability": 0.8, "null_probability": 0.2}, candidates=candidates)]

    def score(self, question, context, answer_text):
        return SimpleNamespace(answerability=0.8, conditional={"Ada Lovelace": 0.75}.get(answer_text, 0.0))


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Ada Lovelace", 0.8 * 0.75),
        (None, 0.2),
        ("It was Ada Lovelace.", 0.8 * 0.75 * 2 / 3),
        ("Charles Babbage", 0.0),
    ],
)
def test_grounded_is_what_the_reader_makes_of_that_very_answer(text, score) -> None:
    assert Grounded(FakeReader())(QUESTION, Answer(text)) == pytest.approx(score)


def test_grounded_needs_a_context() -> None:
    with pytest.raises(MissingEvidenceError, match="pass 'context'"):
        Grounded(FakeReader())(QAInput(question="?"), Answer("x"))


@pytest.mark.parametrize("name", SCORERS)
def test_every_registered_scorer_can_be_given_by_name(name) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UncalibratedWarning)
        assert Supervisor(name, threshold=0.5).scorer_name.partition("@")[0] == name


def test_an_unknown_scorer_lists_the_known_ones() -> None:
    with pytest.raises(UnknownOptionError, match=r"Did you mean 'answerability'.*min_token_probability"):
        Supervisor("answerabillity", threshold=0.5)
    with pytest.raises(ConfigurationError, match="neither a scorer's name"):
        Supervisor(7, threshold=0.5)
