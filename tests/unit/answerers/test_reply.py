"""Whatever an answerer returns becomes an `Answer`, or an error that says why it is none and what it has cost."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage

from twosup_chain import Answer, TwoSupervisorResult
from twosup_chain.answerers.reply import as_answer
from twosup_chain.errors import EmptyAnswerError, NotTextError

USAGE = {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}
ANSWERED = TwoSupervisorResult(answer="Ada", status="answered", source="remote", usage=USAGE, seconds=2.0)
UNTRUSTED = TwoSupervisorResult(answer=None, status="untrusted", source="none", usage=USAGE)


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (Answer("Ada", scores={"s": 0.5}), Answer("Ada", scores={"s": 0.5})),
        ("Ada", Answer("Ada")),
        (None, Answer(None)),
        ({"text": "Ada", "model": "m"}, Answer("Ada", model="m")),
        (AIMessage("Answer: Ada", usage_metadata=USAGE), Answer("Ada", usage=USAGE)),
        (ANSWERED, Answer("Ada", usage=USAGE, seconds=2.0)),
    ],
    ids=["an answer", "a string", "nothing", "a dict", "a message", "another chain's result"],
)
def test_it_is_read_as_an_answer(value, answer):
    assert as_answer(value) == answer


@pytest.mark.parametrize("value", [Answer(" ", usage=USAGE), {"text": "", "usage": USAGE}, UNTRUSTED])
def test_an_empty_reply_is_no_success_and_its_tokens_are_told(value):
    with pytest.raises(EmptyAnswerError) as caught:
        as_answer(value)
    assert caught.value.usage == USAGE


@pytest.mark.parametrize("value", [3, {"answer": "Ada"}, {"text": "Ada", "model": object()}, [AIMessage("Ada")]])
def test_what_is_no_answer_is_named(value):
    with pytest.raises(NotTextError, match="is not an"):
        as_answer(value)
