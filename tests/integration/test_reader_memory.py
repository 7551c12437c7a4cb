"""What the packaged reader holds in memory, beyond the bare interpreter, after single questions, a batch and a book."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.alone,
    pytest.mark.integration,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc"),
]

MEGABYTES = 300
CODE = """
import resource
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 1e6
bare = resident()
from twosup_chain import ExtractiveReader
reader = ExtractiveReader(num_threads=2)
passage = "The mill at Upper Dean was built in 1790 by Anna Hartley. It burnt down in 1851. "
question = {"question": "Who built the mill?", "context": passage * 8}
for _ in range(5):
    reader.invoke(question)
single = resident() - bare
reader.batch([{**question, "context": passage * (1 + i % 16)} for i in range(64)])
reader.invoke({**question, "context": passage * 400})
print(single, resident() - bare)
"""


def test_the_reader_stays_below_300_megabytes_after_single_questions_a_batch_and_a_long_passage():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    single, everything = map(float, done.stdout.split())
    assert 20 < single < everything < MEGABYTES
