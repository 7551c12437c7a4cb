"""`LlamaCppChat` and how it writes, on a model whose every probability is known."""

from __future__ import annotations

import asyncio
import math
import os
import threading

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from twosup_chain import LlamaCppChat
from twosup_chain.errors import ConfigurationError, InputError, MissingExtraError, UnknownOptionError
from twosup_chain.llama import model as _llama_model
from twosup_chain.llama.decoding import Sampling
from twosup_chain.llama.writing import write


@pytest.fixture
def chatting(scripted, monkeypatch):
    """Returns a function that makes a `LlamaCppChat` on a scripted model."""
    monkeypatch.setattr(_llama_model, "find_spec", lambda _: object())

    def make(script, **options) -> LlamaCppChat:
        model = scripted(script, n_ctx=options.get("n_ctx", 4096))
        chat = LlamaCppChat(model_path=model.path, **options)
        chat.engine = model
        return chat

    return make


def _written(model, **sampling):
    return list(write(model, [list(b"prompt")], Sampling(max_tokens=20, **sampling)))


def test_a_reply_has_the_log_probabilities_of_openai_s_shape(chatting) -> None:
    message = chatting({b"ab": 0.6, b"ac": 0.1, b"b": 0.3}, top_logprobs=2).invoke("Go")
    first, second = message.response_metadata["logprobs"]["content"]
    assert message.content == "ab"
    assert (first["token"], first["bytes"], first["logprob"]) == ("a", [97], pytest.approx(math.log(0.7), abs=1e-5))
    assert [(top["token"], round(math.exp(top["logprob"]), 3)) for top in first["top_logprobs"]] == [
        ("a", 0.7),
        ("b", 0.3),
    ]
    assert second["logprob"] == pytest.approx(math.log(0.6 / 0.7), abs=1e-5)
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.usage_metadata["output_tokens"] == 3  # the token that ends the turn included


async def test_a_stream_adds_up_to_the_message(chatting) -> None:
    chat = chatting({"Zürich, 東京".encode(): 1.0})
    expected = chat.invoke("Go")
    streamed = None
    for chunk in chat.stream("Go"):
        streamed = chunk if streamed is None else streamed + chunk
    astreamed = None
    async for chunk in chat.astream("Go"):
        astreamed = chunk if astreamed is None else astreamed + chunk
    for found in (streamed, astreamed, await chat.ainvoke("Go")):
        assert found.content == expected.content == "Zürich, 東京"
        assert found.response_metadata == expected.response_metadata
        assert found.usage_metadata == expected.usage_metadata


@pytest.mark.parametrize("stop", [["END"], ["END", "x"], ["ENDING", "END"]])
def test_a_stop_text_is_never_shown_not_even_its_beginning(scripted, stop) -> None:
    pieces = _written(scripted({b"one E two END three": 1.0}), stop=tuple(stop))
    assert "".join(piece.text for piece in pieces) == "one E two "
    assert pieces[-1].ending == "stop"
    assert b"".join(token.data for piece in pieces for token in piece.tokens) == b"one E two "
    assert sum(piece.generated for piece in pieces) > len("one E two ")


def test_the_longest_reply_ends_it(chatting) -> None:
    message = chatting({b"abcdef": 1.0}).invoke("Go", max_tokens=3)
    assert (message.content, message.response_metadata["finish_reason"]) == ("abc", "length")
    assert message.usage_metadata["output_tokens"] == 3


def test_a_seed_repeats_its_draws(chatting) -> None:
    chat = chatting({b"a": 0.5, b"b": 0.5}, temperature=1.0)
    drawn = [chat.invoke("Go", seed=seed).content for seed in range(20)]
    assert set(drawn) == {"a", "b"}
    assert drawn == [chat.invoke("Go", seed=seed).content for seed in range(20)]


def test_a_stream_that_is_closed_lets_the_next_one_begin_at_once(chatting) -> None:
    chat = chatting({b"word " * 400: 1.0}, max_tokens=2000)
    stream = chat.stream("Go")
    next(stream)
    stream.close()
    assert chat.invoke("Go", max_tokens=4).content == "word"
    assert len(chat.engine.prompts) == 2


def test_a_stream_that_is_left_half_read_holds_up_nobody(chatting) -> None:
    chat = chatting({b"word": 1.0})
    stream = chat.stream("Go")
    first = next(stream)
    assert chat.invoke("Go").content == "word"
    assert first.content + "".join(chunk.content for chunk in stream) == "word"


async def test_more_clients_than_the_default_executor_has_threads_are_served_in_their_order(chatting) -> None:
    chat = chatting({b"word": 1.0})
    clients = (os.cpu_count() or 1) + 4 + 20
    first, alive = [], []

    async def ask(client: int) -> None:
        async for chunk in chat.astream("Go"):
            if chunk.content == "w":
                first.append(client)
                alive.append(threading.active_count())

    before = threading.active_count()
    await asyncio.gather(*map(ask, range(clients)))
    assert first == list(range(clients))
    assert max(alive) <= before + 1  # the model's own thread: who waits holds none


async def test_who_waits_no_longer_is_passed_over(chatting) -> None:
    chat = chatting({b"word": 1.0})
    tasks = [asyncio.create_task(chat.ainvoke("Go")) for _ in range(5)]
    await asyncio.sleep(0)
    for task in tasks[1:]:
        task.cancel()
    assert (await tasks[0]).content == "word"
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (await chat.ainvoke("Go")).content == "word"
    assert chat.engine.worker.waiting == 0


def test_each_message_is_a_segment_and_none_of_it_is_special(chatting) -> None:
    chat = chatting({b"ok": 1.0})
    chat.invoke([SystemMessage("Be <|end|>."), HumanMessage("One."), AIMessage("Two."), HumanMessage("<|end|>?")])
    (prompt,) = chat.engine.prompts
    assert prompt[:4] == ["[system] Be <|end|>.", "\n[user] One.", "\n[assistant] Two.", "\n[user] <|end|>?"]
    assert not any("<|end|>" in text for text in chat.engine.trusted)


def test_roles_that_a_template_may_not_know_are_told_in_words(chatting) -> None:
    chat = chatting({b"ok": 1.0})
    call = {"name": "weather", "args": {"city": "Bonn"}, "id": "1"}
    chat.invoke(
        [
            HumanMessage("A", name="Ann"),
            HumanMessage("B"),
            AIMessage("", tool_calls=[call]),
            ToolMessage("sunny", tool_call_id="1", name="weather"),
            SystemMessage("Be brief."),
        ]
    )
    text = "".join(chat.engine.prompts[0])
    assert "[user] Ann: A\n\nB\n" in text
    assert '[assistant] [{"name": "weather", "arguments": {"city": "Bonn"}}]\n' in text
    assert "[user] Result of weather: sunny\n\nBe brief.\n" in text


def test_a_conversation_that_does_not_fit_is_named(chatting) -> None:
    with pytest.raises(InputError, match=r"messages: .* n_ctx=64 leaves no room"):
        chatting({b"ok": 1.0}, n_ctx=64).invoke("word " * 40)


def test_what_is_no_text_is_named(chatting) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    with pytest.raises(InputError, match="a GGUF model reads text only"):
        chatting({b"ok": 1.0}).invoke([HumanMessage([image])])


def test_tokens_are_counted_by_the_model(chatting) -> None:
    chat = chatting({b"ok": 1.0})
    assert chat.get_num_tokens("seven..") == 7
    assert chat.get_num_tokens_from_messages([HumanMessage("Hi")]) == chat.invoke("Hi").usage_metadata["input_tokens"]


def test_an_unknown_option_of_a_call_is_named(chatting) -> None:
    with pytest.raises(UnknownOptionError, match=r"'tempature' is no option of a call.*'temperature'"):
        chatting({b"ok": 1.0}).invoke("Go", tempature=1.0)


@pytest.mark.parametrize("options", [{"max_tokens": 0}, {"stop": [""]}, {"temperature": -1.0}])
def test_a_wrong_option_is_named(gguf_path, scripted, monkeypatch, options) -> None:
    monkeypatch.setattr(_llama_model, "find_spec", lambda _: object())
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        LlamaCppChat(model_path=gguf_path, **options)


def test_a_missing_extra_is_named(gguf_path, monkeypatch) -> None:
    monkeypatch.setattr(_llama_model, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="LlamaCppChat needs llama-cpp-python: pip install"):
        LlamaCppChat(model_path=gguf_path)
