"""Labelled questions from files and lists, and what is said of those that are not labelled."""

from __future__ import annotations

import gzip
import json

import pytest

from twosup_chain.collection.questions import load_questions
from twosup_chain.errors import InputError
from twosup_chain.records.question import digest
from twosup_chain.text.squad import Example

ADA = {"id": "1", "question": "Who?", "context": "Ada.", "answers": ["Ada"]}


@pytest.fixture
def write(tmp_path):
    def write(*lines, name="data.jsonl"):
        path = tmp_path / name
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write


@pytest.mark.parametrize("name", ["data.jsonl", "data.jsonl.gz", "data.json", "data"])
def test_json_lines_are_read_whatever_the_file_is_called(write, name):
    path = write(
        ADA, "", {**ADA, "id": 2, "answers": []}, {**ADA, "id": "3", "answers": {"text": ["Ada", "A."]}}, name=name
    )
    examples = load_questions(path)
    assert [(e.id, e.answers, e.is_impossible) for e in examples] == [
        ("1", ("Ada",), False),
        ("2", (), True),
        ("3", ("Ada", "A."), False),
    ]


def test_a_line_without_an_id_gets_its_digest(write):
    (example,) = load_questions(write({key: value for key, value in ADA.items() if key != "id"}))
    assert example.id == digest(example)


@pytest.mark.parametrize("name", ["dev.json", "dev.json.gz"])
def test_a_squad_file_is_read_in_its_order(write, name):
    qas = [
        {"id": "a", "question": "Who?", "answers": [{"text": "Ada"}]},
        {"id": "b", "question": "When?", "answers": []},
    ]
    document = {"data": [{"paragraphs": [{"context": "Ada.", "qas": qas}]}]}
    assert [e.id for e in load_questions(write(document, name=name))] == ["a", "b"]


def test_examples_are_taken_as_they_are():
    example = Example(**{**ADA, "answers": ("Ada",)})
    assert load_questions(iter([example])) == [example]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({**ADA, "answers": "Ada"}, r"line 2: answers='Ada': list the accepted answers"),
        ({**ADA, "answers": None}, "line 2: answers=None"),
        ({**ADA, "answers": [3]}, "line 2: .*answers"),
        ({"question": "Who?", "context": "Ada."}, "line 2: .* is no labelled question: .*'answers'"),
        ([1], "line 2: .* is no labelled question"),
        ("{", "line 2: "),
        ({**ADA, "question": 3}, "line 2: .*question=3"),
        ({**ADA, "id": "2", "question": " "}, "question '2': .*is blank"),
        ({**ADA, "id": "2", "is_impossible": True}, "question '2' has accepted answers and is marked as unanswerable"),
        (
            {**ADA, "id": "2", "answers": [], "is_impossible": False},
            "question '2' has no accepted answer and is not marked as unanswerable",
        ),
        (ADA, "the questions 1 and 2 have the same id '1'"),
    ],
)
def test_a_question_that_is_not_labelled_is_named(write, line, message):
    with pytest.raises(InputError, match=message):
        load_questions(write(ADA, line))


def test_what_is_neither_kind_of_file_is_said_to_be_no_squad_file(write, tmp_path):
    with pytest.raises(InputError, match="is not JSON"):
        load_questions(write("hello"))
    with pytest.raises(InputError, match="No such file"):
        load_questions(tmp_path / "none.json")
    with pytest.raises(InputError, match="not in SQuAD format"):
        load_questions(write({"data": [{}]}))


def test_a_damaged_archive_is_named(write, tmp_path):
    raw = write(*[ADA] * 100, name="data.jsonl.gz").read_bytes()
    path = tmp_path / "half.jsonl.gz"
    path.write_bytes(raw[:-12])
    with pytest.raises(InputError, match="damaged archive"):
        load_questions(path)


def test_something_else_in_a_list_is_named():
    with pytest.raises(InputError, match="'Who.' is no labelled question"):
        load_questions(["Who?"])
