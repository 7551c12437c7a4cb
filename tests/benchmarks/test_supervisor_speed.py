"""A supervisor's own time is at most 5 % of the local answer's: packaged reader, one thread, processor time.

Judged are recorded answers of the demo's hosted model, log-probabilities and alternatives included, by every scorer
that runs no model of its own.
"""

from __future__ import annotations

import statistics
import time
import warnings

import pytest

from twosup_chain import ExtractiveReader, Supervisor
from twosup_chain.demo.recording import SAMPLE
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.demo.run import RECORDING
from twosup_chain.schema import Evidence
from twosup_chain.text.questions import load_questions

pytestmark = pytest.mark.benchmark

QUESTIONS = 48
ROLES = {
    "local": ("answerability", "backed", "learned_local", "span_probability"),
    "remote": ("agreement", "backed", "in_context", "learned_remote", "min_token_margin", "min_token_probability"),
}


@pytest.fixture(scope="module")
def answers():
    """The questions, both answers to each, and the median seconds of a local one."""
    reader, examples = ExtractiveReader(num_threads=1), load_questions(SAMPLE)[:QUESTIONS]
    inputs = [example.as_input() for example in examples]
    reader.answer_many(inputs[:2])
    local, seconds = [], []
    for value in inputs:
        began = time.process_time()
        local += reader.answer_many([value])
        seconds.append(time.process_time() - began)
    remote = ReplayedAnswerer(recording=RECORDING).answer_many(inputs)
    return inputs, local, remote, statistics.median(seconds)


@pytest.mark.parametrize("weigh", [False, True])
@pytest.mark.parametrize(("role", "scorer"), [(role, scorer) for role, names in ROLES.items() for scorer in names])
def test_a_verdict_takes_at_most_a_twentieth_of_a_local_answer(answers, role, scorer, weigh):
    inputs, local, remote, reading = answers
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        supervisor = Supervisor(scorer, threshold=0.5, missing=0.0)
    at = role if weigh else None
    evidence = [
        Evidence(input=i, answer=a, weigh=at) if role == "local" else Evidence(input=i, answer=b, local=a, weigh=at)
        for i, a, b in zip(inputs, local, remote, strict=True)
    ]
    seconds = []
    for item in evidence * 3:
        began = time.process_time()
        supervisor.process([item])
        seconds.append(time.process_time() - began)
    judging = statistics.median(seconds)
    share = judging / reading
    kind = ", weighing" if weigh else ""
    print(f"{role} {scorer}{kind}: {1e6 * judging:.0f} µs, {share:.2%} of {1e3 * reading:.1f} ms (processor time)")
    assert judging <= 0.05 * reading
