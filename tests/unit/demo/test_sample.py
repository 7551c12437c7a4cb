"""The demo's two question files: the shape, the spans, the share without an answer, and that they share nothing.

`sample.json` is what the demo answers; on `tuning.json` its thresholds are fixed.
"""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

FILES = ("sample.json", "tuning.json")


def load(name):
    return json.loads((files("twosup_chain.demo") / name).read_text(encoding="utf-8"))


def paragraphs(sample):
    return [(article["title"], p["context"], p["qas"]) for article in sample["data"] for p in article["paragraphs"]]


@pytest.fixture(scope="module", params=FILES)
def sample(request):
    return load(request.param)


@pytest.fixture(scope="module")
def passages(sample):
    return paragraphs(sample)


@pytest.fixture(scope="module")
def questions(passages):
    return [(context, qa) for _, context, qas in passages for qa in qas]


def test_is_in_squad_v2_format(sample):
    assert sample["version"] == "v2.0"


def test_holds_at_least_twelve_passages_on_different_subjects(passages):
    assert len(passages) >= 12
    assert len({title for title, _, _ in passages}) == len(passages)
    assert len({context for _, context, _ in passages}) == len(passages)


def test_passages_are_of_readable_length(passages):
    for title, context, _ in passages:
        assert 90 <= len(context.split()) <= 180, title
        assert context == " ".join(context.split()), title


def test_holds_at_least_120_questions_with_ids_of_their_own(questions):
    assert len(questions) >= 120
    assert len({qa["id"] for _, qa in questions}) == len(questions)
    assert len({qa["question"] for _, qa in questions}) == len(questions)
    assert all(qa["question"].endswith("?") for _, qa in questions)


def test_a_third_of_each_passages_questions_has_no_answer(passages):
    for title, _, qas in passages:
        assert 3 * sum(qa["is_impossible"] for qa in qas) == len(qas), title


def test_an_answerable_question_has_one_to_three_short_answers(questions):
    for _, qa in questions:
        if not qa["is_impossible"]:
            texts = [answer["text"] for answer in qa["answers"]]
            assert 1 <= len(texts) <= 3, qa["id"]
            assert len(set(texts)) == len(texts), qa["id"]
            assert all(1 <= len(text.split()) <= 8 for text in texts), qa["id"]
            assert "plausible_answers" not in qa, qa["id"]


def test_an_unanswerable_question_has_only_a_plausible_answer(questions):
    for _, qa in questions:
        if qa["is_impossible"]:
            assert qa["answers"] == [], qa["id"]
            assert qa["plausible_answers"], qa["id"]


def test_every_answer_stands_where_it_says(questions):
    for context, qa in questions:
        for answer in qa["answers"] + qa.get("plausible_answers", []):
            start = answer["answer_start"]
            end = start + len(answer["text"])
            assert context[start:end] == answer["text"], qa["id"]
            assert not context[start - 1 : start].isalnum(), qa["id"]
            assert not context[end : end + 1].isalnum(), qa["id"]


def test_the_two_files_share_no_passage_id_or_question():
    ours, theirs = (paragraphs(load(name)) for name in FILES)
    for kind, take in {
        "title": lambda title, _, __: [title],
        "passage": lambda _, context, __: [context],
        "id": lambda _, __, qas: [qa["id"] for qa in qas],
        "question": lambda _, __, qas: [qa["question"].casefold() for qa in qas],
    }.items():
        first, second = ({value for passage in side for value in take(*passage)} for side in (ours, theirs))
        assert first, kind
        assert second, kind
        assert first.isdisjoint(second), (kind, first & second)
