"""Labelled questions from files and lists, and what is said of those that are not labelled."""

from __future__ import annotations

import csv
import gzip
import io
import json
from uuid import UUID

import pytest
from langsmith.schemas import Example

from twosup_chain.errors import InputError
from twosup_chain.text.questions import LabelledQuestion, digest, load_questions

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


@pytest.mark.parametrize("without", [{}, {"id": None}, {"id": ""}])
def test_a_line_without_an_id_gets_its_digest(write, without):
    (example,) = load_questions(write({key: value for key, value in ADA.items() if key != "id"} | without))
    assert example.id == digest(example)


@pytest.mark.parametrize("name", ["dev.json", "dev.json.gz"])
def test_a_squad_file_is_read_in_its_order(write, name):
    qas = [
        {"id": "a", "question": "Who?", "answers": [{"text": "Ada"}]},
        {"id": "b", "question": "When?", "answers": []},
    ]
    document = {"data": [{"paragraphs": [{"context": "Ada.", "qas": qas}]}]}
    assert [e.id for e in load_questions(write(document, name=name))] == ["a", "b"]


def test_questions_are_taken_as_they_are():
    example = LabelledQuestion(**{**ADA, "answers": ("Ada",)})
    assert load_questions(iter([example])) == [example]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({**ADA, "answers": "Ada"}, r"line 2: answers='Ada': list the accepted answers"),
        ({**ADA, "answers": None}, "line 2: answers=None"),
        ({**ADA, "answers": [3]}, "line 2: .*answers"),
        ({"question": "Who?", "context": "Ada."}, "line 2: answers is missing; write a labelled question"),
        ({"question": "Who?"}, "line 2: context and answers are missing; write"),
        ([1], r"line 2: \[1\] is no object; write a labelled question"),
        ({**ADA, "id": True}, "line 2: id=True: give the question a text or a number"),
        ({**ADA, "id": ["2"]}, r"line 2: id=\['2'\]"),
        ({**ADA, "id": {}}, "line 2: id={}"),
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


@pytest.mark.parametrize("lines", [[], ["", " "], [{"data": []}]])
def test_a_file_without_a_question_is_refused(write, lines):
    with pytest.raises(InputError, match="data.jsonl holds no question"):
        load_questions(write(*lines, name="data.jsonl"))


def test_a_damaged_archive_is_named(write, tmp_path):
    raw = write(*[ADA] * 100, name="data.jsonl.gz").read_bytes()
    path = tmp_path / "half.jsonl.gz"
    path.write_bytes(raw[:-12])
    with pytest.raises(InputError, match="damaged archive"):
        load_questions(path)


def test_something_else_in_a_list_is_named():
    with pytest.raises(InputError, match="'Who.' is no object; write a labelled question"):
        load_questions(["Who?"])


@pytest.mark.parametrize("compress", [False, True])
def test_both_versions_of_the_squad_format_are_read_plain_or_gzipped(tmp_path, compress) -> None:
    qas = [
        {"id": "1", "question": "q?", "answers": [{"text": "c", "answer_start": 0}], "is_impossible": False},
        {"id": 2, "question": "r?", "answers": [], "is_impossible": True},
        {"id": "3", "question": "s?", "answers": [{"text": "c", "answer_start": 0}]},
    ]
    raw = json.dumps({"data": [{"title": "t", "paragraphs": [{"context": "c", "qas": qas}]}]}).encode()
    path = tmp_path / "squad.json"
    path.write_bytes(gzip.compress(raw) if compress else raw)
    examples = load_questions(path)
    assert [(e.id, e.answers, e.is_impossible, e.title) for e in examples] == [
        ("1", ("c",), False, "t"),
        ("2", (), True, "t"),
        ("3", ("c",), False, "t"),
    ]
    assert examples[0].as_input().passages == ("c",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"data": [{}]}',
        b'{"data": 3}',
        b"\x1f\x8bnot gzip",
        gzip.compress(b"{}", mtime=0)[:-4],
        b"\xff\xfe",
    ],
)
def test_a_file_that_is_not_squad_is_named(tmp_path, content) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.json"):
        load_questions(path)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        load_questions(tmp_path / "missing.json")


TABLE = """id,question,context,answers,domain,title
1,Who?,"Ada, and
Ben.",Ada,people,Names
2,When?,Ada.,,people,
3,Which?,Ada.,"[""Ada"", ""A.""]",,
"""


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("name", ["data.csv", "Data.CSV.gz", "data.tsv"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_table_is_read_as_spreadsheets_write_it(write, name, mark, start):
    rows = list(csv.reader(io.StringIO(TABLE)))
    text = io.StringIO()
    csv.writer(text, delimiter=mark).writerows(rows)
    ada, when, which = load_questions(write(start + text.getvalue(), name=name))
    assert (ada.id, ada.answers, ada.context, ada.title) == ("1", ("Ada",), "Ada, and\nBen.", "Names")
    assert (when.answers, when.is_impossible, when.metadata) == ((), True, {"domain": "people"})
    assert (which.answers, which.metadata) == (("Ada", "A."), {})


def test_a_table_of_questions_with_one_answer_each_needs_no_list(write):
    (example,) = load_questions(write("question,context,answer", "Who?,Ada.,[Ada]", name="data.csv"))
    assert (example.answers, example.id) == (("[Ada]",), digest(example))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["question,answers", "Who?,Ada"], "has the columns 'question', 'answers' and lacks context"),
        (["question,context", "Who?,Ada."], "and lacks answers"),
        (["question,context,answers,context", "Who?,Ada.,Ada,x"], "has the column 'context' twice"),
        (["question,context,answers", "Who?,Ada.,Ada,more"], "line 2: it has more cells than the first line"),
        (["question,context,answers", ",Ada.,Ada"], "is blank"),
        (["question,context,answers,is_impossible", "Who?,Ada.,Ada,true"], "marked as unanswerable"),
        (["question,context,answers", "Who?,Ada.,[1]"], "line 2: .*answers"),
        ([""], "data.csv holds no question"),
        (["question,context,answers"], "data.csv holds no question"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(write, lines, message):
    with pytest.raises(InputError, match=message):
        load_questions(write(*lines, name="data.csv"))


def test_a_table_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes("question,context,answers\nWho?,Zoë.,Zoë".encode("latin-1"))
    with pytest.raises(InputError, match="is not UTF-8"):
        load_questions(path)


@pytest.mark.parametrize(
    ("label", "answers"),
    [
        ({"answers": {"text": ["Ada"], "answer_start": [0]}}, ("Ada",)),
        ({"answers": {"text": [], "answer_start": []}}, ()),
        ({"answers": ["Ada", "A."]}, ("Ada", "A.")),
        ({"answer": "Ada"}, ("Ada",)),
        ({"answer": None}, ()),
        ({"answer": ""}, ()),
    ],
)
def test_the_rows_of_a_dataset_are_questions(label, answers):
    (example,) = load_questions([{"question": "Who?", "context": "Ada.", **label}])
    assert (example.answers, example.is_impossible) == (answers, not answers)


def test_of_a_dataset_with_splits_one_is_to_be_passed():
    with pytest.raises(InputError, match=r"question 1: 'train' is no labelled question.*of a dataset with splits pass"):
        load_questions({"train": [ADA]})


def test_the_examples_of_langsmith_are_questions():
    example = Example(
        id=UUID(int=7),
        inputs={"question": "Who?", "context": "Ada."},
        outputs={"answer": "Ada", "why": "named"},
        metadata={"domain": "people", "dataset_split": ["base"]},
    )
    unlabelled = example.model_copy(update={"outputs": None})
    (read,) = load_questions([example])
    assert (read.id, read.answers, read.metadata) == (str(UUID(int=7)), ("Ada",), {"domain": "people"})
    with pytest.raises(InputError, match="question 1: answers is missing; write a labelled question"):
        load_questions([unlabelled])
