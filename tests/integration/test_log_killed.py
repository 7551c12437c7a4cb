"""kill -9 under load: no decision is lost that was acknowledged, and no row is half there.

``TWOSUP_KILLS=50`` kills as often as before a release; by default a writer is killed 10 times, a server 3 times.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from contextlib import nullcontext, suppress

import httpx
import postgres
import pytest
import served

from twosup_chain.service.log import DecisionLog

KILLS = int(os.environ.get("TWOSUP_KILLS", "10"))
SERVER_KILLS = int(os.environ.get("TWOSUP_KILLS", "3"))

#: Writes decisions from many threads, some with large texts, and says which were acknowledged.
WRITER = """
import os, sys, threading
from twosup_chain.service.decision import Decision, DecisionText
from twosup_chain.service.log import DecisionLog

log = DecisionLog(sys.argv[1])

def write(number):
    for i in range(10**9):
        id = f"{sys.argv[2]}-{number}-{i}"
        text = DecisionText(question=id, context=("x" * (1 << i % 18),)) if i % 3 else None
        given = Decision(id=id, route="r", caller=None, time=float(i), question=id, source="none", status="untrusted",
                         reason="", seconds=0.0, text=text)
        log.put(given).result()
        os.write(1, f"{id}\\n".encode())

for number in range(16):
    threading.Thread(target=write, args=(number,)).start()
"""


def killed(where, turn):
    """Starts a writer, kills it, and returns what it had acknowledged."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, where, str(turn)], stdout=subprocess.PIPE)
    first = process.stdout.readline()  # it is at work
    time.sleep(random.Random(turn).uniform(0.0, 0.5))  # noqa: S311 (no secret)
    process.kill()
    rest = process.stdout.read()
    process.wait()
    return (first + rest[: rest.rfind(b"\n") + 1]).decode().split()


def check(where):
    acknowledged = [one for turn in range(KILLS) for one in killed(where, turn)]
    kept = {decision.id: decision for decision in DecisionLog(where).decisions()}
    assert len(acknowledged) > 10 * KILLS
    assert not set(acknowledged) - kept.keys()
    for decision in kept.values():  # whole: every row was read as a decision
        assert decision.question == decision.id
        assert decision.text is None or len(decision.text.context[0]) == 1 << int(decision.time) % 18
    print(f"{KILLS} kills, {len(acknowledged):,} acknowledged, {len(kept):,} rows, 0 lost")


@pytest.mark.slow
@pytest.mark.integration
def test_a_process_that_is_killed_loses_nothing_that_a_sqlite_file_acknowledged(tmp_path):
    check(str(tmp_path / "log.db"))


@pytest.mark.slow
@pytest.mark.integration
def test_a_process_that_is_killed_loses_nothing_that_postgres_acknowledged():
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.cluster() as url:
        check(url)


#: A local model that costs no time, and its supervisor.
PARTS = """
from twosup_chain import Answer

def local(asked):
    return Answer("Ada", scores={"sure": 1.0})

def sure(asked, answer):
    return answer.scores["sure"]
"""

SERVED = """
[log]
where = "{where}"

[routes.docs]
local = "parts.py:local"
local_scorer = "parts.py:sure"
local_threshold = 0.5
keep_text = true
"""


def served_and_killed(folder, where, turn):
    """Starts a server, kills it under load, and returns the ids of the replies that came."""
    (folder / "parts.py").write_text(PARTS)
    (folder / "twosup.toml").write_text(SERVED.format(where=where))
    acknowledged, body = [], {"model": "docs", "question": "Who?", "context": "Ada wrote it."}

    def ask(url, died):
        with httpx.Client(timeout=10, verify=False) as client, suppress(httpx.HTTPError):  # noqa: S501 (loopback)
            while not died.is_set():
                reply = client.post(f"{url}/v1/answer", json=body)
                assert reply.status_code == 200
                acknowledged.append(reply.json()["id"])

    with served.process("--config", "twosup.toml", folder=folder) as running:
        died = threading.Event()
        threads = [threading.Thread(target=ask, args=(running.url, died)) for _ in range(16)]
        for thread in threads:
            thread.start()
        while not acknowledged and running.poll() is None:
            time.sleep(0.01)
        time.sleep(random.Random(turn).uniform(0.2, 1.0))  # noqa: S311 (no secret)
        running.kill()
        died.set()
        for thread in threads:
            thread.join()
    return acknowledged


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_server_that_is_killed_loses_no_decision_whose_reply_has_come(kind, tmp_path):
    if kind == "postgres" and (reason := postgres.missing()):
        pytest.skip(reason)
    with postgres.cluster() if kind == "postgres" else nullcontext(str(tmp_path / "log.db")) as where:
        acknowledged = [one for turn in range(SERVER_KILLS) for one in served_and_killed(tmp_path, where, turn)]
        kept = {decision.id: decision for decision in DecisionLog(where).decisions()}
    assert len(acknowledged) > 10 * SERVER_KILLS
    assert not set(acknowledged) - kept.keys()
    assert {(decision.source, decision.text.question) for decision in kept.values()} == {("local", "Who?")}
    print(f"{SERVER_KILLS} kills, {len(acknowledged):,} replies, {len(kept):,} rows, 0 lost")
