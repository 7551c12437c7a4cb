"""A server of the OpenAI form on loopback that fails in every way that one can, by name: those of `catalogue`.

The fault is the first part of the path, or else the model's name: ``server.url("refusal")`` replies so to any model,
``server.url()`` to the model ``refusal``. That a chain keeps to what is right is asserted in the tests.

Run it by hand: ``PYTHONPATH=tests python tests/faults/server.py`` prints its address, and serves until it is
interrupted.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

from faults.catalogue import ANSWER, ENDLESS, FAULTS, Asked, Cut, Reset, events

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_openai import ChatOpenAI

#: Of a socket that is reset, not closed.
_NO_LINGER = struct.pack("ii", 1, 0)


class FaultServer:
    """The server, in a thread of its own: ``with FaultServer() as server: server.chat("refusal")``.

    Args:
        answer: The text of a good answer, from the words of the last message.
        keep_alive: Whether a connection serves several requests, as a provider's does. LangChain shares its clients,
            and a connection that outlives its event loop is an error of its own.

    Attributes:
        calls: The names of the faults that were played, in order.
        base: The server's address.
        closed: An address where nobody listens.
    """

    def __init__(self, answer: Callable[[str], str] = lambda asked: ANSWER, *, keep_alive: bool = False) -> None:
        self.calls: list[str] = []
        self._answer = answer
        self._keep_alive = keep_alive
        self._before: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        # a port that is bound but not listened on refuses every connection, and nobody else can take it
        self._unheard = socket.socket()
        self._unheard.bind(("127.0.0.1", 0))
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024))
        self.base = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self.closed = f"http://127.0.0.1:{self._unheard.getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._unheard.close()

    def url(self, name: str | None = None) -> str:
        """Returns the base URL of an API that always replies so; of one that replies as its models are called."""
        if name is None:
            return f"{self.base}/v1"
        assert name in FAULTS, f"{name!r} is none of {sorted(FAULTS)}"
        return f"{self.closed if name == 'refused_connection' else self.base}/{name}/v1"

    def chat(self, name: str, **options: Any) -> ChatOpenAI:
        """Returns a chat model without retries for the named fault; those that never end have a second."""
        from langchain_openai import ChatOpenAI

        timeout = 1.0 if name in ENDLESS else 60.0
        usual: dict[str, Any] = {"api_key": "sk-secret", "max_retries": 0, "timeout": timeout, "logprobs": True}
        return ChatOpenAI(model="played", base_url=self.url(name), **(usual | options))

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _stop(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._reply(reader, writer)
            while self._keep_alive:
                await self._reply(reader, writer)
        except Reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            writer.transport.abort()
        except (Cut, OSError, EOFError, asyncio.CancelledError):
            pass  # the client has gone, or the server goes
        finally:
            writer.close()

    async def _reply(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reads a request and plays its fault, in chunks as a provider does: an end that is missing is seen."""
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        payload = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or b"{}")
        name = first.split()[1].split("/")[1]
        name = name if name in FAULTS else payload.get("model")
        fault = FAULTS.get(name, FAULTS["model_not_found"])
        asked = Asked(payload, headers, self._answer(_last_words(payload)), self._before[name])
        self.calls.append(name)
        self._before[name] += 1
        body = fault.body(asked)
        status = fault.status if isinstance(fault.status, int) else fault.status(asked)
        streams = bool(payload.get("stream")) and isinstance(body, dict) and "error" not in body
        pieces = events(body) if streams else [body if isinstance(body, bytes) else json.dumps(body).encode()]
        described = {
            **fault.headers,
            "Content-Type": "text/event-stream" if streams else fault.content_type,
            "Transfer-Encoding": "chunked",
            "Connection": "keep-alive" if self._keep_alive else "close",
        }
        head = f"HTTP/1.1 {status} Played\r\n" + "".join(f"{key}: {value}\r\n" for key, value in described.items())
        unsent = f"{head}\r\n".encode()
        async for piece in fault.way(pieces):
            writer.write(unsent + (b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""))
            unsent = b""
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def _last_words(payload: dict[str, Any]) -> str:
    said = (payload.get("messages") or [{}])[-1].get("content")
    return said if isinstance(said, str) else json.dumps(said)


if __name__ == "__main__":
    with FaultServer() as server:
        print(f"{server.url()}: the model's name is the fault: {', '.join(FAULTS)}")
        threading.Event().wait()
