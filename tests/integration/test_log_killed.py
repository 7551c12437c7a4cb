"""kill -9 under load: no decision is lost that was acknowledged, and no row is half there.

``TWOSUP_KILLS=50`` kills as often as before a release; 10 by default.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time

import postgres
import pytest

from twosup_chain.service.log import DecisionLog

KILLS = int(os.environ.get("TWOSUP_KILLS", "10"))

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
