"""Servers on loopback for the integration tests: a real one that runs a small GGUF, and one that fails on purpose.

`llama_server` is the URL of a real OpenAI-compatible server; `fault_server` plays one reply, good or bad, per path.
What each reply must lead to is asserted in the tests, not here.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from langchain_openai import ChatOpenAI

TOKENS = (("Ellen", -0.01), (" Marsh", -0.2))


@dataclass(frozen=True)
class Reply:
    """One HTTP reply; with `hangs` it does not come before the server closes."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    hangs: bool = False


def logprobs_of(*tokens: tuple[Any, Any]) -> dict[str, Any]:
    return {"content": [{"token": token, "logprob": logprob, "top_logprobs": []} for token, logprob in tokens]}


def completion(content: Any = "Ellen Marsh", *, logprobs: Any = None, ending: str = "stop", **message: Any) -> Reply:
    """Returns a chat completion with status 200, as a server of the OpenAI form writes it."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, **message},
        "logprobs": logprobs,
        "finish_reason": ending,
    }
    usage = {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42}
    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "played",
        "choices": [choice],
        "usage": usage,
    }
    return Reply(json.dumps(body).encode())


def error(status: int, code: str) -> Reply:
    return Reply(json.dumps({"error": {"message": f"played: {code}", "type": code, "code": code}}).encode(), status)


GOOD = completion(logprobs=logprobs_of(*TOKENS))

#: Replies that hold an answer.
ANSWERS = {
    "good": GOOD,
    "no_answer": completion("unanswerable", logprobs=logprobs_of(("un", -0.1), ("answerable", -0.3))),
}

#: Replies that hold an answer, but no evidence.
WITHOUT_LOGPROBS = {
    "missing_logprobs": completion(),
    "logprobs_of_another_type": completion(logprobs=[1, 2]),
    "logprobs_without_content": completion(logprobs={"content": None}),
    "logprobs_without_a_number": completion(logprobs={"content": [{"token": "Ellen"}]}),
    "logprobs_without_a_token": completion(logprobs={"content": [{"logprob": -0.1}]}),
    "logprobs_as_strings": completion(logprobs=logprobs_of(("Ellen", "likely"), (" Marsh", "sure"))),
    "logprobs_of_half_the_reply": completion(logprobs=logprobs_of(("Ellen", -0.1))),
    "logprobs_null": completion(logprobs=logprobs_of(("Ellen", None), (" Marsh", None))),
    "logprobs_nan": completion(logprobs=logprobs_of(("Ellen", float("nan")), (" Marsh", -0.2))),
    "logprobs_positive": completion(logprobs=logprobs_of(("Ellen", 1.5), (" Marsh", -0.2))),
    "logprobs_of_other_lengths": completion(
        logprobs={"content": None, "tokens": ["Ellen", " Marsh"], "token_logprobs": [-0.1]}
    ),
}

#: Everything that must never count as an answer.
FAILURES = {
    "slow": Reply(GOOD.body, hangs=True),
    "refused_connection": GOOD,
    "unauthorized": error(401, "invalid_api_key"),
    "rate_limited": error(429, "rate_limit_exceeded"),
    "server_error": error(500, "server_error"),
    "empty_body": Reply(b""),
    "truncated_json": Reply(GOOD.body[: len(GOOD.body) // 2]),
    "not_json": Reply(b"<html>a proxy's page</html>", content_type="text/html"),
    "no_choices": Reply(b'{"object": "chat.completion", "choices": []}'),
    "error_in_200": Reply(b'{"error": {"message": "played: out of memory"}}'),
    "empty_content": completion(""),
    "blank_content": completion(" \n"),
    "null_content": completion(None),
    "number_content": completion(1874),
    "image_content": completion([{"type": "image_url", "image_url": {"url": "data:,"}}]),
    "refusal": completion(None, refusal="I cannot help with that."),
    "content_filter": completion("Ellen", ending="content_filter"),
    "tool_call": completion(
        None,
        ending="tool_calls",
        tool_calls=[{"id": "1", "type": "function", "function": {"name": "search", "arguments": "{}"}}],
    ),
}

REPLIES = ANSWERS | WITHOUT_LOGPROBS | FAILURES


@dataclass
class FaultServer:
    """Plays the reply whose name is the first part of the path: ``POST /refusal/v1/chat/completions``."""

    base: str
    closed: str
    calls: list[str] = field(default_factory=list)

    def url(self, name: str) -> str:
        """Returns the base URL of an OpenAI-compatible API that always replies in the named way."""
        assert name in REPLIES, f"{name!r} is none of {sorted(REPLIES)}"
        return f"{self.closed if name == 'refused_connection' else self.base}/{name}/v1"


@pytest.fixture(scope="session")
def fault_server() -> Iterator[FaultServer]:
    """A server that fails on purpose; its `calls` are the names of the replies it played, in order."""
    closing_down = threading.Event()
    calls: list[str] = []

    # HTTP/1.0 closes each connection: LangChain shares its clients, and a connection must not outlive its event loop
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            name = self.path.split("/")[1]
            calls.append(name)
            reply = REPLIES[name]
            if reply.hangs:
                closing_down.wait()
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            """Keeps the test output clean."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 256  # of 5, the default, many calls at the same time would wait for a second try

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    # a port that is bound but not listened on refuses every connection, and nobody else can take it
    with closing(socket.socket()) as unheard:
        unheard.bind(("127.0.0.1", 0))
        yield FaultServer(
            base=f"http://127.0.0.1:{server.server_port}",
            closed=f"http://127.0.0.1:{unheard.getsockname()[1]}",
            calls=calls,
        )
        closing_down.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def fault_chat(fault_server: FaultServer) -> Callable[..., ChatOpenAI]:
    """Returns a function that makes a `ChatOpenAI`, without retries, for the named reply."""
    langchain_openai = pytest.importorskip("langchain_openai")

    def make(name: str, **options: Any) -> ChatOpenAI:
        timeout = 1.0 if name == "slow" else 60.0
        defaults: dict[str, Any] = {"api_key": "sk-secret", "max_retries": 0, "timeout": timeout, "logprobs": True}
        return langchain_openai.ChatOpenAI(model="played", base_url=fault_server.url(name), **(defaults | options))

    return make


@pytest.fixture(params=sorted(FAILURES))
def failure(request: pytest.FixtureRequest) -> str:
    """The name of each failure of a hosted model in turn."""
    return request.param


@pytest.fixture(params=sorted(WITHOUT_LOGPROBS))
def without_logprobs(request: pytest.FixtureRequest) -> str:
    """The name of each answer whose log-probabilities are missing or malformed, in turn."""
    return request.param


@pytest.fixture(scope="session")
def llama_server(smollm2_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a real OpenAI-compatible server (llama-cpp-python's) that runs SmolLM2-135M-Instruct."""
    with _served(smollm2_path, tmp_path_factory) as url:
        yield url


@pytest.fixture(scope="session")
def tool_server(smollm2_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the same server where a named tool is really called: a grammar holds the model to its schema."""
    with _served(smollm2_path, tmp_path_factory, chat_format="chatml-function-calling", logits_all="false") as url:
        yield url


@contextmanager
def _served(model: Path, tmp_path_factory: pytest.TempPathFactory, **more: str) -> Iterator[str]:
    pytest.importorskip("llama_cpp.server.app", reason="needs llama-cpp-python[server]")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"model": model, "n_ctx": 1024, "logits_all": "true", "host": "127.0.0.1", "port": port, **more}
    command = [sys.executable, "-m", "llama_cpp.server"]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    log = tmp_path_factory.mktemp("llama_server") / "log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as process:
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/v1/models", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 (loopback)
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"llama_cpp.server did not come up:\n{log.read_text(errors='replace')[-2000:]}")
