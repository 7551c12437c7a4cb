"""Collecting in real processes that are killed at random moments: nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
import multiprocessing
import random
import runpy
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.records.lines import read_records

pytestmark = pytest.mark.integration

QUESTIONS, CONCURRENCY, KILLS = 1200, 4, 50
#: The least and the most seconds that an answer takes: four at a time, all questions take 2.25 s at least, and 50
#: lives of 0.03 s on average 1.5 s, on a machine of any speed.
ANSWERED_AFTER = 0.0075, 0.015

#: What every process runs: it writes down whom it asks, answers after a random while, and may be killed anywhere.
COLLECTOR = """
import asyncio, os, random
from twosup_chain.collection.collect import collect
from twosup_chain.schema import Answer
from twosup_chain.text.questions import LabelledQuestion

FOLDER, QUESTIONS, CONCURRENCY, ANSWERED_AFTER = {folder!r}, {questions}, {concurrency}, {answered_after}
examples = [
    LabelledQuestion(id=f"q{{i}}", question=f"Who {{i}}?", context="Ada. " * 40, answers=("Ada",))
    for i in range(QUESTIONS)
]
asked = os.open(FOLDER + "/asked", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def local(question):
    return Answer("Ada", scores={{"answerability": 0.5}}, model="local")

async def remote(question):
    os.write(asked, (question.id + "\\n").encode())
    await asyncio.sleep(random.uniform(*ANSWERED_AFTER))
    if question.id.endswith("7"):
        raise TimeoutError("slow")
    return Answer("Ada " * 50, model="remote")

collect(examples, local=local, remote=remote, out=FOLDER + "/records.jsonl", scorers=["agreement", "answerability"],
        concurrency=CONCURRENCY, retry_failed=False)
"""


@pytest.fixture
def start(tmp_path):
    """Returns a function that starts a collector in a process of its own."""
    script = tmp_path / "collector.py"
    options = {"questions": QUESTIONS, "concurrency": CONCURRENCY, "answered_after": ANSWERED_AFTER}
    script.write_text(COLLECTOR.format(folder=str(tmp_path), **options))
    context = multiprocessing.get_context("forkserver")  # the imports are done once, not for every process
    context.set_forkserver_preload(["twosup_chain.collection.collect"])

    def start():
        process = context.Process(target=runpy.run_path, args=(str(script),))
        process.start()
        return process

    return start


@pytest.mark.slow
def test_killed_at_50_random_moments_it_loses_no_record_and_doubles_none(start, tmp_path):
    chance = random.Random(20260117)  # noqa: S311 - moments, no secrets
    out, asked = tmp_path / "records.jsonl", tmp_path / "asked"
    before, at_work = b"", 0
    for kill in range(1, KILLS + 1):
        process = start()
        if kill % 5:  # else it is killed while it starts, or a little later
            _wait(lambda: _size(out) > len(before), process.is_alive)  # noqa: B023 - it is called in this round only
        time.sleep(chance.uniform(0.0, 0.06))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, "the collection was done before it could be killed"
        after = out.read_bytes() if out.exists() else b""
        kept = before[: before.rfind(b"\n") + 1]  # what a kill leaves of a line is the only thing that may go
        assert after.startswith(kept)
        lines = after.split(b"\n")[:-1]
        assert len({json.loads(line)["id"] for line in lines}) == len(lines)
        lost = len(asked.read_text().split()) - len(lines) if asked.exists() else 0
        assert lost <= kill * CONCURRENCY, "more was lost than the questions in flight"
        at_work += len(after) > len(before)
        before = after
    assert at_work >= 0.8 * KILLS

    process = start()
    process.join()
    assert process.exitcode == 0
    assert Counter(record.id for record in read_records(out)) == Counter(f"q{i}" for i in range(QUESTIONS))
    columns = read_columns(out, local_scorer="answerability", remote_scorer="agreement")
    assert (len(columns), columns.provenance.failed) == (0.9 * QUESTIONS, 0.1 * QUESTIONS)


def test_ctrl_c_ends_the_command_with_130_and_the_same_command_goes_on_from_there(tmp_path):
    out = tmp_path / "records.jsonl"
    command = [
        sys.executable,
        "-c",
        "from twosup_chain.cli import main; main()",
        "collect",
        "demo:sample",
        "--out",
        str(out),
        "--json",
        "--limit",
        "40",
    ]
    # a shell starts its background jobs with SIGINT ignored, and tests may run in one
    restored = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", restored, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    _wait(lambda: _size(out) > 0, lambda: process.poll() is None)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, b"")
    assert b"interrupted" in stderr
    assert b"Traceback" not in stderr
    recorded = len(list(read_records(out)))
    done = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert (done["recorded"], done["new"], done["failed"]) == (40, 40 - recorded, 0)
    assert recorded > 0


def _size(path):
    return path.stat().st_size if path.exists() else 0


def _wait(condition, alive):
    while not condition():
        assert alive()
        time.sleep(0.002)
