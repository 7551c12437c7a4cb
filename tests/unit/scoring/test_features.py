"""What each feature says, and that one that cannot be had is simply not there."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain import Answer, Candidate, QAInput, TokenLogprob
from twosup_chain.scoring.features import features
from twosup_chain.scoring.tokens import token_features
from twosup_chain.scoring.wording import sentence_around, wording_features

PASSAGE = (
    "The library of Arden opened in 1902. Maud Ferris designed it, although she had never built one. "
    "It burned in 1931; Tom Ferris did not rebuild it."
)
QUESTION = QAInput(question="Who designed the library of Arden?", context=PASSAGE)
READING = Answer(
    "Maud Ferris",
    scores={"answerability": 0.8, "span_probability": 0.6, "null_probability": 0.25, "null_margin": float("inf")},
    candidates=(Candidate("Maud Ferris", 37, 48, 0, 0.6), Candidate("Tom Ferris", 115, 125, 0, 0.1)),
)


def tokens(*rows):
    return Answer("x", token_logprobs=[TokenLogprob(token=t, logprob=math.log(p), top=top) for t, p, top in rows])


def test_nothing_but_an_answer_gives_what_can_be_had_of_it():
    assert features(QAInput(question="Who?"), Answer("Ada")) == {"no_answer": 0.0}


def test_format_tokens_do_not_count():
    found = token_features(tokens(('"', 0.01, ()), ("Maud", 0.5, ()), (" Ferris", 0.9, ()), ("<|im_end|>", 0.2, ())))
    assert found["token_min"] == found["token_first"] == pytest.approx(math.log(0.5))
    assert found["token_last"] == pytest.approx(math.log(0.9))
    assert found["token_count"] == pytest.approx(math.log(3))
    assert not any(name.startswith("token_margin") for name in found)


def test_margins_are_to_the_likeliest_other_token():
    first = (("Maud", math.log(0.5)), ("un", math.log(0.3)))
    found = token_features(tokens(("Maud", 0.5, first), (" Ferris", 0.9, ((" Ferris", math.log(0.9)),))))
    assert found["token_margin_min"] == found["token_margin_first"] == pytest.approx(0.2)
    assert found["token_unanswerable"] == pytest.approx(math.log(0.3))


def test_what_is_left_for_unanswerable_is_bounded_by_what_is_listed():
    found = token_features(tokens(("Maud", 0.9, (("Maud", math.log(0.9)), ("Tom", math.log(0.06))))))
    assert found["token_unanswerable"] == pytest.approx(math.log(0.04))


@given(st.lists(st.floats(min_value=-60, max_value=0), min_size=1, max_size=20))
def test_token_features_are_finite_and_in_order(logprobs):
    found = token_features(Answer("x", token_logprobs=logprobs))
    assert all(map(math.isfinite, found.values()))
    assert -15.0 <= found["token_min"] <= found["token_q10"] + 1e-9 <= found["token_q25"] + 2e-9
    assert found["token_q25"] <= found["token_q50"] + 1e-9 <= 1e-9


def test_a_reading_backs_its_own_answer():
    found = features(QUESTION, READING)
    assert found["span_share"] == pytest.approx(0.8)
    assert found["backed"] == pytest.approx(0.64)
    assert "null_margin" not in found  # not finite
    assert features(QUESTION, READING.model_copy(update={"text": None}))["backed"] == pytest.approx(0.2)


def test_a_reading_says_how_far_it_supports_another_answer():
    found = features(QUESTION, Answer("Tom Ferris"), local=READING)
    assert found["support"] == pytest.approx((0.6 * 0.5 + 0.1) / 0.75)
    assert (found["support_rank"], found["support_f1"], found["top_f1"]) == (1.0, 1.0, 0.5)
    assert (found["agreement"], found["local_answerability"], found["local_no_answer"]) == (0.5, 0.8, 0.0)
    assert found["backed"] == pytest.approx(0.8 * found["support"])
    assert found["support_log_odds"] == 0.0  # the best span has half of its words
    none = features(QUESTION, Answer(None), local=READING)
    assert none["backed"] == pytest.approx(0.2)
    assert "support" not in none
    strange = features(QUESTION, Answer("nobody"), local=READING)
    assert (strange["support"], strange["support_rank"], strange["support_log_odds"]) == (0.0, 2.0, -10.0)


def test_words_of_the_question_near_the_answer_count():
    found = wording_features(QUESTION.question, [PASSAGE], "Maud Ferris")
    assert found["in_context"] == 1.0
    assert found["question_missing"] == 0.0
    assert found["near_overlap"] == pytest.approx(1.0)
    assert found["sentence_overlap"] == pytest.approx(1 / 3)
    assert found["sentence_lag"] == pytest.approx(1 / 3)  # the first sentence has two of the three
    assert (found["asks_who"], found["answer_kind"], found["sentence_missing_names"]) == (1.0, 1.0, 1.0)
    assert found["negation_differs"] == 1.0


def test_names_and_numbers_that_the_passage_lacks_are_counted():
    found = wording_features("When did Boris Holt open 3 of the 1902 libraries?", [PASSAGE], "1931")
    assert (found["question_missing_names"], found["question_missing_numbers"]) == (2.0, 1.0)
    assert (found["asks_when"], found["answer_kind"]) == (1.0, 1.0)
    assert wording_features("When?", [PASSAGE], "Maud")["answer_kind"] == 0.0


def test_an_answer_that_stands_nowhere_has_no_place():
    found = wording_features(QUESTION.question, [PASSAGE], "somebody else")
    assert found["in_context"] == 0.0
    assert "near_overlap" not in found


def test_the_sentence_around_an_answer():
    assert sentence_around([PASSAGE], "maud ferris").startswith("Maud Ferris designed it")
    assert sentence_around([PASSAGE], "nobody") is None


@given(
    st.text(max_size=60).filter(str.strip), st.lists(st.text(max_size=80), max_size=3), st.none() | st.text(max_size=20)
)
def test_any_text_gives_finite_numbers(question, passages, text):
    found = wording_features(question, passages, text)
    assert all(map(math.isfinite, found.values()))


@pytest.mark.parametrize(
    ("passage", "restated", "told"),
    [
        ("Ada built the mill. Who built the mill? Otto.", 1.0, 1.0),
        ("Q: who built the mill?\nA: Otto. Ada built the mill.", 1.0, 1.0),
        ("Ada built the mill. The answer is Otto.", 0.0, 1.0),
        ("Ada built the mill, and Otto the barn.", 0.0, 0.0),
        ("Otto built the mill.", 0.0, 0.0),
        ("Otto owned it. A page later somebody asks: who built the mill?", 1.0, 0.0),
    ],
)
def test_an_answer_that_a_passage_only_tells_is_seen(passage, restated, told):
    found = wording_features("Who built the mill?", [passage], "Otto")
    assert (found["question_restated"], found["answer_told"]) == (restated, told)
