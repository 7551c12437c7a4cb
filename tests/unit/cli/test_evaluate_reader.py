"""``twosup evaluate-reader``: what it prints and writes, with the packaged reader on two questions, and bad input."""

from __future__ import annotations

import json
import sys

import pytest

from twosup_chain.errors import MissingExtraError

PASSAGE = "The mill at Upper Dean was built in 1790 by Anna Hartley. It burnt down in 1851."


@pytest.fixture
def squad_file(tmp_path):
    qas = [
        {"id": "1", "question": "Who built the mill?", "answers": [{"text": "Anna Hartley", "answer_start": 44}]},
        {"id": "2", "question": "Who was the first pope?", "answers": [], "is_impossible": True},
    ]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "Mill", "paragraphs": [{"context": PASSAGE, "qas": qas}]}]}))
    return str(path)


def test_it_prints_figures_with_intervals_and_the_risk_at_each_coverage(twosup, squad_file):
    result = twosup("evaluate-reader", squad_file)
    assert result.exit_code == 0, result.stderr
    assert "2 questions, 1 of them answerable" in " ".join(result.stdout.split())
    for line in ("exact match, unanswerable", "AUROC of answerability", "expected calibration error", "95 % interval"):
        assert line in result.stdout
    assert "wrong among them" in result.stdout
    assert "100\N{NO-BREAK SPACE}%" in result.stdout


def test_json_and_the_files_of_the_official_format(twosup, squad_file, tmp_path):
    result = twosup("evaluate-reader", squad_file, "--json", "--out", str(tmp_path / "out"), "--threads", "1")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["questions"], found["answerable"], found["refused"]) == (2, 1, 0)
    assert found["figures"]["forced_exact"]["value"] == 1.0
    assert [point["coverage"] for point in found["risk_coverage"]] == [0.5, 1.0]
    predictions = json.loads((tmp_path / "out" / "predictions.json").read_text())
    no_answer = json.loads((tmp_path / "out" / "na_prob.json").read_text())
    assert predictions.keys() == no_answer.keys() == {"1", "2"}
    assert all((text == "") == (no_answer[name] > 0.5) for name, text in predictions.items())
    assert json.loads((tmp_path / "out" / "figures.json").read_text()) == found


def test_without_matplotlib_all_but_the_pictures_is_written(twosup, squad_file, tmp_path, monkeypatch):
    def missing(*_):
        raise MissingExtraError("a picture", "matplotlib", "plot")

    monkeypatch.setattr("twosup_chain.training.pictures.draw_evaluation", missing)
    result = twosup("evaluate-reader", squad_file, "--out", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert "no pictures: a picture needs matplotlib" in result.stderr
    assert (tmp_path / "out" / "predictions.json").is_file()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (["nowhere.json"], "cannot read nowhere.json"),
        (["{file}", "--model", "{folder}/none"], "a reader's folder holds reader.onnx"),
        (["{file}", "--threads", "0"], "--threads"),
        (["{file}", "--out", "{file}"], "cannot write to"),
        ([], "Missing argument"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(twosup, squad_file, tmp_path, change, complaint):
    result = twosup("evaluate-reader", *(part.format(file=squad_file, folder=tmp_path) for part in change))
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stderr.rstrip().count("\n") == 0


def test_it_needs_no_torch(twosup, squad_file, monkeypatch):
    for name in ("torch", "transformers", "onnx", "safetensors"):
        monkeypatch.setitem(sys.modules, name, None)
    assert twosup("evaluate-reader", squad_file).exit_code == 0
