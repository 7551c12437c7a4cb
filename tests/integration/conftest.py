"""Servers on loopback for the integration tests: a real one that runs a small GGUF, and one that fails on purpose.

`llama_server` is the URL of a real OpenAI-compatible server; `fault_server` plays one reply, good or bad, per path (see
`faults.server`). What each reply must lead to is asserted in the tests, not here.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from faults.catalogue import ENDLESS, FAILURES, WITHOUT_LOGPROBS
from faults.server import FaultServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from langchain_openai import ChatOpenAI


@pytest.fixture(scope="session")
def fault_server() -> Iterator[FaultServer]:
    """A server that fails on purpose; its `calls` are the names of the replies it played, in order."""
    with FaultServer() as server:
        yield server


@pytest.fixture
def fault_chat(fault_server: FaultServer) -> Callable[..., ChatOpenAI]:
    """Returns a function that makes a `ChatOpenAI`, without retries, for the named reply."""
    pytest.importorskip("langchain_openai")
    return fault_server.chat


@pytest.fixture(params=sorted(FAILURES.keys() - (ENDLESS - {"hang"})))
def failure(request: pytest.FixtureRequest) -> str:
    """The name of each failure of a hosted model in turn, of those without an end one."""
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
