"""Messages as LangChain's clients of many providers make them, written by hand from their documentation."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from twosup_chain.answerers.message import answer_from_message
from twosup_chain.errors import AnswererError, EmptyAnswerError, NotTextError, RefusalError

USAGE = {"input_tokens": 12, "output_tokens": 2, "total_tokens": 14}
COUNTS = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14}
TOKENS = [
    {"token": "Ellen", "logprob": -0.1, "bytes": [69], "top_logprobs": [{"token": "Ellen", "logprob": -0.1}]},
    {"token": " Marsh", "logprob": -0.2, "bytes": None, "top_logprobs": []},
]
OLDER = {"tokens": ["Ellen", " Marsh"], "token_logprobs": [-0.1, -0.2], "top_logprobs": [{"Ellen": -0.1}, {}]}
TEXT = {"type": "text", "text": "Ellen Marsh"}
THOUGHT = {"type": "thinking", "thinking": "Tom?", "signature": "s"}
CALL = {"name": "search", "args": {}, "id": "1", "type": "tool_call"}

#: Content, additional_kwargs, response_metadata, usage_metadata, number of tokens with log-probabilities.
ANSWERS = {
    "OpenAI": (
        "Ellen Marsh",
        {"refusal": None},
        {"token_usage": COUNTS, "model_name": "m", "finish_reason": "stop", "logprobs": {"content": TOKENS}},
        USAGE,
        2,
    ),
    "OpenAI, Responses": (
        [{"type": "reasoning", "summary": []}, {**TEXT, "annotations": [{"type": "url_citation", "url": "u"}]}],
        {},
        {"model_name": "m", "status": "completed", "incomplete_details": None},
        {**USAGE, "output_token_details": {"reasoning": 1}},
        0,
    ),
    "Azure": (
        "Ellen Marsh",
        {},
        {"model_name": "m", "finish_reason": "stop", "logprobs": None, "content_filter_results": {"hate": {}}},
        USAGE,
        0,
    ),
    "Anthropic": (
        [THOUGHT, {**TEXT, "citations": [{"type": "char_location"}]}],
        {},
        {"model": "m", "stop_reason": "end_turn", "usage": {"input_tokens": 12, "service_tier": "standard"}},
        {**USAGE, "input_token_details": {"cache_read": 0, "ephemeral_5m_input_tokens": 0}},
        0,
    ),
    "Google": (
        [{"type": "thinking", "thinking": "Tom?"}, {**TEXT, "extras": {"signature": "s"}}],
        {},
        {"model_name": "m", "finish_reason": "STOP", "safety_ratings": [], "grounding_metadata": {}},
        USAGE,
        0,
    ),
    "Vertex AI": (
        "Ellen Marsh",
        {},
        {"model_name": "m", "finish_reason": "STOP", "avg_logprobs": -0.1, "logprobs_result": TOKENS},
        USAGE,
        2,
    ),
    "Mistral": (
        [{"type": "thinking", "thinking": [{"type": "text", "text": "Tom?"}]}, TEXT, {"type": "reference"}],
        {},
        {"token_usage": COUNTS, "model_name": "m", "model": "m", "finish_reason": "stop"},
        USAGE,
        0,
    ),
    "Ollama": (
        "Ellen Marsh",
        {"reasoning_content": "Tom?"},
        {"model": "m", "done": True, "done_reason": "stop", "eval_count": 2, "logprobs": TOKENS},
        USAGE,
        2,
    ),
    "Bedrock": (
        [{"type": "reasoning_content", "reasoning_content": {"text": "Tom?", "signature": "s"}}, TEXT],
        {},
        {"model_name": "m", "stopReason": "end_turn", "metrics": {"latencyMs": [551]}, "ResponseMetadata": {}},
        {**USAGE, "input_token_details": {"cache_creation": 0, "cache_read": 0}},
        0,
    ),
    "Groq": (
        "Ellen Marsh",
        {"reasoning_content": "Tom?"},
        {"token_usage": {**COUNTS, "queue_time": 0.1}, "model_name": "m", "finish_reason": "stop", "logprobs": None},
        None,
        0,
    ),
    "vLLM": (
        "Ellen Marsh",
        {},
        {"token_usage": COUNTS, "model_name": "m", "finish_reason": "stop", "logprobs": {"content": TOKENS}},
        USAGE,
        2,
    ),
    "vLLM, a reasoning in the text": (
        "<think>Tom?</think>\n\nEllen Marsh",
        {},
        {"token_usage": COUNTS, "model_name": "m", "finish_reason": "stop"},
        USAGE,
        0,
    ),
    "llama.cpp": (
        "Ellen Marsh",
        {},
        {"token_usage": COUNTS, "model_name": "m", "logprobs": {"content": [{**token, "id": 7} for token in TOKENS]}},
        USAGE,
        2,
    ),
    "llama.cpp, an older server": (
        "Ellen Marsh",
        {},
        {"token_usage": COUNTS, "model_name": "m", "logprobs": OLDER},
        None,
        2,
    ),
    "a client that knows little of its server": (
        "Ellen Marsh",
        {},
        {"model": "m", "usage": COUNTS, "logprobs": "no"},
        None,
        0,
    ),
}


@pytest.mark.parametrize(("content", "more", "metadata", "usage", "tokens"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_read_with_all_that_comes_with_it(content, more, metadata, usage, tokens):
    message = AIMessage(content, additional_kwargs=more, response_metadata=metadata, usage_metadata=usage)
    answer = answer_from_message(message)
    assert (answer.text, answer.model) == ("Ellen Marsh", "m")
    assert {name: answer.usage[name] for name in USAGE} == USAGE
    assert [token.logprob for token in answer.token_logprobs or ()] == [-0.1, -0.2][:tokens]
    if tokens:
        assert answer.token_logprobs[0].top == (("Ellen", -0.1),)
    assert type(answer).model_validate_json(answer.model_dump_json()) == answer


NO_ANSWERS = {
    "OpenAI, refusing": ("", {"refusal": "I cannot."}, {"finish_reason": "stop"}, RefusalError),
    "OpenAI, Responses": ([{"type": "refusal", "refusal": "I cannot."}], {}, {"status": "completed"}, RefusalError),
    "Azure, filtered": ("Ell", {}, {"finish_reason": "content_filter"}, RefusalError),
    "Anthropic, refusing": ([], {}, {"stop_reason": "refusal"}, RefusalError),
    "Anthropic, paused": ([{"type": "server_tool_use", "name": "s"}], {}, {"stop_reason": "pause_turn"}, NotTextError),
    "Google, unsafe": ("", {}, {"finish_reason": "SAFETY"}, RefusalError),
    "Google, malformed": ("", {}, {"finish_reason": "MALFORMED_FUNCTION_CALL"}, EmptyAnswerError),
    "Bedrock, guarded": ("Blocked.", {}, {"stopReason": "guardrail_intervened"}, RefusalError),
    "Bedrock, filtered": ("", {}, {"stopReason": "content_filtered"}, RefusalError),
    "Bedrock, too long": ("", {}, {"stopReason": "model_context_window_exceeded"}, EmptyAnswerError),
    "Mistral, too long": ("", {}, {"finish_reason": "model_length"}, EmptyAnswerError),
    "Ollama, loaded alone": ("", {}, {"done_reason": "load"}, EmptyAnswerError),
    "vLLM, still thinking": ("<think>Tom?", {}, {"finish_reason": "length"}, EmptyAnswerError),
    "a block of a kind that is none": ([{"type": ["x"]}], {}, {"finish_reason": ["stop"]}, NotTextError),
}


@pytest.mark.parametrize(("content", "more", "metadata", "error"), NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_is_named_and_keeps_what_it_cost(content, more, metadata, error):
    message = AIMessage(content, additional_kwargs=more, response_metadata=metadata, usage_metadata=USAGE)
    with pytest.raises(AnswererError) as caught:
        answer_from_message(message)
    assert type(caught.value) is error
    assert caught.value.usage == USAGE


def test_a_reply_that_calls_a_tool_is_no_answer_whoever_sends_it():
    with pytest.raises(NotTextError, match="search"):
        answer_from_message(AIMessage([TEXT, {"type": "tool_use", "name": "search"}], tool_calls=[CALL]))


KEYS = [
    "logprobs",
    "content",
    "token",
    "logprob",
    "top_logprobs",
    "tokens",
    "token_logprobs",
    "logprobs_result",
    "chosen_candidates",
    "top_candidates",
    "candidates",
    "log_probability",
    "usage",
    "token_usage",
    "input_tokens",
    "output_tokens",
    "prompt_tokens",
    "input_token_details",
    "model",
    "model_name",
    "finish_reason",
    "incomplete_details",
    "reason",
    "prompt_feedback",
    "block_reason",
    "type",
    "text",
    "refusal",
    "value",
]
VALUES = [None, True, -1, 2**70, math.nan, -math.inf, "x", "content_filter"]


def anything(draw: random.Random, depth: int = 0) -> Any:
    kind = draw.randrange(4 if depth < 3 else 2)
    if kind < 2:
        return draw.choice(VALUES)
    inner = [anything(draw, depth + 1) for _ in range(draw.randrange(4))]
    return inner if kind == 2 else {draw.choice(KEYS): value for value in inner}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_message_holds_it_is_an_answer_or_a_named_error(seed):
    draw, read = random.Random(seed), 0  # noqa: S311
    for _ in range(1_000):
        blocks = [{"type": anything(draw, 2), "text": "Ellen"}, {draw.choice(KEYS): anything(draw)}]
        odd = {
            "content": draw.choice(["Ellen Marsh", "Ellen Marsh", blocks]),
            "response_metadata": {key: anything(draw) for key in draw.sample(KEYS, 6)},
            "usage_metadata": anything(draw),
        }
        try:
            answer = answer_from_message(AIMessage("").model_copy(update=odd))
        except AnswererError:
            continue
        read += 1
        assert type(answer).model_validate_json(answer.model_dump_json()) == answer
    assert read > 300
