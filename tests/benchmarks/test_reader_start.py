"""How soon the packaged reader gives its first answer after its process has started."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.benchmark

ROUNDS = 7
CODE = """
from twosup_chain import ExtractiveReader
passage = "The mill at Upper Dean was built in 1790 by Anna Hartley. It burnt down in 1851. " * 8
answer = ExtractiveReader().invoke({"question": "Who built the mill?", "context": passage})
import time
print(time.time(), time.process_time(), answer.candidates[0].text)
"""


def first_answer():
    """Wall and processor seconds from the start of the process to the first answer."""
    began = time.time()
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    at, processor, text = done.stdout.split(maxsplit=2)
    assert "Anna Hartley" in text
    return float(at) - began, float(processor)


def test_the_first_answer_comes_within_a_second():
    first_answer()  # which writes the bytecode and warms the file cache
    wall, processor = zip(*(first_answer() for _ in range(ROUNDS)), strict=True)
    print(f"first answer: best of {ROUNDS} {min(wall):.2f} s, processor {min(processor):.2f} s; all {sorted(wall)}")
    assert min(wall) <= 1.0
