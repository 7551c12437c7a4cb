"""Reading SQuAD-format files for training: what is read, and that every fault is named with its place."""

from __future__ import annotations

import gzip
import json

import pytest

from twosup_chain.errors import InputError
from twosup_chain.training.data import (
    FAULTS_SHOWN,
    TrainingExample,
    passage_hash,
    read_squad,
    split_held_out,
    write_squad,
)

CONTEXT = "The mill was built in 1820 by Ann Reed."


def qa(identity="q1", question="Who built the mill?", answers=(("Ann Reed", 30),), **more):
    return {
        "id": identity,
        "question": question,
        "answers": [{"text": text, "answer_start": start} for text, start in answers],
        **more,
    }


def squad_file(tmp_path, *qas, context=CONTEXT, name="mine.json", **article):
    path = tmp_path / name
    paragraphs = [{"context": context, "qas": list(qas)}]
    path.write_text(json.dumps({"data": [{"title": "Mill", "paragraphs": paragraphs, **article}]}), encoding="utf-8")
    return path


def test_questions_are_read_with_answers_and_origin(tmp_path):
    path = squad_file(tmp_path, qa(), qa("q2", answers=(), is_impossible=True, join="inferred"))
    first, second = read_squad(path)
    assert first == TrainingExample("q1", "Who built the mill?", CONTEXT, (("Ann Reed", 30),), "mine.json")
    assert first.answerable
    assert not second.answerable
    assert second.join == "inferred"


def test_source_of_the_article_is_the_origin(tmp_path):
    assert read_squad(squad_file(tmp_path, qa(), source="Other set"))[0].origin == "Other set"


def test_repeated_answers_count_once(tmp_path):
    path = squad_file(tmp_path, qa(answers=(("Ann Reed", 30), ("Ann Reed", 30), ("Ann", 30))))
    assert read_squad(path)[0].answers == (("Ann Reed", 30), ("Ann", 30))


def test_plausible_answers_of_an_unanswerable_question_do_not_count(tmp_path):
    path = squad_file(tmp_path, qa(is_impossible=True))
    assert read_squad(path)[0].answers == ()


def test_gzip_is_told_by_content(tmp_path):
    plain = squad_file(tmp_path, qa())
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert [e.id for e in read_squad(packed)] == ["q1"]


@pytest.mark.parametrize(
    ("question", "context", "words"),
    [
        (qa(answers=(("Ann Reed", 29),)), CONTEXT, ["'q1'", "wrong offset", "29", "' Ann Ree'"]),
        (qa(answers=(("Ann Reed", 400),)), CONTEXT, ["'q1'", "wrong offset"]),
        (qa(answers=(("Ann Reed", -9),)), CONTEXT, ["'q1'", "answer_start of at least 0"]),
        (qa(answers=((" ", 3),)), CONTEXT, ["'q1'", "wants a text"]),
        (qa(answers=()), CONTEXT, ["'q1'", "no answer, yet is_impossible is not true"]),
        (qa(question=" "), CONTEXT, ["'q1'", "question ' ' is empty"]),
        (qa(identity=None), CONTEXT, ["the id is missing"]),
        (qa(), " \n", ["context ' \\n' is empty"]),
        (qa(), None, ["context None is empty or no text"]),
    ],
)
def test_fault_is_named_with_file_article_and_paragraph(tmp_path, question, context, words):
    with pytest.raises(InputError) as caught:
        read_squad(squad_file(tmp_path, question, context=context))
    for word in ("mine.json", "article 0 ('Mill')", "paragraph 0", *words):
        assert word in str(caught.value)


def test_duplicate_id_names_both_places(tmp_path):
    path = tmp_path / "two.json"
    paragraphs = [{"context": CONTEXT, "qas": [qa()]}, {"context": CONTEXT, "qas": [qa()]}]
    path.write_text(json.dumps({"data": [{"title": "Mill", "paragraphs": paragraphs}]}))
    with pytest.raises(InputError, match=r"paragraph 1, id 'q1': the id occurs twice, first in .*paragraph 0, id 'q1'"):
        read_squad(path)


def test_all_faults_are_counted_and_the_first_ones_listed(tmp_path):
    path = squad_file(tmp_path, *(qa(f"q{i}", answers=(("Ann", 0),)) for i in range(FAULTS_SHOWN + 5)))
    with pytest.raises(InputError) as caught:
        read_squad(path)
    assert f"{FAULTS_SHOWN + 5} fault(s)" in str(caught.value)
    assert str(caught.value).count("wrong offset") == FAULTS_SHOWN
    assert "… and 5 more" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is not JSON"),
        (b"\x1f\x8bbroken", "is a damaged archive"),
        (b"[]", "data=None is no list of objects"),
        (b'{"data": [{"paragraphs": 4}]}', "article 0: paragraphs=4 is no list of objects"),
        (b'{"data": []}', "holds no question"),
        (b"\xff\xfe\xfa", "is not JSON"),
    ],
)
def test_file_that_is_no_squad_file_is_refused(tmp_path, content, words):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_squad(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*absent\.json"):
        read_squad(tmp_path / "absent.json")


def test_written_file_reads_back(tmp_path):
    examples = [
        TrainingExample("a", "Who?", CONTEXT, (("Ann Reed", 30),), "w.json"),
        TrainingExample("b", "Why?", CONTEXT, (), "w.json"),
    ]
    write_squad(tmp_path / "w.json", examples)
    assert read_squad(tmp_path / "w.json") == examples


def test_held_out_side_follows_from_the_passage_alone():
    examples = [TrainingExample(str(i), "Why?", f"Passage {i // 2}.", ()) for i in range(2000)]
    train, held_out = split_held_out(examples, 0.1)
    assert not {e.context for e in train} & {e.context for e in held_out}
    assert 0.07 < len(held_out) / len(examples) < 0.13
    assert split_held_out(examples[:50], 0.1)[1] == [e for e in held_out if e in examples[:50]]


def test_copies_of_a_passage_with_other_case_and_spacing_share_a_side():
    assert passage_hash("The Mill's wheel, 1820.") == passage_hash("the mill 's wheel , 1820 .")
    assert passage_hash("The mill") != passage_hash("The mills")
