"""A gate stands before the hosted model in every call style; what it withholds never leaves."""

from __future__ import annotations

import asyncio

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from twosup_chain import Answer, Supervisor, TwoSupervisorChain, TwoSupervisorChatModel
from twosup_chain._gate import Gate
from twosup_chain.errors import ConfigurationError, RemoteWithheldError

NEVER = Supervisor(lambda question, answer: 0.0, threshold=0.5)
ALWAYS = Supervisor(lambda question, answer: 1.0, threshold=0.5)


class Closed(Gate):
    """Withholds what speaks of a secret, and asks twice what fails once."""

    def __init__(self, instead=None):
        self.instead = instead
        self.passed = []

    def through(self, asked, call, clock):
        if "secret" in str(asked.as_dict()):
            raise RemoteWithheldError("it is a secret", self.instead)
        self.passed.append(asked.question)
        try:
            return (yield from call())
        except ConnectionError:
            return (yield from call())


def chain(gate, remote, **options):
    return TwoSupervisorChain(
        local=lambda question: Answer("a"),
        local_supervisor=NEVER,
        remote=remote,
        remote_supervisor=ALWAYS,
        gate=gate,
        **options,
    )


def in_every_style(built, question):
    async def asynchronous():
        streamed = [result async for result in built.astream(question)]
        return [await built.ainvoke(question), *await built.abatch([question, question]), *streamed]

    return [
        built.invoke(question),
        *built.batch([question]),
        *built.stream(question),
        *asyncio.run(asynchronous()),
    ]


@pytest.mark.parametrize(
    ("instead", "source"), [("local", "local"), ("no_answer", "none"), (None, "none")], ids=["local", "none", "policy"]
)
def test_what_a_gate_withholds_never_reaches_the_hosted_model_in_any_call_style(instead, source):
    asked = []
    policy = "no_answer" if instead is None else "raise"
    built = chain(Closed(instead), lambda question: asked.append(question) or "b", on_remote_error=policy)
    for result in in_every_style(built, {"question": "q", "context": "a secret"}):
        assert result.source == source
        assert "it is a secret" in result.reason
    assert not asked


def test_what_a_gate_lets_pass_is_answered_and_may_be_asked_again():
    calls = []

    def remote(question):
        calls.append(question)
        if len(calls) % 2:
            raise ConnectionError
        return "b"

    gate = Closed()
    for result in in_every_style(chain(gate, remote), "q"):
        assert (result.answer, result.source) == ("b", "remote")
    assert set(gate.passed) == {"q"}


def test_a_question_that_is_withheld_does_not_reach_the_fallback_either():
    failing = TwoSupervisorChain(
        local=lambda _: 1 / 0,
        local_supervisor=NEVER,
        remote=lambda _: "b",
        remote_supervisor=ALWAYS,
        fallback=lambda _: "c",
        gate=Closed("local"),
    )
    assert failing.invoke("a secret").source == "none"


def test_a_gate_without_a_remote_is_an_error():
    with pytest.raises(ConfigurationError, match="remote=…"):
        TwoSupervisorChain(local=lambda _: "a", local_supervisor=NEVER, gate=Closed())


def test_a_gate_is_given_the_whole_conversation_and_keeps_the_local_reply():
    def model(text):
        return GenericFakeChatModel(messages=iter([AIMessage(text)] * 9))

    chat = TwoSupervisorChatModel(
        local=model("here"),
        local_supervisor=NEVER,
        remote=model("there"),
        remote_supervisor=ALWAYS,
        gate=Closed("local"),
    )
    assert chat.invoke("anything").text == "there"
    talk = [("human", "a secret"), ("ai", "yes?"), ("human", "tell it")]
    assert chat.invoke(talk).text == "here"
    assert "".join(chunk.text for chunk in chat.stream(talk)) == "here"
