"""A provider's stand-in on loopback: it answers every request with one recorded reply, whole or as a stream."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class StandIn(ThreadingHTTPServer):
    """Replies with what it was last given.

    Attributes:
        reply: What is answered: a JSON object, or a list of texts, which is written as a stream of lines.
        asked: The JSON objects of the requests, in order.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply: Any = {}
        self.asked: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_POST(self) -> None:
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        reply, kind = self.server.reply, "application/json"
        if isinstance(reply, list):
            kind = "text/event-stream" if any(line.startswith("data:") for line in reply) else "application/x-ndjson"
            body = "".join(f"{line}\n" for line in reply).encode()
        else:
            body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def sse(*events: dict[str, Any]) -> list[str]:
    """Returns events as the lines of a stream, each with its type where it has one."""
    lines: list[str] = []
    for event in events:
        lines += [f"event: {event['type']}"] if "type" in event else []
        lines += [f"data: {json.dumps(event)}", ""]
    return lines
