"""What a GGUF in this process cannot take is for the remote, in every call style; alone, it is an error."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage

from twosup_chain import (
    Answer,
    LlamaCppAnswerer,
    LlamaCppChat,
    Supervisor,
    TwoSupervisorChain,
    TwoSupervisorChatModel,
)
from twosup_chain.errors import InputError

pytestmark = pytest.mark.integration

ALWAYS = Supervisor(lambda question, answer: 1.0, threshold=0.5)
IMAGE = [
    {"type": "text", "text": "What is this?"},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
]
SMALL: dict[str, Any] = {"n_ctx": 256, "n_threads": 2, "max_tokens": 8}


@pytest.fixture(scope="module")
def answerer(smollm2_path):
    made = LlamaCppAnswerer(model_path=smollm2_path, max_windows=2, examples=(), **SMALL)
    yield made
    made.close()


@pytest.fixture(scope="module")
def local_chat(smollm2_path):
    made = LlamaCppChat(model_path=smollm2_path, **SMALL)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"question": "Who was it? " * 200, "context": "A ferry."}, "n_ctx=256"),
        ({"question": "Who was it? " * 200}, "n_ctx=256"),
        ({"question": "Who was it?", "context": "The committee met again. " * 400}, "max_windows=2"),
        ({"question": "Who was it?", "context": ["The committee met again. " * 400, "A ferry."]}, "max_windows=2"),
    ],
    ids=["long question", "long question, no context", "long context", "long documents"],
)
def test_a_question_that_does_not_fit_is_for_the_remote(answerer, question, said) -> None:
    chain = TwoSupervisorChain(
        local=answerer, local_supervisor=ALWAYS, remote=lambda question: Answer("b"), remote_supervisor=ALWAYS
    )

    async def asynchronous():
        return [
            await chain.ainvoke(question),
            *await chain.abatch([question, "Who?"]),
            *[result async for result in chain.astream(question)],
        ]

    synchronous = [chain.invoke(question), *chain.batch([question, "Who?"]), *chain.stream(question)]
    for results in (synchronous, asyncio.run(asynchronous())):
        assert [result.source for result in results] == ["remote", "remote", "local", "remote"]
        assert all("the local model could not answer" in result.reason for result in results if result.remote)
    with pytest.raises(InputError, match=said):
        TwoSupervisorChain(local=answerer, local_supervisor=ALWAYS).invoke(question)


@pytest.mark.parametrize(
    "messages",
    [
        [HumanMessage("Where? " * 300)],
        [HumanMessage("Hi. " * 150), AIMessage("Hello. " * 150), HumanMessage("Where?")],
        [HumanMessage(IMAGE)],
        [HumanMessage(IMAGE), AIMessage("A ferry."), HumanMessage("Sure?")],
    ],
    ids=["long message", "long conversation", "an image", "an image before"],
)
def test_a_conversation_that_does_not_fit_is_for_the_remote(local_chat, messages) -> None:
    chat = TwoSupervisorChatModel(
        local=local_chat,
        local_supervisor=Supervisor("min_token_probability", threshold=0.0),
        remote=FakeListChatModel(responses=["Here."]),
        remote_supervisor=ALWAYS,
    )

    async def asynchronous():
        streamed = [chunk async for chunk in chat.astream(messages)]
        return [await chat.ainvoke(messages), *await chat.abatch([messages]), sum(streamed[1:], streamed[0])]

    chunks = list(chat.stream(messages))
    found = [chat.invoke(messages), *chat.batch([messages]), sum(chunks[1:], chunks[0]), *asyncio.run(asynchronous())]
    for message in found:
        decision = message.response_metadata["twosup"]
        assert (message.text, decision["source"]) == ("Here.", "remote")
        assert "the local model could not answer" in decision["reason"]
    alone = TwoSupervisorChatModel(local=local_chat, local_supervisor=ALWAYS)
    for call in (alone.invoke, lambda given: list(alone.stream(given))):
        with pytest.raises(InputError):
            call(messages)
