"""The command that records a hosted model, against a real server on loopback and against one that fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from twosup_chain.answerers.prompt import qa_messages
from twosup_chain.demo.recording import load
from twosup_chain.demo.replay import ReplayedAnswerer

pytestmark = pytest.mark.integration

pytest.importorskip("langchain_openai")

CONTEXT = "The tower of Zürich-Oerlikon was finished in 1874. It was designed by Ellen Marsh."
QUESTIONS = ("Who designed the tower?", "When was it finished?", "How tall is it?")
KEY = "sk-never-to-be-seen"


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "questions.json"
    qas = [{"id": f"q-{i}", "question": question, "answers": []} for i, question in enumerate(QUESTIONS)]
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": CONTEXT, "qas": qas}]}]}))
    return path


@pytest.fixture
def out(tmp_path):
    return tmp_path / "recording.jsonl"


def run(base_url, data, out, *options):
    command = ["--base-url", base_url, "--model-name", "SmolLM2-135M", "--data", data, "--out", out, *options]
    return subprocess.run(
        [sys.executable, "-m", "twosup_chain.demo.recording", *map(str, command)],
        env={**os.environ, "OPENAI_API_KEY": KEY, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )


def test_records_all_evidence_asks_nothing_twice_and_can_be_replayed(llama_server, data, out):
    done = run(llama_server, data, out, "--max-tokens", "8")
    assert done.returncode == 0, done.stderr
    assert "3 answers of SmolLM2-135M, 3 with token log-probabilities" in done.stdout
    recording, whole = load(out), out.read_bytes()
    assert recording.header.messages == tuple(qa_messages("{question}", ["{passage}"]))
    for line in recording.lines:
        assert all(len(token.top) == 5 for token in line.answer.token_logprobs)
        assert line.answer.usage["output_tokens"] == len(line.answer.token_logprobs) <= 8
        assert line.answer.seconds > 0
    assert KEY not in whole.decode() + done.stdout + done.stderr

    assert run(llama_server, data, out, "--max-tokens", "8").returncode == 0
    assert out.read_bytes() == whole

    asked = [{"question": question, "context": CONTEXT} for question in QUESTIONS]
    assert ReplayedAnswerer(recording=out).batch(asked) == [line.answer for line in recording.lines]


@pytest.mark.parametrize("fault", ["unauthorized", "empty_content"])
def test_a_failing_server_is_told_in_a_line_and_leaves_a_whole_file(fault_server, data, out, fault):
    done = run(fault_server.url(fault), data, out)
    assert done.returncode == 1
    assert "stopped by" in done.stderr
    assert "Traceback" not in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert load(out).lines == ()
