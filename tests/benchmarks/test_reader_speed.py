"""`ExtractiveReader` against transformers' question answering pipeline: same weights, questions and threads, in turns.

transformers dropped the pipeline in 5.3, so that its side runs in an environment of its own:

    python -m venv other && other/bin/pip install torch 'transformers<5'
    TWOSUP_PIPELINE_PYTHON=other/bin/python TWOSUP_READER_CHECKPOINT=FOLDER pytest -m benchmark -s -k reader_speed

``FOLDER`` holds a checkpoint as ``twosup train-reader`` leaves it. The questions are the demo's own; with
``TWOSUP_SQUAD=FOLDER`` they are drawn from its ``train.json.gz``. ``TWOSUP_THREADS`` is 2 unless it says otherwise.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from twosup_chain import ExtractiveReader
from twosup_chain.demo.recording import SAMPLE
from twosup_chain.text.questions import load_questions
from twosup_chain.training.export import export_reader

pytestmark = pytest.mark.benchmark

THREADS = int(os.environ.get("TWOSUP_THREADS", "2"))
SINGLE, BATCH, ROUNDS = 100, 256, 4
#: Single questions are asked in turns of so many.
BLOCK = 25
#: Batch sizes that the pipeline may choose from: the fastest is compared with.
BATCH_SIZES = (1, 8, 32)


class Pipeline:
    """The other side, as a process."""

    def __init__(self, python, checkpoint):
        command = [python, "-W", "ignore", Path(__file__).with_name("pipeline_side.py"), checkpoint, str(THREADS)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def seconds(self, examples, batch_size=1):
        questions = [{"question": e.question, "context": e.context} for e in examples]
        request = {"questions": questions if len(questions) > 1 else questions[0], "batch_size": batch_size}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        assert len(reply["answers"]) == len(examples)
        return reply["seconds"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def checkpoint():
    folder = os.environ.get("TWOSUP_READER_CHECKPOINT")
    if not folder or not os.environ.get("TWOSUP_PIPELINE_PYTHON"):
        pytest.skip("needs TWOSUP_PIPELINE_PYTHON and TWOSUP_READER_CHECKPOINT")
    return folder


@pytest.fixture(scope="module")
def theirs(checkpoint):
    side = Pipeline(os.environ["TWOSUP_PIPELINE_PYTHON"], checkpoint)
    yield side
    side.close()


@pytest.fixture(scope="module")
def ours(checkpoint, tmp_path_factory):
    calibration = load_questions(SAMPLE.with_name("tuning.json"))[::2]
    folder = export_reader(Path(checkpoint), tmp_path_factory.mktemp("reader"), calibration)
    reader = ExtractiveReader(model=folder, num_threads=THREADS)

    def seconds(examples):
        inputs = [{"question": e.question, "context": e.context} for e in examples]
        began = time.perf_counter()
        answers = reader.batch(inputs) if len(inputs) > 1 else [reader.invoke(inputs[0])]
        spent = time.perf_counter() - began
        assert len(answers) == len(examples)
        return spent

    return seconds


@pytest.fixture(scope="module")
def examples():
    folder = os.environ.get("TWOSUP_SQUAD")
    found = (
        load_questions(Path(folder) / "train.json.gz")
        if folder
        else load_questions(SAMPLE) + load_questions(SAMPLE.with_name("tuning.json"))
    )
    return random.Random(1).sample(found, SINGLE + BATCH if folder else BATCH)  # noqa: S311  a sample, not a secret


def rested(measure):
    """Measures once the other side's idle threads have stopped spinning, which would cost this side a core."""
    time.sleep(0.25)
    return measure()


def ratio(pairs, summary):
    """Their time over ours, with the 95 % bootstrap interval over the pairs."""
    pairs, rng = np.array(pairs), np.random.default_rng(0)
    value = lambda rows: summary(rows[:, 1]) / summary(rows[:, 0])  # noqa: E731
    drawn = [value(pairs[rng.integers(0, len(pairs), len(pairs))]) for _ in range(2000)]
    return value(pairs), *np.percentile(drawn, (2.5, 97.5))


def test_a_single_question_takes_at_most_a_quarter_of_the_time(ours, theirs, examples):
    for example in examples[:5]:
        ours([example]), theirs.seconds([example])
    pairs = []
    for at in range(0, SINGLE, BLOCK):
        block = examples[at : at + BLOCK]
        mine = rested(lambda block=block: [ours([example]) for example in block])
        pairs += zip(mine, rested(lambda block=block: [theirs.seconds([example]) for example in block]), strict=True)
    found, low, high = ratio(pairs, np.median)
    a, b = 1e3 * np.median(pairs, axis=0)
    print(f"single, {THREADS} threads: {a:.1f} ms against {b:.1f} ms (p50), {found:.2f}x ({low:.2f}-{high:.2f})")
    assert found >= 4.0


def test_a_batch_of_256_takes_at_most_a_fifth_of_the_time(ours, theirs, examples):
    batch = examples[-BATCH:]
    ours(batch[:64])
    tried = {size: theirs.seconds(batch[:64], size) for size in BATCH_SIZES}
    best = min(tried, key=tried.__getitem__)
    pairs = [(rested(lambda: ours(batch)), rested(lambda: theirs.seconds(batch, best))) for _ in range(ROUNDS)]
    found, low, high = ratio(pairs, np.sum)
    a, b = 1e3 * np.mean(pairs, axis=0) / BATCH
    print(f"batch of {BATCH}, {THREADS} threads: {a:.1f} ms against {b:.1f} ms a question (their batch_size={best})")
    print(f"batch of {BATCH}: {found:.2f}x ({low:.2f}-{high:.2f}); 64 questions by batch_size: {tried}")
    assert found >= 5.0
