"""A server of the command line's, as a process of its own, on a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def process(*arguments: str, folder: Path, ready: float = 180.0, **environment: str) -> Iterator[Any]:
    """Runs ``twosup serve`` in a folder; gives its process, whose ``url`` is its address, once it is ready."""
    port = free_port()
    twosup = [sys.executable, "-c", "from twosup_chain.cli import main; main()"]
    command = [*twosup, "serve", "--port", str(port), *arguments]
    told = folder / "server.log"
    with told.open("wb") as log:
        running: Any = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
    running.url, running.told = f"http://127.0.0.1:{port}", told
    try:
        _wait(running, ready)
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            running.wait(40)
        running.kill()
        running.wait()


def _wait(running: Any, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and running.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{running.url}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    message = f"the server is not ready: {running.told.read_text()}"
    raise AssertionError(message)
