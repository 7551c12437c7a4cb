"""Rules that keep a question on this machine hold in every call style of the chain and the chat model."""

from __future__ import annotations

import asyncio
import re

import pytest
from langchain_core.documents import Document
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from twosup_chain import Answer, Supervisor, TwoSupervisorChain, TwoSupervisorChatModel
from twosup_chain.errors import ConfigurationError, NoTrustedAnswerError

NEVER = Supervisor(lambda question, answer: 0.0, threshold=0.5)
ALWAYS = Supervisor(lambda question, answer: 1.0, threshold=0.5)
SECRET = {"question": "Who?", "context": "the secret of 4711"}
LABELLED = {"question": "Who?", "context": [Document("Ada", metadata={"label": "internal"})]}
OPEN = {"question": "Who?", "context": "Ada wrote it."}


def about_numbers(asked, metadata):
    return "4711" in str(asked.context)


def broken(asked, metadata):
    raise RuntimeError("no model")


def chain(rules, left, **options):
    """Returns a chain whose remote and fallback note what left the machine."""

    def note(asked):
        left.append(asked["question"])
        return "from elsewhere"

    return TwoSupervisorChain(
        local=lambda question: Answer("a"),
        remote=note,
        remote_supervisor=NEVER,
        **{"local_supervisor": NEVER, "fallback": note, **options},
        never_escalate=rules,
    )


def in_every_style(built, question, config=None):
    async def asynchronous():
        streamed = [result async for result in built.astream(question, config)]
        return [await built.ainvoke(question, config), *await built.abatch([question, question], config), *streamed]

    return [
        built.invoke(question, config),
        *built.batch([question], config),
        *built.stream(question, config),
        *asyncio.run(asynchronous()),
    ]


@pytest.mark.parametrize(
    ("rules", "question", "config"),
    [
        (r"secret of \d+", SECRET, None),
        (re.compile("SECRET", re.IGNORECASE), SECRET, None),
        ([{"pattern": "nothing"}, {"pattern": "4711"}], SECRET, None),
        ({"metadata": {"label": ["internal", "private"]}}, LABELLED, None),
        ({"metadata": {"tenant": "bank"}}, OPEN, {"metadata": {"tenant": "bank"}}),
        (about_numbers, SECRET, None),
        ({"function": broken}, OPEN, None),
    ],
)
def test_what_a_rule_keeps_leaves_in_no_call_style(rules, question, config) -> None:
    left = []
    for result in in_every_style(chain(rules, left), question, config):
        assert (result.status, result.source, result.answer) == ("untrusted", "none", None)
        assert "kept on this machine" in result.reason
    assert left == []


@pytest.mark.parametrize("rules", ["secret", {"metadata": {"tenant": "bank"}}, about_numbers, []])
def test_what_no_rule_keeps_is_asked_elsewhere(rules) -> None:
    left = []
    for result in in_every_style(chain(rules, left), OPEN, {"metadata": {"tenant": "shop"}}):
        assert result.answer == "from elsewhere"
    assert left


def test_each_question_of_a_batch_has_its_own_metadata() -> None:
    left = []
    built = chain({"metadata": {"private": True}}, left)
    results = built.batch([OPEN, OPEN], [{"metadata": {"private": True}}, {"metadata": {}}])
    assert [result.source for result in results] == ["none", "fallback"]


def test_a_trusted_local_answer_is_given_whatever_the_rules_say() -> None:
    left = []
    assert chain("secret", left, local_supervisor=ALWAYS).invoke(SECRET).source == "local"


def test_a_question_that_is_kept_raises_where_no_trusted_answer_does() -> None:
    with pytest.raises(NoTrustedAnswerError, match="kept on this machine"):
        chain("secret", [], fallback="raise").invoke(SECRET)


def test_a_turn_of_a_conversation_is_kept_by_what_was_said_before() -> None:
    left = []

    class Hosted(GenericFakeChatModel):
        def _generate(self, *arguments, **options):
            left.append(arguments)
            return super()._generate(*arguments, **options)

    chat = TwoSupervisorChatModel(
        local=lambda asked: Answer("a"),
        local_supervisor=NEVER,
        remote=Hosted(messages=iter([AIMessage("from elsewhere")] * 10)),
        remote_supervisor=ALWAYS,
        never_escalate=["4711", {"metadata": {"tenant": "bank"}}],
    )
    told = [("human", "My number is 4711."), ("ai", "Thank you."), ("human", "Who am I?")]
    for message in in_every_style(chat, told):
        assert "from elsewhere" not in message.text
        assert message.response_metadata.get("twosup", {"source": "none"})["source"] == "none"  # chunks but the last
    assert chat.invoke("Who?", {"metadata": {"tenant": "bank"}}).response_metadata["twosup"]["source"] == "none"
    assert left == []
    assert chat.invoke("Who?").content == "from elsewhere"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("(", r"pattern='\(' is no regular expression"),
        ({"pattern": "a", "metadata": {"b": 1}}, "one of pattern"),
        ({"patern": "a"}, "Did you mean 'pattern'"),
        ({"function": "nowhere:nothing"}, "nowhere cannot be imported"),
        ([3], "never_escalate=3 is no rule"),
    ],
)
def test_a_wrong_rule_is_named(rules, words) -> None:
    with pytest.raises(ConfigurationError, match=words):
        chain(rules, [])


def test_an_agents_model_is_not_asked_what_is_kept() -> None:
    agents = pytest.importorskip("langchain.agents")
    from twosup_chain import TwoSupervisorMiddleware

    agent = agents.create_agent(
        GenericFakeChatModel(messages=iter([AIMessage("from elsewhere")])),
        middleware=[TwoSupervisorMiddleware(remote_supervisor=ALWAYS, never_escalate="4711")],
    )
    for told in (["Who is 4711?"], [("human", "I am 4711."), ("ai", "Thank you."), ("human", "Who am I?")]):
        assert "kept on this machine" in agent.invoke({"messages": told})["twosup"]["reason"]
    assert agent.invoke({"messages": ["Who is it?"]})["messages"][-1].text == "from elsewhere"  # the only one there is
