from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from twosup_chain import calibrate
from twosup_chain.cli.app import app
from twosup_chain.outcomes.outcomes import Outcomes
from twosup_chain.service.log import DecisionLog

OWN = """
from twosup_chain import Answer

def local(asked):
    return Answer(asked.passages[0].split()[0], scores={"answerability": 0.9 if asked.question.endswith("?") else 0.1})
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    score = np.array([0.25, 0.75] * 100)
    right = score > 0.5
    outcomes = Outcomes(local_score=score, remote_score=score, local_correct=right, remote_correct=right)
    scorers = {"local_scorer": "answerability", "remote_scorer": "in_context"}
    calibrate(outcomes, risk=0.1, confidence=0.9, **scorers).save(tmp_path / "calibration.json")
    (tmp_path / "own.py").write_text(OWN)
    usage = {"input_tokens": 1_000_000, "output_tokens": 0}
    lines = [
        {"question": question, "context": "Ada wrote it.", "answer": answer, "usage": usage}
        for question, answer in (("Who?", "Ada"), ("Who wrote?", "Byron"), ("Who", "Ada"), ("Tell", None))
    ]
    (tmp_path / "answered.jsonl").write_text("\n".join(map(json.dumps, lines)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    result = CliRunner().invoke(app, ["observe", *words])
    return result.exit_code, result.output


def test_it_says_what_would_have_been_saved_and_what_would_have_been_risked(folder):
    prices = ["--price-in", "2", "--price-out", "0"]
    code, text = run("answered.jsonl", "calibration.json", "--local", "own.py:local", *prices, "--json")
    assert code == 0, text
    found = json.loads(text)
    assert (found["decisions"], found["kept"]["value"], found["saved"]) == (4, 0.5, 4.0)
    assert found["differing"]["value"] == 0.5
    assert 0.0 < found["differing"]["low"] < found["differing"]["high"] < 1.0
    assert {d.source for d in DecisionLog("observed.db").decisions()} >= {"local"}
    code, text = run("answered.jsonl", "calibration.json", "--local", "own.py:local", "--log", "other.db")
    assert "kept by the local model: 50.0 %" in text


def test_a_line_that_is_none_is_named(folder):
    (folder / "answered.jsonl").write_text('{"question": "Who?"}')
    code, text = run("answered.jsonl", "calibration.json", "--local", "own.py:local")
    assert (code, "line 1" in text) == (2, True)
