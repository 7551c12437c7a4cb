"""Stated confidence: what a model says of itself in a fixed form, and what happens where it does not keep to it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import ConfigurableField, RunnableLambda
from pydantic import Field

from twosup_chain import Answer, ChatAnswerer, QAInput, Supervisor
from twosup_chain.answerers.stated import answer_from_structured
from twosup_chain.errors import (
    ConfigurationError,
    EmptyAnswerError,
    MissingEvidenceError,
    NotTextError,
    RefusalError,
    UnstructuredReplyError,
)
from twosup_chain.scoring.features import features

USAGE = {"input_tokens": 40, "output_tokens": 9, "total_tokens": 49}
WHO = {"question": "Who designed it?", "context": "It was designed by Ellen Marsh."}


def form(answer, confidence, **fields):
    call = {"name": "StatedAnswer", "args": {"answer": answer, "confidence": confidence}, "id": "1"}
    return AIMessage(
        "", tool_calls=[call], usage_metadata=USAGE, response_metadata={"model_name": "claude-x"}, **fields
    )


class ToolCaller(BaseChatModel):
    """A chat model whose structured output is LangChain's own, by a tool."""

    reply: Any
    bound: list = Field(default_factory=list)

    @property
    def _llm_type(self):
        return "tool-caller"

    def bind_tools(self, tools, **kwargs):
        self.bound.append((tools, kwargs))
        return RunnableLambda(self.invoke)

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        return ChatResult(generations=[ChatGeneration(message=self.reply)])


def stated(reply):
    return ChatAnswerer(ToolCaller(reply=reply), stated_confidence=True)


@pytest.mark.parametrize("style", ["invoke", "ainvoke", "batch", "abatch"])
async def test_answer_confidence_tokens_and_model_arrive_in_every_call_style(style):
    answerer = stated(form("Ellen Marsh.", 0.85))
    value = WHO if "batch" not in style else [WHO]
    found = getattr(answerer, style)(value)
    found = await found if style.startswith("a") else found
    answer = found[0] if isinstance(found, list) else found
    assert (answer.text, answer.scores) == ("Ellen Marsh", {"stated_confidence": 0.85})
    assert (answer.usage, answer.model, answer.token_logprobs) == (USAGE, "claude-x", None)
    assert answer.seconds > 0


def test_no_answer_has_a_confidence_too_and_both_are_scored_and_signalled():
    answer = stated(form("unanswerable", 0.7)).invoke(WHO)
    assert answer.text is None
    verdict = Supervisor("stated_confidence", threshold=0.6).judge(QAInput(**WHO), answer)
    assert (verdict.score, verdict.trusted) == (0.7, True)
    assert features(QAInput(**WHO), answer)["stated_confidence"] == 0.7
    with pytest.raises(MissingEvidenceError, match="stated_confidence=True"):
        Supervisor("stated_confidence", threshold=0.6).judge(QAInput(**WHO), Answer("Ellen"))


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (
            AIMessage("It was Ellen Marsh.", usage_metadata=USAGE),
            UnstructuredReplyError,
            "does not use the form at all",
        ),
        (form("Ellen Marsh", 85), UnstructuredReplyError, "confidence=85.0 is no probability"),
        (form("Ellen Marsh", "very"), UnstructuredReplyError, "confidence"),
        (form(" ", 0.5), EmptyAnswerError, "holds no text"),
        (
            AIMessage("", additional_kwargs={"refusal": "No."}, usage_metadata=USAGE),
            RefusalError,
            "the provider gave no answer: 'No.'",
        ),
    ],
)
def test_a_reply_out_of_form_is_an_error_that_knows_what_it_cost(reply, error, said):
    with pytest.raises(error, match=said) as caught:
        stated(reply).invoke(WHO)
    assert caught.value.usage == USAGE


def test_a_provider_that_parses_into_a_dict_is_read_and_something_else_is_named():
    raw = AIMessage("{}", usage_metadata=USAGE)
    reply = {"raw": raw, "parsed": {"answer": "Ellen", "confidence": 1}, "parsing_error": None}
    assert answer_from_structured(reply) == Answer("Ellen", scores={"stated_confidence": 1.0}, usage=USAGE)
    with pytest.raises(UnstructuredReplyError, match="confidence"):
        answer_from_structured({**reply, "parsed": {"answer": "Ellen"}})
    with pytest.raises(NotTextError, match="no structured reply"):
        answer_from_structured("Ellen")


class Plain(ToolCaller):
    """A chat model without structured output."""

    bind_tools = BaseChatModel.bind_tools


@pytest.mark.parametrize(
    "model",
    [
        Plain(reply=form("Ellen", 0.5)),
        ToolCaller(reply=form("Ellen", 0.5)).bind(stop=["."]),
        RunnableLambda(lambda _: form("Ellen", 0.5)),
    ],
)
def test_a_model_that_cannot_be_asked_in_a_form_is_named(model):
    with pytest.raises(ConfigurationError, match="stated_confidence needs"):
        ChatAnswerer(model, stated_confidence=True).invoke(WHO)


def test_keyword_arguments_of_a_call_choose_the_way_to_the_form():
    answerer = stated(form("Ellen", 0.5))
    assert answerer.bind(method="function_calling").invoke(WHO).text == "Ellen"
    with pytest.raises(ConfigurationError, match="unsupported"):
        answerer.bind(nonsense=True).invoke(WHO)


def test_a_named_model_is_asked_in_the_form(monkeypatch):
    monkeypatch.setattr(
        "twosup_chain.answerers.named_chat_model.NamedChatModel.resolved", ToolCaller(reply=form("Ellen", 0.25))
    )
    answer = ChatAnswerer("somebody:something", stated_confidence=True).invoke(WHO)
    assert answer.scores == {"stated_confidence": 0.25}


def test_what_is_configured_reaches_a_model_that_is_asked_in_a_form():
    model = ToolCaller(reply=form("Ellen", 0.25)).configurable_fields(reply=ConfigurableField("reply"))
    answerer = ChatAnswerer(model, stated_confidence=True)
    assert answerer.invoke(WHO).text == "Ellen"
    assert answerer.invoke(WHO, {"configurable": {"reply": form("Ada", 0.5)}}).text == "Ada"
