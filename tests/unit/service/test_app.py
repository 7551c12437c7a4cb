"""The server speaks OpenAI's form: whole and in pieces the same, no-answers, tools, errors; each request is kept."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from langchain_core.messages import AIMessage
from serving import ask, route, serve

NOTHING = "No answer was found that can be trusted."
TOOLS = [{"type": "function", "function": {"name": "search", "parameters": {"type": "object", "properties": {}}}}]


def pieces_of(response):
    """Returns the pieces of a stream, which must have ended."""
    *lines, end = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
    assert end == "[DONE]"
    return [json.loads(line) for line in lines]


def text_of(pieces):
    return "".join(choice["delta"].get("content") or "" for piece in pieces for choice in piece.get("choices", ()))


@pytest.mark.parametrize(
    ("question", "said", "text", "source", "status"),
    [
        ("Who?", (), "Ada", "local", "answered"),
        ("Who", ("Grace",), "Grace", "remote", "answered"),
        ("Who", ("bad",), NOTHING, "none", "untrusted"),
        ("Who", (), NOTHING, "none", "untrusted"),
    ],
)
def test_a_reply_is_the_same_whole_and_in_pieces(question, said, text, source, status) -> None:
    with serve(route(*said, *said)) as served:
        whole, pieces = ask(served, question), ask(served, question, stream=True)
        decisions = served.decisions
    body, last = whole.json(), pieces_of(pieces)[-1]
    assert body["choices"][0]["message"] == {"role": "assistant", "content": text, "refusal": None}
    assert text_of(pieces_of(pieces)) == text
    assert (body["choices"][0]["finish_reason"], last["choices"][0]["finish_reason"]) == ("stop", "stop")
    for told, response, decision in zip((body, last), (whole, pieces), decisions, strict=True):
        assert (told["twosup"]["source"], told["twosup"]["status"]) == (source, status)
        assert told["twosup"]["id"] == told["id"] == decision.id == response.headers["x-twosup-decision"]
        assert (decision.source, decision.status, decision.route) == (source, status, "docs")
    same = ("source", "status", "reason", "error", "verdicts", "model")
    assert [body["twosup"][key] for key in same] == [last["twosup"][key] for key in same]


def test_a_question_on_a_context_has_a_typed_answer_with_citations() -> None:
    with serve(route()) as served:
        asked = {"model": "docs", "question": "Who?", "context": ["Ada wrote it."]}
        response = served.post("/v1/answer", json=asked)
        nothing = served.post("/v1/answer", json={**asked, "question": "Who"}).json()
    body = response.json()
    assert (body["answer"], body["text"], body["status"], body["source"]) == ("Ada", "Ada", "answered", "local")
    assert body["citations"][0]["text"] == "Ada"
    assert (nothing["answer"], nothing["text"], nothing["status"]) == (None, NOTHING, "untrusted")
    assert response.headers["x-twosup-decision"] == body["id"]


def test_tools_are_the_hosted_models() -> None:
    def call():
        return AIMessage("", tool_calls=[{"name": "search", "args": {"query": "Ada"}, "id": "call_1"}])

    with serve(route(call(), call())) as served:
        (choice,) = ask(served, tools=TOOLS, tool_choice="auto").json()["choices"]
        streamed = pieces_of(ask(served, tools=TOOLS, stream=True))
    called = [{"id": "call_1", "type": "function", "function": {"name": "search", "arguments": '{"query": "Ada"}'}}]
    assert (choice["message"]["tool_calls"], choice["message"]["content"]) == (called, None)
    deltas = [delta for piece in streamed for delta in piece["choices"][0]["delta"].get("tool_calls", ())]
    assert deltas == [{"index": 0, **called[0]}]
    assert choice["finish_reason"] == streamed[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_tools_without_a_model_that_calls_any_are_refused() -> None:
    with serve(route()) as served:
        for more in ({"tools": TOOLS}, {"response_format": {"type": "json_object"}}):
            response = ask(served, **more)
            assert response.status_code == 400
            assert "no hosted chat model" in response.json()["error"]["message"]
        assert ask(served, response_format={"type": "text"}).status_code == 200


def test_a_route_that_asks_questions_alone_calls_no_tools_and_one_may_answer_no_conversation() -> None:
    with serve(replace(route(), chat_as="question")) as served:
        assert 'chat = "question"' in ask(served, tools=TOOLS).json()["error"]["message"]
        assert ask(served).status_code == 200
    with serve(replace(route(), chat_as="off")) as served:
        assert ask(served).status_code == 404
        assert served.post("/v1/answer", json={"model": "docs", "question": "Who?"}).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_json_and_sampling_are_handed_on_to_the_hosted_model(stream) -> None:
    made = route("{}")
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    sampling = {"temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["\n"]}
    with serve(made) as served:
        ask(served, response_format=form, max_completion_tokens=30, stream=stream, **sampling)
        assert served.decisions[0].source == "remote"
    assert made.chat.remote.told == {"response_format": form, "max_tokens": 30, **sampling}


def test_passages_may_be_sent_apart() -> None:
    with serve(route()) as served:
        body = ask(served, context="You are helpful.").json()
        own = served.post(
            "/v1/chat/completions",
            json={
                "model": "docs",
                "context": ["Grace wrote it."],
                "messages": [{"role": "system", "content": "You are kind."}, {"role": "user", "content": "Who?"}],
            },
        ).json()
    assert body["choices"][0]["message"]["content"] == "You"
    assert own["choices"][0]["message"]["content"] == "Grace"


def test_what_a_reply_cost_is_told_where_it_is_asked_for() -> None:
    cost = {"input_tokens": 7, "output_tokens": 1, "total_tokens": 8}
    with serve(route(*(AIMessage("Grace", usage_metadata=cost) for _ in range(2)))) as served:
        usage = ask(served, "Who").json()["usage"]
        last = pieces_of(ask(served, "Who", stream=True, stream_options={"include_usage": True}))[-1]
    assert usage == last["usage"] == {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}
    assert last["choices"] == []


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": "nobody", "content": "a"}]}, 400, "nobody"),
        ({"n": 2}, 400, "n = 2"),
        ({"max_tokens": 0}, 400, "max_tokens = 0"),
        ({"model": "other"}, 404, "there are: docs"),
        ({"metadata": 3}, 400, "metadata = 3"),
    ],
)
def test_a_wrong_request_is_named(change, status, words) -> None:
    with serve(route()) as served:
        response = (
            ask(served, **change)
            if "messages" not in change
            else served.post("/v1/chat/completions", json={"model": "docs", **change})
        )
        assert served.decisions == []
    assert response.status_code == status
    assert words in response.json()["error"]["message"]


@pytest.mark.parametrize(("path", "status"), [("/v1/none", 404), ("/v1/answer", 405)])
def test_what_is_not_there_is_said(path, status) -> None:
    with serve(route()) as served:
        assert served.get(path).status_code == status


def test_a_failed_hosted_model_is_a_no_answer_or_a_clear_error() -> None:
    def fail(asked):
        raise ConnectionError("sk-1234567890abcdef is down")

    with serve(route(remote=fail)) as served:
        assert ask(served, "Who").json()["twosup"]["error"].startswith("ConnectionError")
    with serve(route(remote=fail, on_remote_error="raise")) as served:
        response = ask(served, "Who")
        streamed = ask(served, "Who", stream=True)
        decisions = served.decisions
    assert (response.status_code, streamed.status_code) == (502, 502)
    assert "sk-1234567890abcdef" not in response.text
    assert [decision.status for decision in decisions] == ["failed", "failed"]
    assert "ConnectionError" in decisions[0].error


def test_a_question_that_takes_too_long_is_status_504() -> None:
    def slow(asked):
        time.sleep(1.0)

    with serve(route(remote=slow, on_remote_error="raise", deadline=0.2)) as served:
        assert ask(served, "Who").status_code == 504


def test_metadata_of_a_request_keeps_it_here() -> None:
    with serve(route("Grace", "Grace", never_escalate={"metadata": {"private": "yes"}})) as served:
        kept = ask(served, "Who", metadata={"private": "yes"}).json()
        asked = ask(served, "Who", metadata={"private": "no"}).json()
    assert "kept on this machine" in kept["twosup"]["reason"]
    assert (kept["twosup"]["source"], asked["twosup"]["source"]) == ("none", "remote")


def test_models_are_the_routes() -> None:
    with serve(route()) as served:
        assert [model["id"] for model in served.get("/v1/models").json()["data"]] == ["docs"]


def test_texts_are_kept_only_where_a_route_says_so() -> None:
    for keeps_text in (False, True):
        with serve(route(keeps_text=keeps_text)) as served:
            ask(served)
            (decision,) = served.decisions
        assert (decision.text is not None) == keeps_text
    assert (decision.text.question, decision.text.context, decision.text.answers) == (
        "Who?",
        ("Ada wrote it.",),
        {"local": "Ada"},
    )
    assert decision.stages.keys() == {"local", "local_supervisor"}


def test_sinks_are_closed_at_the_end_and_one_that_fails_costs_no_answer() -> None:
    made = route()

    async def fail(decision):
        raise OSError("disk full")

    made.sinks[0].record = fail
    with serve(made) as served:
        assert ask(served).status_code == 200
    assert made.sinks[0].closed


def test_a_reply_is_no_longer_than_its_route_allows() -> None:
    made = replace(route("Grace", "Grace"), max_tokens=10)
    with serve(made) as served:
        for asked, told in ((30, 10), (5, 5)):
            ask(served, "Who", max_tokens=asked)
            assert made.chat.remote.told["max_tokens"] == told


def test_roles_and_contents_of_openais_form_are_read() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    messages = [
        {"role": "developer", "content": "Ada wrote it."},
        {"role": "user", "content": [{"type": "text", "text": "Who?"}, picture]},
    ]
    with serve(route()) as served:
        body = served.post("/v1/chat/completions", json={"model": "docs", "messages": messages, "tools": []}).json()
    assert body["choices"][0]["message"]["content"] == "Ada"
