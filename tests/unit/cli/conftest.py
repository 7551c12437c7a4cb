"""What the tests of the command line share: a way to call it in this process, thresholds, a local model by script."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from twosup_chain import parts
from twosup_chain.cli.app import app
from twosup_chain.schema import Answer
from twosup_chain.testing import ScriptedAnswerer

FITTED = {
    "local": {"scorer": "answerability", "threshold": 0.6},
    "remote": {"scorer": "in_context", "threshold": 0.5},
    "fixed_on": "1000 questions of a training set.",
}
CONTEXT = "Ada wrote the first program in 1843."


@pytest.fixture
def twosup():
    """Returns a function that runs ``twosup`` with these arguments and returns exit code, stdout and stderr."""

    def run(*args, stdin=None):
        result = CliRunner().invoke(app, list(args), input=stdin, prog_name="twosup")
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture(autouse=True)
def _settled(monkeypatch, tmp_path):
    """No key, no colours, and thresholds that no other change moves."""
    monkeypatch.delenv(parts.KEY, raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    path = tmp_path / "thresholds.json"
    path.write_text(json.dumps(FITTED))
    monkeypatch.setattr("twosup_chain.demo.run.THRESHOLDS", path)


@pytest.fixture
def context(tmp_path):
    """The path of a short passage."""
    path = tmp_path / "ada.txt"
    path.write_text(CONTEXT)
    return str(path)


@pytest.fixture
def local(monkeypatch):
    """Puts a script in the local model's place."""
    script = {
        "Who?": Answer("Ada", scores={"answerability": 0.9, "span_probability": 0.8}, start=0, end=3, document=0),
        "When?": Answer("Ada", scores={"answerability": 0.5, "span_probability": 0.1}),
        "Where?": Answer(None, scores={"answerability": 0.1}),
        "Why?": ZeroDivisionError("of [all] things"),
    }
    answerer = ScriptedAnswerer(script=script)
    monkeypatch.setattr(parts, "local_answerer", lambda *_: answerer)
    return answerer
