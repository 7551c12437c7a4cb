"""Recordings: their format, going on after an interruption, and never half a line."""

from __future__ import annotations

import errno
import json
import os

import pytest
from typer.testing import CliRunner

from twosup_chain.demo import recording as module
from twosup_chain.demo.recording import Header, digest, load, record
from twosup_chain.errors import InputError
from twosup_chain.schema import Answer, QAInput, TokenLogprob
from twosup_chain.testing import ScriptedAnswerer

HEADER = Header(
    model="m-1",
    server="a server",
    recorded="2026-01-31",
    messages=({"role": "user", "content": "{passage} {question}"},),
    sampling={"temperature": 0},
)
QUESTIONS = [QAInput("Who?", "Ada wrote it.", id="q-1"), QAInput("When?", "Ada wrote it.", id="q-2")]
ADA = Answer(
    "Ada\u2028Lovelace",
    token_logprobs=(TokenLogprob("Ada", -0.25, top=(("Ada", -0.25), ("Eve", -1.5))),),
    usage={"input_tokens": 7, "output_tokens": 1, "total_tokens": 8},
    seconds=0.5,
    model="m-1",
)


def answerer(**script):
    return ScriptedAnswerer(script={f"{word}?": reply for word, reply in script.items()})


def asked(answerer):
    return [question for call in answerer.calls for question in call]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "recording.jsonl"


def test_gives_back_every_field_that_was_recorded(path):
    recording = record(answerer(Who=ADA, When=None), QUESTIONS, path, HEADER)
    assert recording == load(path)
    assert recording.header == HEADER
    assert [line.id for line in recording.lines] == ["q-1", "q-2"]
    assert recording.answers == {digest(QUESTIONS[0]): ADA, digest(QUESTIONS[1]): Answer(None)}


def test_is_one_json_object_a_line_with_the_header_first(path):
    record(answerer(Who=ADA, When=None), QUESTIONS, path, HEADER)
    header, *lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    assert json.loads(header)["format"] == "twosup_chain recording"
    assert [json.loads(line)["answer"]["text"] for line in lines] == [ADA.text, None]


def test_goes_on_where_an_error_stopped_it(path):
    with pytest.raises(TimeoutError):
        record(answerer(Who=ADA, When=TimeoutError("slow")), QUESTIONS, path, HEADER)
    assert list(load(path).answers.values()) == [ADA]
    second = answerer(When="1843")
    record(second, QUESTIONS, path, HEADER)
    assert asked(second) == ["When?"]
    assert [answer.text for answer in load(path).answers.values()] == [ADA.text, "1843"]


def test_keeps_the_day_on_which_it_was_begun(path):
    record(answerer(Who=ADA), QUESTIONS[:1], path, HEADER)
    record(answerer(When="1843"), QUESTIONS, path, HEADER.model_copy(update={"recorded": "2027-01-01"}))
    assert load(path).header.recorded == HEADER.recorded


def test_asks_a_question_that_occurs_twice_once(path):
    once = answerer(Who=ADA)
    record(once, [QUESTIONS[0], QUESTIONS[0]], path, HEADER)
    assert asked(once) == ["Who?"]


def test_cuts_off_the_half_line_that_a_crash_has_left(path):
    record(answerer(Who=ADA), QUESTIONS[:1], path, HEADER)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"id": "q-2", "dig')
    record(answerer(When="1843"), QUESTIONS, path, HEADER)
    assert path.read_bytes().startswith(whole)
    assert [line.id for line in load(path).lines] == ["q-1", "q-2"]


def test_goes_on_from_a_header_without_its_line_break(path):
    record(answerer(), [], path, HEADER)
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    record(answerer(Who=ADA), QUESTIONS[:1], path, HEADER)
    assert load(path).header == HEADER
    assert list(load(path).answers.values()) == [ADA]


def test_leaves_no_half_line_where_writing_fails(path, monkeypatch):
    record(answerer(Who=ADA), QUESTIONS[:1], path, HEADER)
    before, write = path.read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:5]))
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        record(answerer(Who=ADA, When="1843"), QUESTIONS, path, HEADER)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "other", [{"model": "m-2"}, {"server": "b"}, {"messages": ()}, {"sampling": {"temperature": 1}}]
)
def test_does_not_continue_what_was_recorded_in_another_way(path, other):
    record(answerer(Who=ADA), QUESTIONS[:1], path, HEADER)
    before = path.read_bytes()
    with pytest.raises(InputError, match=f"{next(iter(other))}=.*record into another file"):
        record(answerer(When="1843"), QUESTIONS, path, HEADER.model_copy(update=other))
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["shopping list", "milk\neggs\nbread", '{"a": 1}\n', "[1]\n"])
def test_does_not_touch_a_file_that_is_no_recording(path, content):
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        record(answerer(Who=ADA), QUESTIONS, path, HEADER)
    assert path.read_text(encoding="utf-8") == content


def test_tells_which_line_cannot_be_read(path):
    record(answerer(Who=ADA), QUESTIONS[:1], path, HEADER)
    with path.open("a") as file:
        file.write('{"id": "q-2"}\n')
    with pytest.raises(InputError, match=r"line 3.*digest.*missing"):
        load(path)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_missing_empty_or_binary_file_is_an_input_error(path, content):
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=str(path)):
        load(path)


def test_the_digest_is_of_question_and_passages_alone():
    asked = QAInput("Who?", "Ada wrote it.", id="q-1")
    assert digest(asked) == digest(QAInput("Who?", ["Ada wrote it."]))
    assert digest(asked) != digest(QAInput("Who?", "Eve wrote it."))
    assert digest(asked) != digest(QAInput("When?", "Ada wrote it."))
    assert digest(QAInput("Who?", ["a", "b"])) != digest(QAInput("Who?", "ab"))


def test_the_command_says_what_it_needs():
    result = CliRunner().invoke(module.app, ["--base-url", "http://127.0.0.1:9/v1"])
    assert result.exit_code == 2
    assert "model-name" in result.output
