"""Whatever a user gives for a part becomes what answers, and a chat model is known under all that is put around it."""

from __future__ import annotations

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables import ConfigurableField, RunnableLambda

from twosup_chain import ChatAnswerer, QAInput
from twosup_chain.answerers.part import as_answerer, input_for
from twosup_chain.answerers.wrapping import innermost, is_chat_model
from twosup_chain.errors import ConfigurationError

CHAT = FakeListChatModel(responses=["Ada"])
WRAPPED = {
    "plain": CHAT,
    "bound": CHAT.bind(stop=["."]),
    "with fallbacks": CHAT.with_fallbacks([CHAT]),
    "configurable": CHAT.configurable_fields(responses=ConfigurableField("responses")),
    "with alternatives": CHAT.configurable_alternatives(ConfigurableField("model"), other=CHAT),
    "retried": CHAT.with_retry(),
    "all of it": CHAT.configurable_fields(responses=ConfigurableField("responses")).bind(stop=["."]),
}


@pytest.mark.parametrize("value", WRAPPED.values(), ids=WRAPPED)
def test_a_chat_model_is_known_under_all_that_is_put_around_it_and_is_asked_as_one(value):
    assert innermost(value) is CHAT
    assert is_chat_model(value)
    answerer = as_answerer(value, role="remote")
    assert isinstance(answerer, ChatAnswerer)
    assert answerer.invoke("Who?").text == "Ada"


def test_a_function_is_given_the_question_and_a_runnable_the_dict_of_it():
    question = QAInput("Who?", "Ada.")
    assert input_for(as_answerer(len, role="local"), question) is question
    for wrapped in (
        RunnableLambda(len).with_retry(),
        RunnableLambda(len).bind(x=1),
        RunnableLambda(len).with_config(tags=[]),
    ):
        assert input_for(wrapped, question) is question
    assert input_for(RunnableLambda(str) | str, question) == {"question": "Who?", "context": "Ada."}


def test_what_cannot_answer_is_named_with_its_role():
    with pytest.raises(ConfigurationError, match="remote=3 cannot answer"):
        as_answerer(3, role="remote")
