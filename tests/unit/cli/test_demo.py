"""`twosup demo` and `twosup models` as documents."""

from __future__ import annotations

import hashlib
import json

import pytest

from twosup_chain.demo import run
from twosup_chain.demo.recording import Header, record
from twosup_chain.schema import Answer
from twosup_chain.testing import ScriptedAnswerer
from twosup_chain.text.questions import load_questions

CONTEXT = "Ada wrote the first program in 1843."
LOCAL = {
    "Who?": Answer("Ada", scores={"answerability": 0.9}, start=0, end=3, document=0),
    "When?": Answer("Ada", scores={"answerability": 0.55}),
    "Why?": Answer("Ada", scores={"answerability": 0.55}),
}
REMOTE = {"Who?": "Ada", "When?": "1843", "Why?": "Babbage"}
GOLDS = {"Who?": ["Ada"], "When?": ["1843"], "Why?": []}


@pytest.fixture
def small_demo(monkeypatch, tmp_path):
    """A demo of three questions, with a local model by script."""
    qas = [
        {"id": q, "question": q, "answers": [{"text": text, "answer_start": 0} for text in golds]}
        for q, golds in GOLDS.items()
    ]
    data = tmp_path / "sample.json"
    data.write_text(json.dumps({"data": [{"title": "Ada", "paragraphs": [{"context": CONTEXT, "qas": qas}]}]}))
    header = Header(model="m-1", server="s", recorded="2026-01-31", messages=(), sampling={})
    questions = [example.as_input() for example in load_questions(data)]
    record(ScriptedAnswerer(script=REMOTE), questions, tmp_path / "recording.jsonl", header)
    files = {"data": data, "recording": tmp_path / "recording.jsonl", "thresholds": run.THRESHOLDS}
    real = run.run_demo
    monkeypatch.setattr(run, "run_demo", lambda **options: real(**files, **options))
    monkeypatch.setattr(run, "ExtractiveReader", lambda: ScriptedAnswerer(script=LOCAL))


def test_the_demo_as_json_is_one_document_with_every_question_and_the_figures(twosup, small_demo):
    result = twosup("demo", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert [(q["id"], q["source"], q["status"]) for q in document["questions"]] == [
        ("Who?", "local", "answered"),
        ("When?", "remote", "answered"),
        ("Why?", "none", "untrusted"),
    ]
    assert document["questions"][1]["local_verdict"]["score"] == 0.55
    chain = document["summary"]["chain"]
    assert (chain["exact_match"], chain["f1"], chain["f1_interval"]) == (1.0, 1.0, [1.0, 1.0])
    assert document["recording"]["model"] == "m-1"


def test_the_demo_shows_questions_and_the_summary(twosup, small_demo):
    shown = twosup("demo").stdout
    assert shown.index("A local answer that is trusted") < shown.index(">>Ada<< wrote") < shown.index("Summary")
    assert "a recording of m-1" in " ".join(shown.split())


def test_the_demo_can_show_the_summary_alone(twosup, small_demo):
    shown = twosup("demo", "--show", "0").stdout
    assert "Summary" in shown
    assert ">>" not in shown


def test_a_negative_number_of_questions_is_refused(twosup):
    result = twosup("demo", "--show", "-1")
    assert result.exit_code == 2
    assert "Invalid value for '--show'" in result.stderr


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """An installation whose reader is a few bytes."""
    model = tmp_path / "reader" / "packaged"
    model.mkdir(parents=True)
    (model / "reader.onnx").write_bytes(b"weights")
    config = {"name": "r-1", "digest": hashlib.sha256(b"weights").hexdigest(), "calibration": {"x": 1}}
    (model / "config.json").write_text(json.dumps(config))
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    return model


def test_the_packaged_reader_is_shown_with_size_and_digest(twosup, folder):
    digest = hashlib.sha256(b"weights").hexdigest()
    reader = json.loads(twosup("models", "--json").stdout)["reader"]
    assert reader == {"name": "r-1", "digest": digest, "bytes": 7, "intact": True}
    assert f"r-1 · 0.0 MB · sha256 {digest[:12]}… intact" in twosup("models").stdout


def test_a_reader_that_was_changed_is_noticed(twosup, folder):
    (folder / "reader.onnx").write_bytes(b"Weights")
    assert "does not match the file" in twosup("models").stdout


def test_verify_fails_where_the_reader_is_not_what_was_packaged(twosup, folder):
    assert twosup("models", "--verify").exit_code == 0
    (folder / "reader.onnx").write_bytes(b"Weights")
    result = twosup("models", "--verify")
    assert result.exit_code != 0
    assert "reinstall twosup-chain" in result.stderr


def test_verify_reads_the_tokenizer_too(twosup, folder):
    config = json.loads((folder / "config.json").read_text())
    config["tokenizer_digest"] = hashlib.sha256(b"{}").hexdigest()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_bytes(b"{}")
    assert twosup("models", "--verify").exit_code == 0
    (folder / "tokenizer.json").write_bytes(b"{ }")
    assert twosup("models", "--verify").exit_code != 0


@pytest.mark.parametrize("damage", ["missing", "no json"])
def test_a_reader_that_is_missing_or_damaged_is_said_to_be(twosup, folder, damage):
    if damage == "missing":
        (folder / "reader.onnx").unlink()
    else:
        (folder / "config.json").write_text("{")
    result = twosup("models")
    assert result.exit_code == 0
    assert "missing or damaged: reinstall twosup-chain" in result.stdout
    assert json.loads(twosup("models", "--json").stdout)["reader"] is None
