"""Fixing the demo's thresholds: what was recorded is calibrated, and the file is one that the demo reads."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial

import pytest
from typer import Typer
from typer.testing import CliRunner

from twosup_chain.demo import thresholds
from twosup_chain.demo.recording import Header, record
from twosup_chain.demo.run import DemoThresholds
from twosup_chain.errors import InfeasibleTargetError
from twosup_chain.schema import Answer
from twosup_chain.testing import ScriptedAnswerer
from twosup_chain.text.questions import LabelledQuestion, load_questions

CONTEXT = "The lamp burns oil and the engine burns coal."


@pytest.fixture
def files(tmp_path):
    """Twenty questions: the local model knows the first half, the hosted one half of the others."""
    questions = [
        LabelledQuestion(
            id=f"q{number}",
            question=f"What does {'the lamp' if number < 10 else 'the engine'} burn, for the {number}th time?",
            context=CONTEXT,
            answers=("oil",) if number < 10 else ("coal",),
        )
        for number in range(20)
    ]
    lines = [
        json.dumps(question.model_dump(include={"id", "question", "context", "answers"})) for question in questions
    ]
    unrecorded = json.dumps({"id": "new", "question": "And else?", "context": CONTEXT, "answers": []})
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join([*lines, unrecorded]))
    local, remote = {}, {}
    for number, question in enumerate(questions):
        sure = 0.9 if number < 10 else 0.2
        local[question.question] = Answer("oil", scores={"answerability": sure}, start=15, end=18, document=0)
        remote[question.question] = "coal" if number < 15 else "forty barrels of tar"
    header = Header(model="m-1", server="s", recorded="2026-01-31", messages=(), sampling={})
    inputs = [question.as_input() for question in questions]
    record(ScriptedAnswerer(script=remote), inputs, tmp_path / "recording.jsonl", header)
    return {"data": data, "recording": tmp_path / "recording.jsonl", "local": ScriptedAnswerer(script=local)}


@pytest.fixture
def records(files, tmp_path):
    return thresholds.tuning_records(tmp_path / "records.jsonl", **files)


def test_of_the_settings_that_keep_the_risk_the_one_with_the_most_answers_is_taken(records):
    found = thresholds.fix(records, risk=0.1)
    assert found.questions == 20
    assert 0.2 < found.local.threshold <= 0.9
    assert found.estimate("coverage").value == 0.75
    assert found.estimate("risk").value == 0.0


def test_a_risk_that_no_setting_keeps_is_an_error(files, tmp_path):
    questions = [question.question for question in load_questions(files["data"])]
    wrong = ScriptedAnswerer(script=dict.fromkeys(questions, Answer("tar", scores={"answerability": 0.5})))
    text = files["recording"].read_text()
    files["recording"].write_text(text.replace('"coal"', '"tar"'))
    with pytest.raises(InfeasibleTargetError, match="risk"):
        thresholds.fix(thresholds.tuning_records(tmp_path / "records.jsonl", **{**files, "local": wrong}), risk=0.1)


def test_the_file_is_one_that_the_demo_reads_and_says_what_it_was_fixed_on(files, tmp_path, monkeypatch):
    collected = partial(thresholds.tuning_records, local=files["local"])
    monkeypatch.setattr(thresholds, "tuning_records", collected)
    app, out = Typer(), tmp_path / "thresholds.json"
    app.command()(thresholds.main)
    given = ("--data", str(files["data"]), "--recording", str(files["recording"]), "--described", "made-up questions")
    result = CliRunner().invoke(app, ["--out", str(out), "--risk", "0.1", *given])
    assert result.exit_code == 0, result.output
    found = DemoThresholds.load(out)
    assert found.fixed_on == "20 made-up questions"
    assert (found.local.scorer, found.remote.scorer) == ("answerability", "grounded")
    assert set(found.supervisors) == {"local_supervisor", "remote_supervisor"}
    assert "selective risk" in result.output


def test_an_error_is_one_line_with_exit_code_2(tmp_path):
    command = [sys.executable, "-m", "twosup_chain.demo.thresholds", "--out", str(tmp_path / "t.json")]
    done = subprocess.run([*command, "--data", "nowhere.json"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: cannot read nowhere.json")
    assert done.stderr.count("\n") == 1
