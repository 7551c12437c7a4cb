"""The clients of other providers, against stand-ins on loopback that answer as their documentation says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from faults.stand_in import StandIn, sse

from twosup_chain import ChatAnswerer, Supervisor, TwoSupervisorChain, TwoSupervisorChatModel
from twosup_chain.errors import AnswererError, EmptyAnswerError, RefusalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.language_models import BaseChatModel

ASKED = {"question": "Who designed it?", "context": "It was designed by Ellen Marsh in 1874."}
ELLEN = "Ellen Marsh"


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


def chat_model(provider: str, url: str) -> BaseChatModel:
    match provider:
        case "anthropic":
            module = pytest.importorskip("langchain_anthropic")
            return module.ChatAnthropic(model="claude-x", base_url=url, api_key="none", max_retries=0)
        case "google":
            module = pytest.importorskip("langchain_google_genai")
            return module.ChatGoogleGenerativeAI(model="gemini-x", base_url=url, api_key="none", max_retries=1)
        case "ollama":
            module = pytest.importorskip("langchain_ollama")
            return module.ChatOllama(model="llama-x", base_url=url, logprobs=True, top_logprobs=2)
        case _:
            module = pytest.importorskip("langchain_openai")
            responses = provider == "openai, Responses"
            logprobs = {} if responses else {"logprobs": True}
            return module.ChatOpenAI(
                model="gpt-x",
                base_url=f"{url}/v1",
                api_key="none",
                max_retries=0,
                use_responses_api=responses,
                **logprobs,
            )


# -- what each provider says -------------------------------------------------------------------------------------------


def anthropic(*content: dict[str, Any], ending: str = "end_turn") -> dict[str, Any]:
    usage = {
        "input_tokens": 9,
        "output_tokens": 2,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 3,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "server_tool_use": None,
        "service_tier": "standard",
    }
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "stop_sequence": None}
    return {**head, "content": list(content), "stop_reason": ending, "usage": usage}


def google(*parts: dict[str, Any], ending: str = "STOP", **more: Any) -> dict[str, Any]:
    usage = {
        "promptTokenCount": 12,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 5,
        "cachedContentTokenCount": 3,
        "totalTokenCount": 19,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 12}],
    }
    content = {"content": {"role": "model", "parts": list(parts)}} if parts else {}
    candidate = {"index": 0, "finishReason": ending, **content, **more}
    return {"candidates": [candidate], "modelVersion": "gemini-x", "responseId": "r", "usageMetadata": usage}


def ollama(text: str, **more: Any) -> list[str]:
    tokens = [("Ellen", -0.1), (" Marsh", -0.2)]
    logprobs = [
        {"token": token, "logprob": p, "bytes": [*token.encode()], "top_logprobs": [{"token": token, "logprob": p}]}
        for token, p in tokens
    ]
    head = {"model": "llama-x", "created_at": "2025-01-01T00:00:00Z"}
    first = {**head, "message": {"role": "assistant", "content": text, **more}, "done": False}
    if text == ELLEN:
        first["logprobs"] = logprobs
    counts = {"total_duration": 5, "load_duration": 1, "prompt_eval_count": 12, "eval_count": 2, "eval_duration": 3}
    last = {**head, "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", **counts}
    return [json.dumps(first), json.dumps(last)]


def openai(
    content: str | None, *, ending: str = "stop", message: Any = None, choice: Any = None, **more: Any
) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, **(message or {})}
    choices = [{"index": 0, "message": said, "finish_reason": ending, **(choice or {})}]
    usage = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-x",
        "choices": choices,
        "usage": usage,
    } | more


def responses(*output: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    usage = {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 3},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 14,
    }
    head = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-x", "status": status, "error": None}
    rest = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "incomplete_details": None}
    return {**head, **rest, "output": list(output), "usage": usage} | more


def output(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": list(content)}


TEXT = {"type": "text", "text": ELLEN}
THOUGHT = {"type": "thinking", "thinking": "Tom?", "signature": "s"}
LOGPROBS = {
    "content": [
        {
            "id": 7,
            "token": "Ellen",
            "logprob": -0.1,
            "bytes": [69],
            "top_logprobs": [{"token": "Ellen", "logprob": -0.1}],
        },
        {"id": 8, "token": " Marsh", "logprob": -0.2, "bytes": None, "top_logprobs": []},
    ],
    "refusal": None,
}
CITED = {
    "type": "char_location",
    "cited_text": ELLEN,
    "document_index": 0,
    "document_title": None,
    "start_char_index": 19,
    "end_char_index": 30,
}

#: Provider, reply, number of tokens with log-probabilities.
ANSWERS = {
    "Anthropic": ("anthropic", anthropic(TEXT), 0),
    "Anthropic, thinking": (
        "anthropic",
        anthropic(THOUGHT, {"type": "redacted_thinking", "data": "x"}, TEXT),
        0,
    ),
    "Anthropic, citing": (
        "anthropic",
        anthropic({"type": "text", "text": "Ellen "}, {"type": "text", "text": "Marsh", "citations": [CITED]}),
        0,
    ),
    "Anthropic, cut short": ("anthropic", anthropic(TEXT, ending="max_tokens"), 0),
    "Google": ("google", google({"text": ELLEN}, avgLogprobs=-0.1), 0),
    "Google, thinking": (
        "google",
        google({"text": "Tom?", "thought": True}, {"text": ELLEN, "thoughtSignature": "c2ln"}),
        0,
    ),
    "Google, citing": (
        "google",
        google(
            {"text": ELLEN},
            citationMetadata={"citationSources": [{"startIndex": 0, "endIndex": 5, "uri": "u"}]},
            groundingMetadata={"groundingChunks": [{"web": {"uri": "u", "title": "t"}}]},
        ),
        0,
    ),
    "Ollama": ("ollama", ollama(ELLEN), 2),
    "Ollama, thinking": ("ollama", ollama(ELLEN, thinking="Tom?"), 2),
    "OpenAI": (
        "openai",
        openai(
            ELLEN, choice={"logprobs": LOGPROBS}, message={"refusal": None, "annotations": []}, service_tier="default"
        ),
        2,
    ),
    "OpenAI, counts in full": (
        "openai",
        openai(
            ELLEN,
            usage={
                "prompt_tokens": 12,
                "completion_tokens": 2,
                "total_tokens": 14,
                "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "accepted_prediction_tokens": 0},
            },
        ),
        0,
    ),
    "OpenAI, Responses": (
        "openai, Responses",
        responses(output({"type": "output_text", "text": ELLEN, "annotations": []})),
        0,
    ),
    "OpenAI, Responses, thinking and citing": (
        "openai, Responses",
        responses(
            {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "Tom?"}]},
            output(
                {
                    "type": "output_text",
                    "text": ELLEN,
                    "annotations": [{"type": "file_citation", "index": 3, "file_id": "f", "filename": "a.txt"}],
                }
            ),
        ),
        0,
    ),
    "Azure": (
        "openai",
        openai(
            ELLEN,
            choice={"content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}, "logprobs": LOGPROBS},
            prompt_filter_results=[{"prompt_index": 0, "content_filter_results": {}}],
        ),
        2,
    ),
    "Groq": (
        "openai",
        openai(
            ELLEN,
            choice={"logprobs": None},
            message={"reasoning": "Tom?"},
            usage={
                "queue_time": 0.1,
                "prompt_tokens": 12,
                "completion_tokens": 2,
                "total_tokens": 14,
                "total_time": 0.2,
            },
            x_groq={"id": "r"},
        ),
        0,
    ),
    "Mistral": ("openai", openai(ELLEN, message={"tool_calls": None, "prefix": False}), 0),
    "vLLM": (
        "openai",
        openai(
            ELLEN,
            choice={"logprobs": LOGPROBS, "stop_reason": None, "token_ids": None},
            message={"reasoning_content": "Tom?", "tool_calls": []},
            prompt_logprobs=None,
            kv_transfer_params=None,
        ),
        2,
    ),
    "llama.cpp": (
        "openai",
        openai(ELLEN, choice={"logprobs": LOGPROBS}, timings={"prompt_n": 9, "predicted_ms": 0.5}),
        2,
    ),
    "a server without an account": ("openai", openai(ELLEN, usage=None), 0),
}

NO_ANSWERS = {
    "Anthropic, refusing": ("anthropic", anthropic(ending="refusal"), RefusalError),
    "Anthropic, still thinking": (
        "anthropic",
        anthropic(THOUGHT, ending="max_tokens"),
        EmptyAnswerError,
    ),
    "Google, unsafe": ("google", google(ending="SAFETY"), RefusalError),
    "Google, recited": ("google", google(ending="RECITATION"), RefusalError),
    "Google, the prompt": (
        "google",
        {
            "promptFeedback": {"blockReason": "SAFETY"},
            "modelVersion": "gemini-x",
            "usageMetadata": {"promptTokenCount": 9},
        },
        RefusalError,
    ),
    "Google, thoughts alone": ("google", google(ending="MAX_TOKENS"), EmptyAnswerError),
    "Ollama, nothing": ("ollama", ollama(""), EmptyAnswerError),
    "OpenAI, refusing": ("openai", openai(None, message={"refusal": "I cannot help with that."}), RefusalError),
    "OpenAI, filtered": ("openai", openai("", ending="content_filter"), RefusalError),
    "OpenAI, Responses, refusing": (
        "openai, Responses",
        responses(output({"type": "refusal", "refusal": "I cannot help with that."})),
        RefusalError,
    ),
    "OpenAI, Responses, filtered": (
        "openai, Responses",
        responses(status="incomplete", incomplete_details={"reason": "content_filter"}),
        RefusalError,
    ),
}


@pytest.mark.parametrize(("provider", "reply", "tokens"), ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_is_read_with_its_account_and_its_log_probabilities(provider, reply, tokens, stand_in):
    stand_in.reply = reply
    answerer = ChatAnswerer(chat_model(provider, stand_in.url))
    for answer in (answerer.invoke(ASKED), await answerer.ainvoke(ASKED)):
        assert answer.text == ELLEN
        assert answer.model in ("claude-x", "gemini-x", "llama-x", "gpt-x")
        assert len(answer.token_logprobs or ()) == tokens
        if tokens:
            assert answer.token_logprobs[0].top == (("Ellen", -0.1),)
        if isinstance(reply, dict) and reply.get("usage", ...) is None:
            assert answer.usage is None
        else:
            assert answer.usage["input_tokens"] == 12
            assert answer.usage["total_tokens"] >= 14


@pytest.mark.parametrize(("provider", "reply", "error"), NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_is_named_and_keeps_what_it_cost(provider, reply, error, stand_in):
    stand_in.reply = reply
    with pytest.raises(AnswererError) as caught:
        ChatAnswerer(chat_model(provider, stand_in.url)).invoke(ASKED)
    assert type(caught.value) is error
    if "candidates" in reply or "output" in reply or "choices" in reply:
        assert caught.value.usage["input_tokens"] == 12


@pytest.mark.parametrize("name", ["Anthropic", "Google", "Ollama", "OpenAI", "OpenAI, Responses"])
async def test_a_chain_trusts_the_answer_of_every_provider_by_what_stands_in_the_passage(name, stand_in):
    provider, stand_in.reply, tokens = ANSWERS[name]
    model = chat_model(provider, stand_in.url)
    for scorer, trusted in (("grounded", True), ("in_context", True), ("min_token_probability", tokens > 0)):
        chain = TwoSupervisorChain(
            local=lambda _: None,
            local_supervisor=Supervisor(lambda question, answer: 0.0, threshold=0.5),
            remote=model,
            remote_supervisor=Supervisor(scorer, threshold=0.3),
        )
        for result in (chain.invoke(ASKED), await chain.ainvoke(ASKED)):
            assert (result.answer == ELLEN) is trusted
            assert result.usage["input_tokens"] == 12
            assert type(result).model_validate_json(result.model_dump_json()) == result


STREAMS = {
    "anthropic": sse(
        {"type": "message_start", "message": {**anthropic(), "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Ellen "}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Marsh"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {
                "output_tokens": 2,
                "input_tokens": 9,
                "cache_read_input_tokens": 3,
                "cache_creation_input_tokens": 0,
            },
        },
        {"type": "message_stop"},
    ),
    "google": sse(google({"text": "Ellen "}, ending=None), google({"text": "Marsh"})),
    "ollama": ollama(ELLEN),
}


@pytest.mark.parametrize("provider", STREAMS)
async def test_a_streamed_draft_is_read_as_the_whole_message_is(provider, stand_in):
    stand_in.reply = STREAMS[provider]
    chat = TwoSupervisorChatModel(
        local=chat_model(provider, stand_in.url),
        local_supervisor=Supervisor(lambda question, answer: float(answer.text == ELLEN), threshold=0.5),
    )
    streamed = list(chat.stream("Who?")), [chunk async for chunk in chat.astream("Who?")]
    for chunks in streamed:
        assert "".join(chunk.text for chunk in chunks) == ELLEN
        assert chunks[-1].usage_metadata["output_tokens"] >= 2
