from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from twosup_chain import Answer
from twosup_chain.answerers.message import REFUSALS, answer_from_message
from twosup_chain.answerers.reply import as_answer
from twosup_chain.errors import AnswererError, EmptyAnswerError, NotTextError, RefusalError

USAGE = {"input_tokens": 40, "output_tokens": 2, "total_tokens": 42}
LOGPROBS = {"content": [{"token": "Ellen", "logprob": -0.01}, {"token": " Marsh", "logprob": -0.2}]}
CALL = {"name": "search", "args": {}, "id": "1", "type": "tool_call"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}


def test_a_message_becomes_an_answer_with_all_its_evidence():
    message = AIMessage(
        "Ellen Marsh", usage_metadata=USAGE, response_metadata={"logprobs": LOGPROBS, "model_name": "gpt-x"}
    )
    assert answer_from_message(message) == Answer(
        "Ellen Marsh", token_logprobs=[("Ellen", -0.01), (" Marsh", -0.2)], usage=USAGE, model="gpt-x"
    )


def test_a_message_without_evidence_is_an_answer_all_the_same():
    assert answer_from_message(AIMessage("Ellen Marsh")) == Answer("Ellen Marsh")


def test_as_answer_reads_messages_in_the_same_way():
    message = AIMessage("Answer: unanswerable", usage_metadata=USAGE)
    assert as_answer(message) == answer_from_message(message) == Answer(None, usage=USAGE)


@pytest.mark.parametrize(
    ("metadata", "model"),
    [({"model_name": "a", "model": "b"}, "a"), ({"model": "b"}, "b"), ({"model_name": 7}, None), ({}, None)],
)
def test_the_model_is_named_as_the_provider_names_it(metadata, model):
    assert answer_from_message(AIMessage("x", response_metadata=metadata)).model == model


def test_the_label_and_the_quotes_come_off_the_text_but_stay_among_the_tokens():
    logprobs = {"content": [{"token": token, "logprob": -0.1} for token in ("Answer", ":", ' "', "Ellen", '"')]}
    answer = answer_from_message(AIMessage('Answer: "Ellen"', response_metadata={"logprobs": logprobs}))
    assert answer.text == "Ellen"
    assert [token.token for token in answer.token_logprobs] == ["Answer", ":", ' "', "Ellen", '"']


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": "Ellen "}, {"type": "text", "text": "Marsh"}],
        [{"type": "thinking", "thinking": "Was it Tom?"}, {"type": "text", "text": "Ellen Marsh"}],
        [{"type": "reasoning", "reasoning": "Was it Tom?"}, {"type": "text", "text": "Ellen Marsh"}],
        [IMAGE, {"type": "text", "text": "Ellen Marsh"}],
        "<think>Was it Tom?</think>\n\nEllen Marsh",
        "Was it Tom?</think>Ellen Marsh",
    ],
)
def test_only_the_text_that_is_meant_as_the_answer_counts(content):
    assert answer_from_message(AIMessage(content)).text == "Ellen Marsh"


def test_tokens_of_a_reasoning_are_no_evidence():
    tokens = [("<think>", -1.0), ("Tom", -3.0), ("</think>", -0.1), ("Ellen", -0.2)]
    logprobs = {"content": [{"token": token, "logprob": logprob} for token, logprob in tokens]}
    message = AIMessage("<think>Tom</think>Ellen", response_metadata={"logprobs": logprobs})
    assert answer_from_message(message) == Answer("Ellen", token_logprobs=[("Ellen", -0.2)])


def test_malformed_log_probabilities_leave_the_answer_without_evidence():
    message = AIMessage("Ellen", response_metadata={"logprobs": {"content": [{"token": "Ellen", "logprob": "x"}]}})
    assert answer_from_message(message) == Answer("Ellen")


def test_a_reply_with_half_a_character_can_still_be_written_down():
    logprobs = {"content": [{"token": "Ellen", "logprob": -0.1}, {"token": " \ud83d", "logprob": -0.2}]}
    answer = answer_from_message(AIMessage("Ellen \ud83d", response_metadata={"logprobs": logprobs}))
    assert (answer.text, answer.token_logprobs[1].token) == ("Ellen \ufffd", " \ufffd")
    assert Answer.model_validate_json(answer.model_dump_json()) == answer


REFUSED = {
    "OpenAI": AIMessage("", additional_kwargs={"refusal": "I cannot help with that."}),
    "OpenAI, Responses": AIMessage([{"type": "refusal", "refusal": "I cannot help with that."}]),
    "OpenAI, Responses, cut short": AIMessage(
        "Ell", response_metadata={"incomplete_details": {"reason": "content_filter"}}
    ),
    "LangChain's standard content": AIMessage(
        [{"type": "non_standard", "value": {"type": "refusal", "refusal": "I cannot help with that."}}]
    ),
    "Azure, with half an answer": AIMessage("Ellen", response_metadata={"finish_reason": "content_filter"}),
    "Anthropic": AIMessage("", response_metadata={"stop_reason": "refusal"}),
    "Bedrock": AIMessage("Blocked by us.", response_metadata={"stopReason": "guardrail_intervened"}),
    "Google": AIMessage("", response_metadata={"finish_reason": "SAFETY"}),
    "Google, the prompt": AIMessage("", response_metadata={"prompt_feedback": {"block_reason": "SAFETY"}}),
}


@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_no_answer(message):
    with pytest.raises(RefusalError, match="the provider gave no answer"):
        answer_from_message(message)


@pytest.mark.parametrize("reason", sorted(REFUSALS))
def test_every_ending_that_means_a_refusal_is_known_in_both_spellings(reason):
    for spelling in (reason, reason.upper()):
        with pytest.raises(RefusalError, match=spelling):
            answer_from_message(AIMessage("Ellen", response_metadata={"finish_reason": spelling}))


@pytest.mark.parametrize(
    "message",
    [
        AIMessage("Ellen", response_metadata={"finish_reason": "STOP", "prompt_feedback": {"block_reason": 0}}),
        AIMessage("Ellen", response_metadata={"prompt_feedback": {"block_reason": "BLOCKED_REASON_UNSPECIFIED"}}),
        AIMessage("Ellen", response_metadata={"finish_reason": "length"}),
        AIMessage("Ellen", response_metadata={"stop_reason": "end_turn"}, additional_kwargs={"refusal": None}),
        AIMessage("Ellen", response_metadata={"prompt_feedback": "none", "incomplete_details": None}),
    ],
)
def test_an_ordinary_ending_is_no_refusal(message):
    assert answer_from_message(message).text == "Ellen"


@pytest.mark.parametrize(
    "content",
    ["", " \n\t", [], [{"type": "text", "text": ""}], [{"type": "thinking", "thinking": "Hm."}], "<think>Hm", '""'],
)
def test_an_empty_reply_is_no_answer(content):
    with pytest.raises(EmptyAnswerError, match="no text"):
        answer_from_message(AIMessage(content))


def test_an_empty_reply_says_how_it_ended():
    with pytest.raises(EmptyAnswerError, match="length"):
        answer_from_message(AIMessage("", response_metadata={"finish_reason": "length"}))


NOT_TEXT = {
    "an image": (AIMessage([IMAGE]), "image_url"),
    "a tool call": (AIMessage("", tool_calls=[CALL]), "search"),
    "a tool call with a preamble": (AIMessage("Let me look.", tool_calls=[CALL]), "search"),
    "a broken tool call": (
        AIMessage("", invalid_tool_calls=[{**CALL, "args": "{", "error": None, "type": "invalid_tool_call"}]),
        "search",
    ),
    "an old function call": (AIMessage("", additional_kwargs={"function_call": {"name": "search"}}), "tool"),
}


@pytest.mark.parametrize(("message", "named"), NOT_TEXT.values(), ids=NOT_TEXT)
def test_what_is_not_text_is_no_answer_and_the_error_names_it(message, named):
    with pytest.raises(NotTextError, match=named):
        answer_from_message(message)


@pytest.mark.parametrize("content", ["", [IMAGE]])
def test_a_rejected_reply_tells_what_it_cost(content):
    with pytest.raises(AnswererError) as caught:
        answer_from_message(AIMessage(content, usage_metadata=USAGE))
    assert caught.value.usage == USAGE


def test_a_stream_that_was_added_up_reads_like_the_whole_message():
    chunks = [
        AIMessageChunk(token["token"], response_metadata={"logprobs": {"content": [token]}})
        for token in LOGPROBS["content"]
    ]
    last = AIMessageChunk("", response_metadata={"finish_reason": "stop", "model_name": "gpt-x"}, usage_metadata=USAGE)
    whole = AIMessage(
        "Ellen Marsh", response_metadata={"logprobs": LOGPROBS, "model_name": "gpt-x"}, usage_metadata=USAGE
    )
    assert answer_from_message(chunks[0] + chunks[1] + last) == answer_from_message(whole)
