"""Streams over a real connection, from a server that is slow on purpose, and from a real GGUF in this process."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import HumanMessage

from twosup_chain import LlamaCppAnswerer, LlamaCppChat, Supervisor, TwoSupervisorChatModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

langchain_openai = pytest.importorskip("langchain_openai")
pytestmark = [pytest.mark.alone, pytest.mark.integration]

PAUSE = 0.1  # seconds between two tokens
NOTHING = "No answer was found that can be trusted."
DRAFTS = {
    "sure": [("The", -0.05), (" ferry", -0.1), (" was", -0.1), (" built", -0.1), (" in", -0.1), (" Gdansk", -0.2)],
    "unsure": [("Perhaps", -0.1), (" it", -0.1), (" was", -2.5), *[(f" word{i}", -0.1) for i in range(30)]],
    "other": [("In", -0.1), (" Poland", -0.2)],
}


@dataclass
class SlowServer:
    """Streams the draft whose name is the model's, one token every `PAUSE` seconds; `sent` counts them by draft."""

    url: str
    sent: dict[str, int] = field(default_factory=dict)

    def chat(self, name: str) -> Any:
        options = {"api_key": "sk-none", "max_retries": 0, "timeout": 60, "logprobs": True, "stream_usage": True}
        return langchain_openai.ChatOpenAI(model=name, base_url=self.url, **options)


@pytest.fixture
def slow_server() -> Iterator[SlowServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = asked["model"]
            played.sent[name] = 0
            streams = asked.get("stream", False)
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream" if streams else "application/json")
            self.end_headers()
            rows = [{"token": token, "logprob": logprob, "top_logprobs": []} for token, logprob in DRAFTS[name]]
            try:
                for row in rows:
                    time.sleep(PAUSE)
                    played.sent[name] += 1
                    if streams:
                        self._event(name, {"content": row["token"]}, {"content": [row]})
                usage = {"prompt_tokens": 9, "completion_tokens": len(rows), "total_tokens": 9 + len(rows)}
                text = "".join(row["token"] for row in rows)
                if streams:
                    self._event(name, {}, None, "stop")
                    self._write({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": name,
                                 "choices": [], "usage": usage})  # fmt: skip
                    self.wfile.write(b"data: [DONE]\n\n")
                else:
                    choice = {"index": 0, "message": {"role": "assistant", "content": text},
                              "logprobs": {"content": rows}, "finish_reason": "stop"}  # fmt: skip
                    body = {"id": "x", "object": "chat.completion", "created": 1, "model": name,
                            "choices": [choice], "usage": usage}  # fmt: skip
                    self.wfile.write(json.dumps(body).encode())
            except OSError:
                return  # the client has gone

        def _event(self, name: str, delta: Any, logprobs: Any, ending: str | None = None) -> None:
            choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": ending}
            self._write(
                {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": name, "choices": [choice]}
            )

        def _write(self, event: Any) -> None:
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()

        def log_message(self, *_: Any) -> None:
            """Keeps the test output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    played = SlowServer(f"http://127.0.0.1:{server.server_port}/v1")
    yield played
    server.shutdown()
    thread.join()
    server.server_close()


def supervised(local: Any, remote: Any, **options: Any) -> TwoSupervisorChatModel:
    supervisor = Supervisor("min_token_probability", threshold=0.5)
    return TwoSupervisorChatModel(
        local=local, local_supervisor=supervisor, remote=remote, remote_supervisor=supervisor, **options
    )


@pytest.mark.parametrize(
    ("local", "remote", "expected"),
    [
        ("sure", "other", "The ferry was built in Gdansk"),
        ("unsure", "other", "In Poland"),
        ("unsure", "sure", "The ferry was built in Gdansk"),
        ("unsure", "unsure", NOTHING),
    ],
)
def test_no_character_of_a_rejected_draft_is_ever_emitted(slow_server, local, remote, expected) -> None:
    shown = ""
    for chunk in supervised(slow_server.chat(local), slow_server.chat(remote)).stream("Where was it built?"):
        shown += chunk.content
        assert expected.startswith(shown)
    assert shown == expected


async def test_nor_asynchronously(slow_server) -> None:
    model = supervised(slow_server.chat("unsure"), slow_server.chat("other"))
    chunks = [chunk async for chunk in model.astream("Where was it built?")]
    assert "".join(chunk.content for chunk in chunks) == "In Poland"
    decision = chunks[-1].response_metadata["twosup"]
    assert decision["stopped_early"]
    assert decision["usage"]["remote"]["total_tokens"] == 11


@pytest.mark.parametrize("how", ["stream", "astream", "invoke", "ainvoke"])
async def test_an_early_rejection_really_ends_the_generation(slow_server, how) -> None:
    model = supervised(slow_server.chat("unsure"), slow_server.chat("other"))
    if how == "stream":
        list(model.stream("Where?"))
    elif how == "astream":
        [chunk async for chunk in model.astream("Where?")]
    elif how == "invoke":
        model.invoke("Where?")
    else:
        await model.ainvoke("Where?")
    await asyncio.sleep(5 * PAUSE)
    assert slow_server.sent["unsure"] <= len(DRAFTS["unsure"]) / 2


def test_an_accepted_local_answer_appears_when_its_last_token_does(slow_server) -> None:
    started, first = time.perf_counter(), None
    for chunk in supervised(slow_server.chat("sure"), slow_server.chat("other")).stream("Where was it built?"):
        first = time.perf_counter() - started if first is None and chunk.content else first
    total = time.perf_counter() - started
    assert len(DRAFTS["sure"]) * PAUSE <= first <= total
    assert slow_server.sent == {"sure": len(DRAFTS["sure"])}


def test_at_once_shows_a_hosted_answer_while_it_is_being_written(slow_server) -> None:
    model = supervised(slow_server.chat("unsure"), slow_server.chat("sure"), remote_tokens="at_once")
    stream = model.stream("Where was it built?")
    first = next(chunk.content for chunk in stream if chunk.content)
    assert first == "The"
    assert slow_server.sent["sure"] < len(DRAFTS["sure"])
    assert first + "".join(chunk.content for chunk in stream) == "The ferry was built in Gdansk"


# -- a real GGUF -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gguf(smollm2_path: Path) -> Iterator[LlamaCppChat]:
    pytest.importorskip("llama_cpp")
    chat = LlamaCppChat(model_path=smollm2_path, n_ctx=512, n_threads=1, max_tokens=24)
    yield chat
    chat.close()


def test_an_early_rejection_of_a_gguf_in_process_evaluates_no_further_token(gguf, slow_server) -> None:
    question = "What is the capital of France?"
    complete = gguf.invoke(question)
    probabilities = [2.718281828 ** row["logprob"] for row in complete.response_metadata["logprobs"]["content"]]
    before = gguf.engine.evaluated
    message = supervised(gguf, slow_server.chat("other")).invoke(question)
    decision = message.response_metadata["twosup"]
    needed = next(place for place, probability in enumerate(probabilities, start=1) if probability < 0.5)
    assert decision["usage"]["local"]["output_tokens"] == needed < complete.usage_metadata["output_tokens"]
    assert gguf.engine.evaluated - before < complete.usage_metadata["input_tokens"] + needed


def test_a_stream_of_a_gguf_adds_up_to_its_message(gguf) -> None:
    streamed = None
    for chunk in gguf.stream("Name three animals."):
        streamed = chunk if streamed is None else streamed + chunk
    whole = gguf.invoke("Name three animals.")
    assert (streamed.content, streamed.usage_metadata) == (whole.content, whole.usage_metadata)
    assert streamed.response_metadata == whole.response_metadata


def test_streams_at_the_same_time_and_a_shared_engine_do_not_mix_replies(gguf) -> None:
    # token by token, so that what is read again gives the same numbers as at the first time
    options = {"model_path": gguf.model_path, "n_ctx": 256, "n_batch": 1, "n_threads": 1, "max_tokens": 3}
    chat = LlamaCppChat(**options)
    questions = ("Name three animals.", "Count from one to ten.")
    expected = [chat.invoke(question).content for question in questions]
    answerer = LlamaCppAnswerer(**options, engine=chat.engine, examples=(), instructions="")
    assert answerer.engine is chat.engine
    texts = ["", ""]
    for place, pair in enumerate(zip_longest(*map(chat.stream, questions))):
        for side, chunk in enumerate(pair):
            texts[side] += "" if chunk is None else chunk.content
        if place == 0:
            answerer.invoke({"question": "Where?", "context": "In Paris."})
    assert texts == expected
    chat.close()


def test_what_was_said_before_is_not_read_again(gguf) -> None:
    talk = [HumanMessage("Name three animals.")]
    talk += [gguf.invoke(talk), HumanMessage("Which is the largest?")]
    gguf.invoke(talk, max_tokens=1)
    before = gguf.engine.evaluated
    message = gguf.invoke([*talk[:2], HumanMessage("Which is the smallest?")], max_tokens=1)
    assert gguf.engine.evaluated - before < message.usage_metadata["input_tokens"] / 2
