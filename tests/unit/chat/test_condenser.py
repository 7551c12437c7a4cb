"""A question of a conversation becomes one that stands alone."""

from __future__ import annotations

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    HumanMessage,
    HumanMessageChunk,
    SystemMessage,
    ToolMessage,
)
from langchain_core.runnables import RunnableLambda

from twosup_chain import QuestionCondenser
from twosup_chain.errors import AnswererError, ConfigurationError, InputError, UnknownOptionError

HISTORY = [HumanMessage("Who designed the hall?"), AIMessage("Maud Ferris.")]


def listening(reply="When was the hall opened?"):
    """A condenser, and the list of the conversations that its model was given."""
    heard = []

    def model(messages):
        heard.append(messages)
        return AIMessage(reply)

    return QuestionCondenser(RunnableLambda(model)), heard


@pytest.mark.parametrize(
    "value",
    [
        "When was it opened?",
        {"question": "When was it opened?"},
        {"question": "When was it opened?", "history": []},
        {"question": "When was it opened?", "history": None},
        {"question": "When was it opened?", "history": [SystemMessage("Be kind.")]},
        [HumanMessage("When was it opened?")],
        {"messages": [("user", "When was it opened?")]},
    ],
)
async def test_a_question_without_a_conversation_passes_unchanged_and_nobody_is_asked(value):
    condenser, heard = listening()
    assert condenser.invoke(value) == await condenser.ainvoke(value) == "When was it opened?"
    assert heard == []


@pytest.mark.parametrize(
    "value",
    [
        {"question": "When was it opened?", "history": HISTORY},
        {"question": "When was it opened?", "history": [("user", HISTORY[0].text), ("assistant", HISTORY[1].text)]},
        [*HISTORY, HumanMessage("When was it opened?")],
        {"messages": [*HISTORY, {"role": "user", "content": "When was it opened?"}]},
    ],
)
async def test_a_question_of_a_conversation_is_rewritten_with_the_conversation_in_view(value):
    condenser, heard = listening()
    assert condenser.invoke(value) == await condenser.ainvoke(value) == "When was the hall opened?"
    assert heard[0] == heard[1]
    shown = "User: Who designed the hall?\nAssistant: Maud Ferris.\n\nLast question: When was it opened?"
    assert (heard[0][0].type, heard[0][-1].text) == ("system", shown)


def test_tools_and_empty_turns_are_left_out_and_only_the_latest_messages_are_shown():
    condenser, heard = listening()
    noise = [
        AIMessage("", tool_calls=[{"name": "search", "args": {}, "id": "1"}]),
        ToolMessage("hit", tool_call_id="1"),
    ]
    long = [HumanMessage(f"question {i}") for i in range(20)]
    condenser.invoke([*long, *noise, HumanMessage("And then?")])
    said = heard[0][-1].text.split("\n")
    assert said[:8] == [f"User: question {i}" for i in range(12, 20)]
    assert said[8:] == ["", "Last question: And then?"]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('"Who paid?"', "Who paid?"),
        ("Question: Who paid?", "Who paid?"),
        ("Standalone question: Who paid?", "Who paid?"),
        ("<think>the hall…</think>Who paid?", "Who paid?"),
        ("unanswerable", "And who?"),
    ],
)
def test_only_the_question_of_a_reply_is_taken(reply, expected):
    assert listening(reply)[0].invoke({"question": "And who?", "history": HISTORY}) == expected


@pytest.mark.parametrize(
    "failure",
    [AIMessage(" "), TimeoutError(), ConnectionError("sk-secret"), AIMessage("", additional_kwargs={"refusal": "no"})],
)
async def test_where_the_model_fails_the_question_goes_on_as_asked(failure, caplog):
    def model(messages):
        if isinstance(failure, Exception):
            raise failure
        return failure

    condenser = QuestionCondenser(RunnableLambda(model))
    asked = {"question": "And who?", "history": HISTORY}
    assert condenser.invoke(asked) == await condenser.ainvoke(asked) == "And who?"
    assert len(caplog.messages) == 2
    assert "sk-secret" not in caplog.text
    with pytest.raises(type(failure) if isinstance(failure, Exception) else AnswererError):
        condenser.model_copy(update={"on_error": "raise"}).invoke(asked)


def test_a_model_that_is_set_up_wrongly_is_an_error():
    with pytest.raises(ConfigurationError):
        QuestionCondenser("nobody:none").invoke({"question": "And who?", "history": HISTORY})


@pytest.mark.parametrize(
    "said",
    [
        AIMessageChunk("Maud ") + AIMessageChunk("Ferris."),
        AIMessageChunk("Maud Ferris."),
        ChatMessage("Maud Ferris.", role="assistant"),
        AIMessage([{"type": "text", "text": "Maud Ferris."}]),
    ],
    ids=["summed chunks", "a chunk", "a role", "blocks"],
)
@pytest.mark.parametrize("asked", [HumanMessage, HumanMessageChunk])
def test_what_was_said_is_read_in_whichever_form_it_came(said, asked):
    condenser, heard = listening()
    history = [asked(HISTORY[0].text), said]
    for value in (
        {"question": "When?", "history": history},
        [*history, asked("When?")],
        {"messages": [*history, asked("When?")]},
    ):
        condenser.invoke(value)
        assert heard.pop()[-1].text == "User: Who designed the hall?\nAssistant: Maud Ferris.\n\nLast question: When?"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("  ", "ask something"),
        ({"question": 7}, "question=7"),
        ({}, "holds no question"),
        ([], "holds no question"),
        (None, "holds no question"),
        (HISTORY, "must be the last message"),
        ({"question": "Q?", "history": [object()]}, "no list of messages"),
    ],
)
def test_an_input_without_a_question_is_an_error_that_says_what_to_pass(value, says):
    with pytest.raises(InputError, match=says):
        listening()[0].invoke(value)


def test_options_are_checked():
    with pytest.raises(ConfigurationError, match="pass a LangChain chat model"):
        QuestionCondenser(7)
    with pytest.raises(UnknownOptionError, match="max_messages"):
        QuestionCondenser(FakeListChatModel(responses=["x"]), max_message=3)
    assert "openai:gpt-4.1-mini" in repr(QuestionCondenser("openai:gpt-4.1-mini"))


def test_the_model_is_a_child_run_of_the_condenser():
    seen = []
    model = GenericFakeChatModel(messages=iter([AIMessage("Who paid?")]))
    condenser = QuestionCondenser(model)

    class Trace(BaseCallbackHandler):
        def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, **kwargs):
            seen.append((kwargs["name"], parent_run_id is None, run_id))

        def on_chat_model_start(self, serialized, messages, *, run_id, parent_run_id=None, **kwargs):
            seen.append(("model", parent_run_id == seen[0][2], run_id))

    condenser.invoke({"question": "And who?", "history": HISTORY}, {"callbacks": [Trace()]})
    assert [entry[:2] for entry in seen] == [("QuestionCondenser", True), ("model", True)]
