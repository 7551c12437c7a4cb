"""``twosup answer``: every question once, also where it was interrupted."""

from __future__ import annotations

import gzip
import json

import pytest
from typer.testing import CliRunner

from twosup_chain import TwoSupervisorChain
from twosup_chain.cli.app import app

OWN = """
from pathlib import Path

from twosup_chain import Answer

def local(asked):
    with Path("asked").open("a") as file:
        file.write(asked.question + "\\n")
    if asked.question == "broken?":
        raise ValueError("sk-live-0123456789abcdef0123456789")
    return Answer(asked.passages[0].split()[0], scores={"answerability": 0.9 if asked.question.endswith("?") else 0.1})
"""
QUESTIONS = [
    {"id": "a", "question": "Who?", "context": "Ada wrote it."},
    {"id": 7, "question": "Tell", "context": "Ada wrote it."},
    {"question": "When?", "context": ["1843 it was.", "Who knows."]},
]
TRUST = ["--local", "own.py:local", "--local-scorer", "answerability", "--local-threshold", "0.5"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, QUESTIONS)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    result = CliRunner().invoke(app, ["answer", "questions.jsonl", "--out", "answers.jsonl", *TRUST, *words])
    return result.exit_code, result.output


def answers(folder):
    return [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]


def test_each_question_has_a_line_with_its_answer_and_who_gave_it(folder):
    code, text = run()
    assert (code, "3 of 3 questions answered now: answers.jsonl" in text) == (0, True), text
    ada, tell, when = answers(folder)
    assert (ada["id"], ada["answer"], ada["source"], ada["local_trust"]) == ("a", "Ada", "local", 0.9)
    assert (tell["id"], tell["answer"], tell["status"]) == ("7", None, "untrusted")
    assert (len(when["id"]), when["answer"]) == (32, "1843")


def test_a_run_that_was_interrupted_goes_on_and_nothing_is_asked_twice(folder):
    assert run("--batch", "1")[0] == 0
    kept = (folder / "answers.jsonl").read_text()
    (folder / "answers.jsonl").write_text(kept[: kept.rindex("{") + 20])  # the last line half there
    (folder / "asked").unlink()
    code, text = run("--json")
    assert (code, json.loads(text)["new"]) == (0, 1)
    assert (folder / "asked").read_text() == "When?\n"
    assert [entry["id"] for entry in answers(folder)] == [json.loads(line)["id"] for line in kept.splitlines()]


def test_a_question_that_fails_is_a_line_too_without_a_key(folder):
    (folder / "questions.jsonl").write_text(json.dumps({"id": "x", "question": "broken?", "context": "Ada."}))
    assert run()[0] == 0
    (failed,) = answers(folder)
    assert (failed["answer"], failed["status"]) == (None, "untrusted")
    assert "ValueError" in json.dumps(failed)
    assert "sk-live-0123456789abcdef" not in json.dumps(failed)


def test_a_packed_file_is_read(folder):
    path = folder / "questions.jsonl"
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert run()[0] == 0
    assert len(answers(folder)) == 3


@pytest.mark.parametrize("name", ["asked.csv", "asked.tsv"])
def test_a_table_without_answers_is_read(folder, name):
    row = "\t" if name.endswith("tsv") else ","
    lines = [
        ("id", "question", "context", "note"),
        ("a", "Who?", "Ada wrote it.", "x"),
        ("", "When?", "1843 it was.", ""),
    ]
    (folder / name).write_text("\n".join(map(row.join, lines)))
    result = CliRunner().invoke(app, ["answer", name, "--out", "answers.jsonl", *TRUST])
    assert result.exit_code == 0, result.output
    assert [(len(entry["id"]), entry["answer"]) for entry in answers(folder)] == [(1, "Ada"), (32, "1843")]


@pytest.mark.parametrize("content", ["", "\n"])
def test_a_file_without_a_question_is_refused(folder, content):
    (folder / "questions.jsonl").write_text(content)
    code, text = run()
    assert (code, "questions.jsonl holds no question" in text) == (2, True), text
    assert not (folder / "answers.jsonl").exists()


def test_an_interrupted_run_says_that_what_is_done_is_kept(folder, monkeypatch):
    batch = TwoSupervisorChain.batch

    def interrupted(chain, questions, **options):
        if questions[0].question == "Tell":
            raise KeyboardInterrupt
        return batch(chain, questions, **options)

    monkeypatch.setattr(TwoSupervisorChain, "batch", interrupted)
    code, text = run("--batch", "1")
    assert code == 130
    assert "what is done is kept in answers.jsonl: the same command goes on from there" in text
    assert len(answers(folder)) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"question": "Who?"}', "line 2 lacks 'context'"),
        ("[1]", "line 2 is no question"),
        ("{", "line 2: "),
        ('{"question": " ", "context": "Ada."}', "line 2 is no question"),
    ],
)
def test_a_line_that_is_no_question_is_named_before_anything_is_asked(folder, line, said):
    with (folder / "questions.jsonl").open("w") as file:
        file.write(json.dumps(QUESTIONS[0]) + "\n" + line)
    code, text = run()
    assert (code, said in " ".join(text.split())) == (2, True), text
    assert not (folder / "asked").exists()
    assert not (folder / "answers.jsonl").exists()


def test_a_file_that_holds_no_answers_is_not_written_to(folder):
    (folder / "answers.jsonl").write_text("notes\n")
    code, text = run()
    assert (code, "line 1 is no answer ('notes')" in text) == (2, True), text
    assert (folder / "answers.jsonl").read_text() == "notes\n"


@pytest.mark.parametrize("option", [["--workers", "2"], ["--rate", "5"], ["--address", "auto"]])
def test_options_of_the_cluster_without_it_are_refused(folder, option):
    code, text = run(*option)
    assert (code, f"{option[0]}: only with --engine ray" in text) == (2, True), text
