"""A million questions are calibrated in under 20 seconds and under 2 GB, from columns and from a file of records."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.benchmark

QUESTIONS = 1_000_000
_DRAWN = f"""
import numpy as np
rng = np.random.default_rng(0)
n = {QUESTIONS}
local, remote = rng.random(n), rng.random(n)
local_right, remote_right = rng.random(n) < 0.4 + 0.6 * local, rng.random(n) < 0.6 + 0.4 * remote
"""
_MEASURED = """
import resource, time
started, processor = time.perf_counter(), time.process_time()
{what}
print(made, f"{{time.perf_counter() - started:.1f}} s of wall time", sep="\\n")
seconds = time.process_time() - processor
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""
_FROM_COLUMNS = """
from twosup_chain import calibrate
from twosup_chain.outcomes.outcomes import Outcomes
outcomes = Outcomes(local_score=local, remote_score=remote, local_correct=local_right, remote_correct=remote_right,
                    remote_cost=rng.random(n) / 100, max_call_cost=0.01)
made = calibrate(outcomes, risk=0.15, remote_rate=0.9, budget=5.0, confidence=0.9)
"""
_FROM_RECORDS = """
from twosup_chain import calibrate
made = calibrate({path!r}, risk=0.15, confidence=0.9, local_scorer="answerability", remote_scorer="grounded")
"""


_ORDERED = _FROM_COLUMNS.replace(
    "calibrate(outcomes,", "calibrate(outcomes.take(halves), order=outcomes.take(~halves),"
)


def _measure(code: str) -> tuple[float, float]:
    """Returns seconds of one processor and the peak of memory in GiB, measured in a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    print(done.stdout)
    seconds, gib = map(float, done.stdout.splitlines()[-1].split())
    return seconds, gib


def test_a_million_questions_in_columns() -> None:
    seconds, gib = _measure(_DRAWN + _MEASURED.format(what=_FROM_COLUMNS))
    assert seconds < 20.0
    assert gib < 2.0


def test_a_million_questions_of_which_others_order_the_tests() -> None:
    twice = _DRAWN.replace(f"n = {QUESTIONS}", f"n = {2 * QUESTIONS}") + f"halves = np.arange(n) < {QUESTIONS}\n"
    seconds, gib = _measure(twice + _MEASURED.format(what=_ORDERED))
    assert seconds < 20.0
    assert gib < 2.0


@pytest.fixture
def records(tmp_path) -> Path:
    """A file of a million records as `collect` writes them, without texts."""
    path = tmp_path / "records.jsonl"
    rng = np.random.default_rng(0)
    line = (
        '{{"version":1,"id":"question-{0:07d}","digest":"{0:016x}","answerable":true,'
        '"local":{{"no_answer":false,"exact_match":{1:.1f},"f1":{1:.1f},"trust":{{"answerability":{2!r},'
        '"span_probability":{2!r}}},"scores":{{"answerability":{2!r}}},"seconds":0.01,"model":"reader-1"}},'
        '"remote":{{"no_answer":false,"exact_match":{3:.1f},"f1":{3:.1f},"trust":{{"agreement":1.0,"grounded":{4!r}}},'
        '"logprobs":[-0.1,-0.2,-0.3],"usage":{{"input_tokens":500,"output_tokens":3}},"seconds":0.5,"model":"gpt-1"}}}}\n'
    )
    with path.open("w") as file:
        for start in range(0, QUESTIONS, 100_000):
            local, remote = rng.random((2, 100_000))
            right, remote_right = rng.random(100_000) < 0.4 + 0.6 * local, rng.random(100_000) < 0.6 + 0.4 * remote
            columns = (right.tolist(), local.tolist(), remote_right.tolist(), remote.tolist())
            file.writelines(line.format(start + i, *row) for i, row in enumerate(zip(*columns, strict=True)))
    return path


def test_a_million_records_in_a_file(records) -> None:
    seconds, gib = _measure(_MEASURED.format(what=_FROM_RECORDS.format(path=str(records))))
    assert seconds < 20.0
    assert gib < 2.0
