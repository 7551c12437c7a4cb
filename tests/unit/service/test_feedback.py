from __future__ import annotations

import asyncio

import pytest

from twosup_chain.errors import InputError
from twosup_chain.service.decision import Decision, DecisionText
from twosup_chain.service.feedback import Feedback
from twosup_chain.service.log import DecisionLog, UnknownDecisionError


def decision(source="local", *, local="Ada", remote=None, asked=True, text=False, **fields):
    answers = {"local": local, **({"remote": remote} if asked else {})}
    no_answer = {role: said is None for role, said in answers.items()}
    agree = local == remote if asked else None
    kept = DecisionText(question="Who?", answers=answers) if text else None
    given = {"id": "d", "route": "r", "caller": None, "time": 1.0, "question": "x", "status": "answered", **fields}
    return Decision(**given, source=source, reason="", seconds=1, no_answer=no_answer, agree=agree, text=kept)


@pytest.mark.parametrize(
    ("given", "said", "local", "remote"),
    [
        # without texts: of what was given, and of the other where the two agree
        (decision("local", remote="Ada"), {"right": True}, True, True),
        (decision("local", remote="Ada"), {"right": False}, False, False),
        (decision("local", remote="Bob"), {"right": True}, True, False),
        (decision("local", remote="Bob"), {"right": False}, False, None),
        (decision("local", asked=False), {"right": False}, False, None),
        (decision("remote", remote="Bob"), {"right": True}, False, True),
        # where nothing was given, that was right if there is nothing
        (decision("none", remote=None), {"right": True}, False, True),
        (decision("none", remote=None), {"right": False}, None, False),
        (decision("none", remote=None), {"answer": ""}, False, True),
        (decision("none", remote=None), {"answer": "Bob"}, None, False),
        # with texts, by the answer
        (decision("remote", remote="Bob", text=True), {"answer": "the Ada"}, True, False),
        (decision("local", remote="Bob", text=True), {"right": True, "answer": "Bob"}, False, True),
        (decision("local", remote=None, text=True), {"answer": ""}, False, True),
    ],
)
def test_what_is_said_of_one_prediction_is_told_of_the_other_where_it_follows(given, said, local, remote):
    feedback = Feedback(decision="d", **said)
    assert [feedback.right_of(given, role) for role in ("local", "remote")] == [local, remote]


def test_of_a_no_answer_feedback_tells_whether_there_is_one():
    given = decision("none", remote=None)
    assert Feedback(decision="d", answer="").right_of(given, "none")
    assert not Feedback(decision="d", answer="Ada").right_of(given, "none")


@pytest.fixture
def log(store):
    opened = DecisionLog(store)
    for name, caller in (("dec_1", "me"), ("dec_2", None), ("dec_3", "you")):
        opened.put(decision(id=name, caller=caller)).result()
    return opened


def receive(log, body):
    return asyncio.run(log.receive(body, caller="me"))


def test_the_body_of_a_request_is_written_and_revoked(log):
    written = receive(log, {"id": "dec_1", "right": False, "answer": "Bob"})
    assert (written.by, log.feedback()["dec_1"]) == ("me", written)
    receive(log, {"id": "dec_2", "right": True})
    assert receive(log, {"revoke": written.id}) == 1
    assert receive(log, {"revoke": "dec_2"}) == 1
    assert not log.feedback()


@pytest.mark.parametrize("body", [{"id": "dec_3", "right": True}, {"id": "dec_9", "right": True}, {"revoke": "dec_3"}])
def test_what_others_were_told_and_what_there_is_not_are_the_same(log, body):
    with pytest.raises(UnknownDecisionError):
        receive(log, body)


@pytest.mark.parametrize(
    "body", [None, [], "x", {}, {"id": "dec_1"}, {"id": 3, "right": True}, {"id": "dec_1", "right": "perhaps"}]
)
def test_what_is_no_feedback_is_an_error_that_says_why(log, body):
    with pytest.raises(InputError):
        receive(log, body)


def test_a_misspelt_field_is_an_error_that_lists_the_good_ones(log):
    with pytest.raises(InputError, match="right"):
        receive(log, {"id": "dec_1", "rigth": True})
