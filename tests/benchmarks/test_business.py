"""The business texts are what their benchmark says they are."""

from __future__ import annotations

import pytest
from benchmarks.business import FATES, data, fate, kinds, summary

from twosup_chain.text.finder import find
from twosup_chain.text.questions import load_questions


@pytest.fixture(params=["tuning", "sealed"])
def half(request):
    return request.param


def test_a_third_of_the_questions_has_no_answer_and_every_one_a_kind(half):
    questions = load_questions(data(half))
    impossible = [question for question in questions if question.is_impossible]
    assert len({question.context for question in questions}) == 10
    assert len(questions) >= 140
    assert 0.3 <= len(impossible) / len(questions) <= 0.36
    assert all(kinds(half)[question.id].startswith("un_") == question.is_impossible for question in questions)


def test_an_accepted_answer_stands_in_the_text(half):
    for question in load_questions(data(half)):
        assert not question.answers or find(question.context, question.answers[0]), question.id


def test_the_halves_share_no_text():
    halves = ({question.context for question in load_questions(data(half))} for half in ("tuning", "sealed"))
    assert not set.intersection(*halves)


def test_a_question_that_nobody_is_trusted_with_is_open():
    question = load_questions(data("tuning"))[0]
    said = [fate(question, text, trusted=True) for text in (question.answers[0], "never", None)]
    assert [*said, fate(question, "never", trusted=False)] == ["right", "wrong", "no answer, wrongly", "open"]


def test_shares_come_with_their_counts():
    lines = summary(dict.fromkeys(FATES, 1), answerable=3, n=5)
    assert lines[0].startswith("right, of the answerable: 33.3% (")
    assert lines[0].endswith("1 of 3)")
    assert lines[-1].endswith("1 of 5)")
