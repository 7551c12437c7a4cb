"""Labelled decisions: read as labelled questions with options, faults named by their place."""

from __future__ import annotations

import gzip
import json

import pytest

from twosup_chain import load_decisions
from twosup_chain.errors import InputError
from twosup_chain.text.questions import digest, load_questions

LINES = [
    {"text": "I was charged twice.", "label": "billing", "metadata": {"via": "mail"}},
    {"text": "It crashes.", "label": "bug", "id": 7},
    {"text": "Lovely weather.", "label": None},
]


def written(path, lines, pack=lambda raw: raw):
    path.write_bytes(pack("\n".join(map(json.dumps, lines)).encode()))
    return path


def test_a_decision_is_a_question_with_options_about_a_text(tmp_path) -> None:
    found = load_questions(written(tmp_path / "inbox.jsonl", LINES))
    assert found == load_decisions(written(tmp_path / "inbox.jsonl.gz", LINES, gzip.compress)) == load_decisions(LINES)
    assert [question.context for question in found] == [line["text"] for line in LINES]
    assert [question.answers for question in found] == [("billing",), ("bug",), ()]
    assert [question.is_impossible for question in found] == [False, False, True]
    assert {question.question for question in found} == {"Which label fits the text?"}
    assert found[0].as_input().options == {"billing": None, "bug": None}
    assert (found[0].metadata, found[1].id) == ({"via": "mail"}, "7")


def test_a_table_holds_decisions_too(tmp_path) -> None:
    path = tmp_path / "inbox.csv"
    path.write_text("text,label,via\nI was charged twice.,billing,mail\nLovely weather.,,chat\n")
    found = load_questions(path)
    assert [(q.context, q.answers, q.metadata["via"]) for q in found] == [
        ("I was charged twice.", ("billing",), "mail"),
        ("Lovely weather.", (), "chat"),
    ]


def test_instructions_and_descriptions_are_part_of_the_question_and_held_once(tmp_path) -> None:
    options = {"billing": "Payments.", "bug": "Defects.", "sales": None}
    found = load_decisions(LINES, instructions="Which team?", options=options)
    assert all(q.question == "Which team?" and q.options == options for q in found)
    assert found[0].options is found[1].options
    assert digest(found[0]) != digest(load_decisions(LINES, instructions="Which team?")[0])
    assert load_decisions(LINES, options=["bug", "billing"])[0].options == {"bug": None, "billing": None}


def test_equal_decisions_without_an_id_count_once() -> None:
    twice = [{"text": "a", "label": "x"}, {"text": "a", "label": "x"}, {"text": "a", "label": "y"}]
    assert [q.answers for q in load_decisions(twice)] == [("x",), ("y",)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"text": "", "label": "x"}, "line 2: text='' is blank or no text; write a labelled decision"),
        ({"text": "a"}, "line 2: label is missing; write a labelled decision"),
        ({"text": "a", "label": ["x"]}, "line 2: label=.*write the label as a text, or null"),
        ({"text": "a", "label": True}, "line 2: label=True: write the label as a text"),
        ("a", "line 2: 'a' is no object; write a labelled decision"),
    ],
)
def test_a_line_that_is_no_labelled_decision_is_named(tmp_path, line, said) -> None:
    with pytest.raises(InputError, match=said):
        load_questions(written(tmp_path / "inbox.jsonl", [LINES[0], line]))


def test_a_label_that_is_no_option_is_named() -> None:
    with pytest.raises(InputError, match=r"question 2: label='bug' is none of the options \['billing'\]"):
        load_decisions(LINES, options=["billing"])
