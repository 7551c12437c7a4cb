"""The demo's server: a reader here, a recording in the hosted model's place, tools that are called; no key."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from twosup_chain.demo.run import SAMPLE
from twosup_chain.demo.stand_in import route
from twosup_chain.service.app import Service
from twosup_chain.service.config import ServerTable
from twosup_chain.service.log import DecisionLog
from twosup_chain.text.questions import load_questions

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "search",
            "parameters": {"properties": {"query": {"type": "string"}, "most": {"type": "integer"}}},
        },
    }
]


@pytest.fixture
def client(tmp_path):
    """A client of the demo's server."""
    service = Service({"demo": route(DecisionLog(tmp_path / "log.db"))}, ServerTable(), {})
    with TestClient(service.app()) as made:
        yield made


def ask(client, *messages, **more):
    told = [{"role": role, "content": content} for role, content in messages]
    return client.post("/v1/chat/completions", json={"model": "demo", "messages": told, **more}).json()


def test_conversation_and_question_end_alike(client) -> None:
    sources = set()
    for example in load_questions(SAMPLE)[:24]:
        chat = ask(client, ("system", example.context), ("user", example.question))
        asked = {"model": "demo", "question": example.question, "context": example.context}
        answer = client.post("/v1/answer", json=asked).json()
        assert chat["choices"][0]["message"]["content"] == answer["text"]
        assert (chat["twosup"]["source"], chat["twosup"]["status"]) == (answer["source"], answer["status"])
        sources.add(answer["source"])
    assert sources == {"local", "remote", "none"}


def test_the_first_tool_is_called_with_the_question(client) -> None:
    (choice,) = ask(client, ("user", "Who designed it?"), tools=TOOLS)["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert call["function"]["name"] == "search"
    assert call["function"]["arguments"] == '{"query": "Who designed it?", "most": 1}'


def test_what_was_not_recorded_has_no_answer(client) -> None:
    body = ask(client, ("user", "Hello"))
    assert body["twosup"]["status"] == "untrusted"
    assert "holds no answer" in body["twosup"]["error"]
