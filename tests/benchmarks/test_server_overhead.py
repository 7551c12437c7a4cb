"""What the server adds to the bare chain: the time of a request on loopback less that of the question in process."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from functools import partial

import httpx
import pytest
from served import process

from twosup_chain import Supervisor, TwoSupervisorChain

pytestmark = pytest.mark.benchmark

PARTS = """
def local(question):
    return "Ada"
"""
CONFIG = """
[log]
where = "decisions.db"
[routes.docs]
local = "parts.py:local"
local_scorer = "in_context"
local_threshold = 0.5
"""
#: The most that the server may add, in milliseconds, by the median of the pairs of the quietest block.
MOST = 4.0
BLOCKS, PAIRS = 10, 40
ASKED = {"question": "Who wrote it?", "context": "Ada wrote it."}
CHAT = {
    "model": "docs",
    "messages": [{"role": "system", "content": "Ada wrote it."}, {"role": "user", "content": "Who wrote it?"}],
}


def ms_of(call) -> float:
    """Returns the time of a call, in milliseconds."""
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1e3


def added_ms(call, bare) -> list[float]:
    """Returns by how much a call takes longer than the bare one right before it: the median of each block of pairs."""
    pairs = [[ms_of(bare), ms_of(call)] for _ in range(BLOCKS * PAIRS)]
    blocks = (pairs[start : start + PAIRS] for start in range(0, len(pairs), PAIRS))
    return [statistics.median(taken - before for before, taken in block) for block in blocks]


def test_a_request_costs_at_most_4_ms_more_than_the_bare_chain(tmp_path) -> None:
    (tmp_path / "parts.py").write_text(PARTS)
    (tmp_path / "twosup.toml").write_text(CONFIG)
    chain = TwoSupervisorChain(local=lambda question: "Ada", local_supervisor=Supervisor("in_context", threshold=0.5))
    with (
        process("--config", "twosup.toml", folder=tmp_path) as server,
        httpx.Client(base_url=server.url) as client,
        asyncio.Runner() as runner,
    ):
        headers = {"content-type": "application/json"}
        for path, body in {"/v1/answer": {"model": "docs", **ASKED}, "/v1/chat/completions": CHAT}.items():
            ask = partial(client.post, path, content=json.dumps(body).encode(), headers=headers)
            assert ask().status_code == 200
            blocks = added_ms(ask, lambda: runner.run(chain.ainvoke(ASKED)))
            print(f"{path}: {statistics.median(blocks):.2f} ms added, {min(blocks):.2f} in the quietest block")
            assert min(blocks) <= MOST
