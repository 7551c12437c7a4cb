"""A caller who leaves takes the request along: the hosted model is not waited for, and the log says so."""

from __future__ import annotations

import asyncio
import json

import pytest
from serving import route

from twosup_chain.service.app import Service
from twosup_chain.service.config import ServerTable

CHAT = {"model": "docs", "context": "Ada wrote it.", "messages": [{"role": "user", "content": "Who"}]}
QUESTION = {"model": "docs", "question": "Who", "context": "Ada wrote it."}


class Remote:
    """A hosted model that never replies; it notes when it is asked, and when it is left."""

    def __init__(self):
        self.asked = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, question):
        self.asked.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.left.set()
            raise


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/answer", QUESTION),
        ("/v1/chat/completions", CHAT),
        ("/v1/chat/completions", {**CHAT, "stream": True}),
    ],
)
async def test_who_leaves_is_not_answered_and_the_hosted_model_is_told(path, body) -> None:
    remote = Remote()

    async def hosted(question):
        return await remote(question)

    made = route(remote=hosted)
    app = Service({"docs": made}, ServerTable()).app()
    messages = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]

    async def receive():
        if messages:
            return messages.pop()
        await remote.asked.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "root_path": "", "scheme": "http"}
    headers = [(b"content-type", b"application/json")]
    await asyncio.wait_for(app({**scope, "headers": headers, "http_version": "1.1"}, receive, send), 5)
    await asyncio.wait_for(remote.left.wait(), 5)
    (decision,) = made.sinks[0].decisions
    assert (decision.status, decision.reason) == ("failed", "the caller has left")
