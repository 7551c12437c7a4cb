"""So many requests have the local model at once, so many more wait, and one beyond is told to come again."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from serving import route

from twosup_chain import Answer
from twosup_chain.schema import QAInput
from twosup_chain.service.admission import Admission, BusyError
from twosup_chain.service.app import Service
from twosup_chain.service.config import ServerTable
from twosup_chain.service.decision import Ticket
from twosup_chain.service.desk import Desk


async def test_who_waits_is_let_in_when_another_leaves() -> None:
    admission = Admission(1, 1)
    await admission.enter()
    waits = asyncio.create_task(admission.enter())
    await asyncio.sleep(0)
    assert admission.waiting == 1
    with pytest.raises(BusyError, match="1 requests wait"):
        await admission.enter()
    admission.leave()
    await waits
    assert admission.waiting == 0


async def test_who_gives_up_waiting_leaves_the_queue() -> None:
    admission = Admission(1, 1)
    await admission.enter()
    waits = asyncio.create_task(admission.enter())
    await asyncio.sleep(0)
    waits.cancel()
    await asyncio.sleep(0)
    assert admission.waiting == 0


async def replies_of(made, question, many):
    """Returns the status codes of as many requests at once."""
    app = Service({"docs": made}, ServerTable()).app()
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://docs") as client:
        asked = {"model": "docs", "question": question, "context": "Ada wrote it."}
        return await asyncio.gather(*(client.post("/v1/answer", json=asked) for _ in range(many)))


async def test_one_request_beyond_the_queue_is_told_to_come_again() -> None:
    async def slow(asked):
        await asyncio.sleep(0.2)
        return Answer("Ada", scores={"answerability": 0.9})

    made = route(local=slow, concurrency=2, queue=3)
    replies = await replies_of(made, "Who?", 12)
    codes = [reply.status_code for reply in replies]
    assert (codes.count(200), codes.count(503)) == (5, 7)
    assert {reply.headers["retry-after"] for reply in replies if reply.status_code == 503} == {"1"}
    assert len(made.sinks[0].decisions) == 5


async def test_while_the_hosted_model_is_asked_others_have_the_local_one() -> None:
    at_once, most = 0, 0

    async def hosted(asked):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.2)
        at_once -= 1
        return "Grace"

    made = route(remote=hosted, concurrency=1, queue=100)
    replies = await replies_of(made, "Who", 8)
    assert {reply.json()["source"] for reply in replies} == {"remote"}
    assert most > 1


async def test_a_request_that_fails_gives_its_place_back() -> None:
    def broken(asked):
        raise RuntimeError("no")

    made = replace(route(local=broken, on_local_error="raise"), concurrency=1, queue=0)
    for _ in range(3):
        (reply,) = await replies_of(made, "Who?", 1)
        assert reply.status_code == 500
    assert [decision.status for decision in made.sinks[0].decisions] == ["failed"] * 3


async def test_a_place_is_given_back_once_however_many_threads_say_that_the_local_model_is_done() -> None:
    desk = Desk(route(concurrency=1), lambda decision: None)
    async with desk.request(Ticket(route="docs"), QAInput("Who?")) as request:
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(lambda _: request.stages._past_local(), range(64)))
    await asyncio.sleep(0)
    await desk.admission.enter()
    assert desk.admission._slots.locked()
