"""An answerer of questions on a context stands where a chat model does: a reader as the local model, say."""

from __future__ import annotations

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from twosup_chain import Answer, Supervisor, TwoSupervisorChain, TwoSupervisorChatModel
from twosup_chain.errors import ConfigurationError

SURE = [("Paris", 0.9)]
OTHER = [("Rome", 0.9)]
NOTHING = "No answer was found that can be trusted."


def test_a_reader_may_stand_where_a_local_chat_model_does() -> None:
    def reader(asked):
        return Answer("Ada", scores={"answerability": 0.9}) if asked.context else None

    chat = TwoSupervisorChatModel(
        local=reader,
        local_supervisor=Supervisor("answerability", threshold=0.5),
        context=lambda messages: [message.text for message in messages if isinstance(message, SystemMessage)],
    )
    conversation = [SystemMessage("Ada wrote it."), HumanMessage("Who?")]
    message = chat.invoke(conversation)
    assert (message.text, message.response_metadata["twosup"]["source"]) == ("Ada", "local")
    assert "".join(chunk.text for chunk in chat.stream(conversation)) == "Ada"
    assert chat.invoke("Who?").text == NOTHING


def test_what_an_answerer_cannot_do_is_said() -> None:
    always = Supervisor(lambda question, answer: 1.0, threshold=0.5)
    hosted = TwoSupervisorChatModel(
        local=FakeListChatModel(responses=["a"]),
        local_supervisor=always,
        remote=lambda asked: "b",
        remote_supervisor=always,
    )
    with pytest.raises(ConfigurationError, match="nobody can call tools"):
        hosted.bind_tools([])
    with pytest.raises(ConfigurationError, match="neither call tools nor write JSON"):
        hosted.invoke("Who?", response_format={"type": "json_object"})
    with pytest.raises(ConfigurationError, match="no chat model is there to count tokens"):
        TwoSupervisorChatModel(local=lambda asked: "a", local_supervisor=always).get_token_ids("a")


def test_what_is_to_be_json_is_for_the_hosted_model(chat) -> None:
    built = chat(SURE, OTHER)
    assert (
        built.invoke("Where?", response_format={"type": "json_object"}).response_metadata["twosup"]["source"]
        == "remote"
    )
    assert built.invoke("Where?", response_format={"type": "text"}).response_metadata["twosup"]["source"] == "local"


@pytest.mark.parametrize("weighs", [False, True])
def test_no_answer_outweighs_a_reading_as_in_a_chain(weighs) -> None:
    parts = {
        "local": lambda asked: Answer("Ada", scores={"answerability": 0.2}),
        "local_supervisor": Supervisor("answerability", threshold=0.5),
        "early_abstention": weighs,
    }
    result = TwoSupervisorChain(**parts).invoke({"question": "Who?", "context": "Ada"})
    told = TwoSupervisorChatModel(**parts).invoke("Who?").response_metadata["twosup"]
    assert (told["source"], told["status"]) == (result.source, result.status)
    assert told["status"] == ("unanswerable" if weighs else "untrusted")
