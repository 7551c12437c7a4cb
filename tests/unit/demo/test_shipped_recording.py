"""The recording that comes with the package: every question of the sample, with the evidence that scorers read."""

from __future__ import annotations

import pytest

from twosup_chain.demo.recording import SAMPLE, digest, load
from twosup_chain.demo.run import RECORDING
from twosup_chain.text.questions import load_questions


@pytest.fixture(scope="module")
def recording():
    return load(RECORDING)


def test_answers_every_question_of_the_sample_as_it_stands_there_and_no_other(recording):
    asked = [(example.id, digest(example.as_input())) for example in load_questions(SAMPLE)]
    assert [(line.id, line.digest) for line in recording.lines] == asked


def test_names_the_model_the_server_the_day_and_the_prompt(recording):
    header = recording.header
    assert "Qwen2.5-Coder-1.5B-Instruct" in header.model
    assert "llama-cpp-python" in header.server
    assert header.recorded.startswith("20")
    last = header.messages[-1]["content"]
    assert "{passage}" in last
    assert "{question}" in last


def test_carries_token_log_probabilities_usage_seconds_and_model(recording):
    for line in recording.lines:
        answer = line.answer
        assert answer.token_logprobs, line.id
        assert answer.usage["output_tokens"] == len(answer.token_logprobs), line.id
        assert answer.seconds > 0, line.id
        assert answer.model == recording.header.model, line.id
