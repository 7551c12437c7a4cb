"""``twosup export-reader`` and ``twosup train-reader``: how bad input ends. That they work is shown in integration."""

from __future__ import annotations

import importlib.util
import json

import pytest


@pytest.fixture
def questions(tmp_path):
    lines = [
        {"question": "Who?", "context": "Ada", "answers": ["Ada"]},
        {"question": "When?", "context": "Ada", "answers": []},
    ]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["export-reader"], "Missing argument"),
        (["export-reader", "checkpoint", "out"], "Missing option '--calibrate'"),
        (["export-reader", "checkpoint", "out", "--calibrate", "nowhere.json"], "cannot read nowhere.json"),
        (["export-reader", "checkpoint", "out", "--calibrate", "{questions}", "--count", "1"], "--count"),
        (["train-reader", "out"], "Missing option '--model'"),
        (["train-reader", "out", "--model", "m", "--file", "f", "--source", "Wiki"], "is not NAME=NUMBER"),
        (["train-reader", "out", "--model", "m", "--file", "f", "--held-out", "1.5"], "--held-out 1.5 is no share"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(twosup, questions, args, complaint):
    result = twosup(*(part.format(questions=questions) for part in args))
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stderr.rstrip().count("\n") == 0


def test_a_folder_that_is_no_checkpoint_is_named(twosup, questions, tmp_path):
    pytest.importorskip("safetensors")
    result = twosup("export-reader", str(tmp_path), str(tmp_path / "out"), "--calibrate", questions)
    assert result.exit_code == 2
    assert "is no checkpoint with config.json, model.safetensors and tokenizer.json" in result.stderr


def test_without_the_extra_the_command_that_installs_it_is_named(twosup, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "twosup_chain.training.trainer.find_spec", lambda name: None if name == "torch" else found(name)
    )
    result = twosup("train-reader", str(tmp_path), "--model", str(tmp_path), "--file", str(tmp_path))
    assert result.exit_code == 1
    assert "needs torch: pip install 'twosup-chain[train]'" in result.stderr
