"""`ChatAnswerer` against a real OpenAI-compatible server on loopback, which runs SmolLM2-135M-Instruct."""

from __future__ import annotations

import math
from functools import reduce
from operator import add

import pytest

from twosup_chain import ChatAnswerer
from twosup_chain.answerers.message import answer_from_message
from twosup_chain.answerers.prompt import parse_reply, qa_messages

pytestmark = pytest.mark.integration

PASSAGE = (
    "The lighthouse of Skerry Point was finished in 1874 after six years of work. It was designed by Ellen Marsh and "
    "painted white by Zoë Müller of Zürich."
)
#: As a rule the model answers the first with a name, and says "unanswerable" to the second.
QUESTIONS = ("Who designed the lighthouse?", "How tall is the lighthouse?")


@pytest.fixture(scope="module")
def chat(llama_server):
    """A chat model as a user would write it; this server knows ``max_tokens`` by its old name alone."""
    langchain_openai = pytest.importorskip("langchain_openai")
    return langchain_openai.ChatOpenAI(
        model="remote",
        base_url=llama_server,
        api_key="none",
        temperature=0,
        logprobs=True,
        top_logprobs=3,
        max_retries=0,
        timeout=120,
        extra_body={"max_tokens": 24},
        default_headers={"Connection": "close"},  # LangChain shares its clients, and each test has its own event loop
    )


@pytest.fixture(scope="module", params=QUESTIONS)
def asked(request):
    return {"question": request.param, "context": PASSAGE}


@pytest.fixture(scope="module")
def answer(chat, asked):
    """The answer once the server has read the prompt: from there on it computes the same thing at every call."""
    ChatAnswerer(chat).invoke(asked)
    return ChatAnswerer(chat).invoke(asked)


def messages(asked):
    return qa_messages(asked["question"], [asked["context"]])


def tokens_of(answer):
    return [token.token for token in answer.token_logprobs]


def test_log_probabilities_usage_and_model_arrive(answer):
    logprobs = [token.logprob for token in answer.token_logprobs]
    assert all(math.isfinite(logprob) and logprob <= 0 for logprob in logprobs)
    assert min(logprobs) < 0
    assert answer.usage["output_tokens"] == len(logprobs) <= 24
    assert answer.usage["total_tokens"] == answer.usage["input_tokens"] + answer.usage["output_tokens"]
    assert answer.usage["input_tokens"] > 100
    assert answer.model == "remote"
    assert 0 < answer.seconds < 120


def test_the_tokens_joined_are_the_reply(chat, asked, answer):
    reply = chat.invoke(messages(asked)).text
    assert "".join(tokens_of(answer)) == reply
    assert answer.text == parse_reply(reply)


def test_greedy_tokens_are_the_likeliest_of_their_alternatives(answer):
    for token in answer.token_logprobs:
        assert len(token.top) == 3
        assert token.top[0] == (token.token, pytest.approx(token.logprob))
        assert sum(math.exp(logprob) for _, logprob in token.top) <= 1 + 1e-6


def test_a_stream_carries_log_probabilities_and_adds_up_to_the_same_answer(chat, asked, answer):
    chunks = list(chat.stream(messages(asked)))
    carried = [len(chunk.response_metadata.get("logprobs", {}).get("content", [])) for chunk in chunks]
    assert set(carried) == {0, 1}
    assert sum(carried) == len(answer.token_logprobs)
    streamed = answer_from_message(reduce(add, chunks))
    assert (streamed.text, streamed.model, tokens_of(streamed)) == (answer.text, answer.model, tokens_of(answer))
    for mine, theirs in zip(streamed.token_logprobs, answer.token_logprobs, strict=True):
        assert mine.logprob == pytest.approx(theirs.logprob, abs=1e-3)


async def test_all_call_styles_give_the_same_answer(chat, asked, answer):
    answerer = ChatAnswerer(chat)
    answers = [
        answerer.invoke(asked),
        await answerer.ainvoke(asked),
        *answerer.batch([asked]),
        *await answerer.abatch([asked]),
        *answerer.stream(asked),
        *[chunk async for chunk in answerer.astream(asked)],
    ]
    assert [(found.text, tokens_of(found)) for found in answers] == [(answer.text, tokens_of(answer))] * 6


def test_without_logprobs_there_is_an_answer_and_no_evidence(chat, asked, answer):
    plain = ChatAnswerer(chat.model_copy(update={"logprobs": None, "top_logprobs": None})).invoke(asked)
    assert (plain.text, plain.token_logprobs) == (answer.text, None)
