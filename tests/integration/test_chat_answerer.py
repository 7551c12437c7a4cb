"""`ChatAnswerer` with a real `ChatOpenAI` against a server that fails on purpose: every way a hosted model can fail."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from twosup_chain import Answer, ChatAnswerer
from twosup_chain.errors import EmptyAnswerError, NotTextError, RefusalError

pytestmark = pytest.mark.integration

WHO = {"question": "Who designed it?", "context": "It was designed by Ellen Marsh."}
USAGE = {"input_tokens": 40, "output_tokens": 2, "total_tokens": 42}
ELLEN = [("Ellen", -0.01), (" Marsh", -0.2)]


def expected_error(failure):
    """Returns the class of error that a failure must lead to: ours for a reply, the provider's for the rest."""
    openai = pytest.importorskip("openai")
    return {
        "hang": openai.APITimeoutError,
        "reset_before_headers": openai.APIConnectionError,
        "reset_mid_body": openai.APIConnectionError,
        "closed_mid_body": openai.APIConnectionError,
        "refused_connection": openai.APIConnectionError,
        "bad_request": openai.BadRequestError,
        "unauthorized": openai.AuthenticationError,
        "forbidden": openai.PermissionDeniedError,
        "model_not_found": openai.NotFoundError,
        "rate_limited": openai.RateLimitError,
        "server_error": openai.InternalServerError,
        "bad_gateway": openai.InternalServerError,
        "unavailable": openai.InternalServerError,
        "gateway_timeout": openai.InternalServerError,
        "stream_with_an_error_event": ValueError,
        "empty_body": json.JSONDecodeError,
        "truncated_json": json.JSONDecodeError,
        "invalid_json": json.JSONDecodeError,
        "not_json": ValueError,
        "binary": ValueError,
        "no_choices": IndexError,
        "error_in_200": ValueError,
        "empty_content": EmptyAnswerError,
        "blank_content": EmptyAnswerError,
        "null_content": EmptyAnswerError,
        "number_content": ValueError,
        "image_content": NotTextError,
        "refusal": RefusalError,
        "content_filter": RefusalError,
        "tool_call": NotTextError,
    }[failure]


def test_a_good_reply_is_an_answer_with_its_evidence(fault_chat):
    answer = ChatAnswerer(fault_chat("good")).invoke(WHO)
    assert (answer.text, answer.model) == ("Ellen Marsh", "played")
    assert [(token.token, token.logprob) for token in answer.token_logprobs] == ELLEN
    assert {name: answer.usage[name] for name in USAGE} == USAGE
    assert answer.seconds > 0


def test_a_reply_of_unanswerable_is_a_prediction_with_its_evidence(fault_chat):
    answer = ChatAnswerer(fault_chat("no_answer")).invoke(WHO)
    assert answer.text is None
    assert [token.token for token in answer.token_logprobs] == ["un", "answerable"]


def test_a_name_finds_the_same_model(fault_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    options = {"base_url": fault_server.url("good"), "logprobs": True, "max_retries": 0}
    assert ChatAnswerer("openai:gpt-x", model_kwargs=options).invoke(WHO).text == "Ellen Marsh"


def test_missing_or_malformed_log_probabilities_cost_the_evidence_and_not_the_answer(fault_chat, without_logprobs):
    answer = ChatAnswerer(fault_chat(without_logprobs)).invoke(WHO)
    assert (answer.text, answer.token_logprobs) == ("Ellen Marsh", None)
    assert {name: answer.usage[name] for name in USAGE} == USAGE


def test_every_failure_raises(fault_chat, failure):
    with pytest.raises(expected_error(failure)) as caught:
        ChatAnswerer(fault_chat(failure)).invoke(WHO)
    assert "sk-secret" not in str(caught.value)


async def test_every_failure_raises_asynchronously(fault_chat, failure):
    with pytest.raises(expected_error(failure)):
        await ChatAnswerer(fault_chat(failure)).ainvoke(WHO)


@pytest.mark.parametrize("rejected", ["empty_content", "refusal", "content_filter", "tool_call", "image_content"])
def test_a_reply_that_is_no_answer_tells_what_it_cost(fault_chat, rejected):
    with pytest.raises((EmptyAnswerError, NotTextError, RefusalError)) as caught:
        ChatAnswerer(fault_chat(rejected)).invoke(WHO)
    assert {name: caught.value.usage[name] for name in USAGE} == USAGE


async def test_a_cancelled_call_does_not_wait_for_the_server(fault_chat, fault_server):
    before, started = fault_server.calls.count("hang"), time.monotonic()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ChatAnswerer(fault_chat("hang", timeout=60)).ainvoke(WHO), 2)
    assert time.monotonic() - started < 10
    assert fault_server.calls.count("hang") == before + 1


async def test_calls_at_the_same_time_keep_their_answers_and_errors_apart(fault_chat):
    names = ["good", "refusal", "no_answer", "empty_content"] * 5
    calls = (ChatAnswerer(fault_chat(name)).ainvoke(WHO) for name in names)
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(item) for item in found] == [Answer, RefusalError, Answer, EmptyAnswerError] * 5
    assert [item.text for item in found if isinstance(item, Answer)] == ["Ellen Marsh", None] * 5
