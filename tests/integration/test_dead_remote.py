"""A hosted model that dies and comes back, over HTTP: it costs milliseconds, and its recovery is noticed."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
from faults.server import FaultServer

from twosup_chain import ChatAnswerer, Supervisor, TwoSupervisorChain
from twosup_chain.service.breaker import Breaker
from twosup_chain.service.gate import RemoteGate

pytest.importorskip("langchain_openai")
pytestmark = [pytest.mark.alone, pytest.mark.integration]

NEVER = Supervisor(lambda asked, answer: 0.0, threshold=0.5)
ALWAYS = Supervisor(lambda asked, answer: 1.0, threshold=0.5)
ASKED = {"question": "Who wrote it?", "context": "Ada wrote it."}
QUICK = 0.05


def chain(url, gate, deadline):
    from langchain_openai import ChatOpenAI

    remote = ChatAnswerer(ChatOpenAI(model="m", base_url=url, api_key="none", max_retries=0))
    return TwoSupervisorChain(
        local=lambda _: "a",
        local_supervisor=NEVER,
        remote=remote,
        remote_supervisor=ALWAYS,
        on_remote_error="no_answer",
        deadline=deadline,
        gate=gate,
    )


def least(times, ask):
    """Returns the last reply, and the least time that one took: the machine may be busy."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        result = ask()
        took.append(time.perf_counter() - started)
    return result, min(took)


@pytest.mark.parametrize("dead", ["refuses", "hangs"])
def test_after_five_failures_a_question_ends_within_fifty_milliseconds_in_both_call_styles(dead):
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections, and never says a word
    if dead == "refuses":
        silent.close()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    else:
        port = silent.getsockname()[1]
    gate = RemoteGate(breaker=Breaker(failures=5, seconds=60), retries=0)
    built = chain(f"http://127.0.0.1:{port}/v1", gate, deadline=0.5 if dead == "hangs" else 30)
    for _ in range(5):
        assert built.invoke(ASKED).source == "none"
    assert gate.breaker.state == "open"

    async def ask():
        return await built.ainvoke(ASKED)

    for result, took in (least(5, lambda: built.invoke(ASKED)), least(5, lambda: asyncio.run(ask()))):
        assert "the last 5 calls failed" in result.reason
        assert took < QUICK
    silent.close()


def test_recovery_is_noticed():
    with FaultServer() as server:
        gate = RemoteGate(breaker=Breaker(failures=2, seconds=0.3), retries=0)
        down, up = (chain(server.url(name), gate, deadline=30) for name in ("server_error", "good"))
        for _ in range(3):
            assert down.invoke(ASKED).source == "none"
        assert gate.breaker.state == "open"
        time.sleep(0.35)
        assert up.invoke(ASKED).source == "remote"
        assert gate.breaker.state == "closed"
