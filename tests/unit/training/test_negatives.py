"""Made unanswerable questions: what they change, what they leave, and that they hold no answer."""

# ruff: noqa: S311  seeds, not secrets
from __future__ import annotations

import random

import pytest

from twosup_chain.training.data import TrainingExample
from twosup_chain.training.negatives import (
    PASSAGE_WEIGHT,
    SWAP_WEIGHT,
    neighbour_negatives,
    passage_negatives,
    removed_negatives,
    swap_negatives,
)

FILLER = [f"Filler {i} speaks of cabbage, carrots and clover number {i} in gardens." for i in range(40)]


def example(question, context, answer, **more):
    return TrainingExample(more.pop("id", "q"), question, context, ((answer, context.index(answer)),), **more)


def test_question_is_set_against_the_most_similar_passage_without_the_answer():
    asked = example("Who built the windmill at Reed?", "Ann Smith built the windmill at Reed.", "Ann Smith")
    near = example("What burnt?", "The windmill burnt down when Reed was flooded.", "windmill")
    holds = example(
        "Who left?", "The windmill at Reed was left by Ann Smith, who built many more of them later.", "Ann Smith"
    )
    others = [example("What?", text, "cabbage") for text in FILLER]
    made = passage_negatives([asked, near, holds, *others], 100, random.Random(0))
    found = {e.question: e for e in made}["Who built the windmill at Reed?"]
    assert found.context == near.context
    assert not found.answerable
    assert found.origin == "passage"
    assert found.weight == PASSAGE_WEIGHT
    assert found.id == "q-passage"


def test_copy_of_the_own_passage_is_never_the_negative():
    asked = example("Who built the windmill at Reed?", "Ann Smith built the windmill at Reed long ago.", "Ann Smith")
    copy = example("When?", "ann smyth built the windmill at reed long ago .", "long ago")
    made = passage_negatives([asked, copy, *(example("What?", t, "cabbage") for t in FILLER)], 100, random.Random(0))
    assert all(e.context != copy.context for e in made if e.question == asked.question)


@pytest.mark.parametrize(
    ("question", "context", "answer", "expected"),
    [
        ("What opened in 1820?", "The mill opened in 1820. It burnt in 1871.", "mill", "What opened in 1871?"),
        ("Who had 12 sons?", "Reed had 12 sons and 30 hens.", "Reed", "Who had 30 sons?"),
        ("What did the town of Kerr sell?", "In 1820 Kerr sold wool, and Loch sold hay.", "wool", None),
        ("Who was the first miller?", "Reed was the first miller.", "Reed", "Who was the last miller?"),
    ],
)
def test_entity_or_opposite_is_swapped_for_another_of_its_kind(question, context, answer, expected):
    made = swap_negatives([example(question, context, answer)], 1, random.Random(0))
    if expected is None:
        assert [e.question for e in made] in ([], ["What did the town of Loch sell?"])
        return
    assert [e.question for e in made] == [expected]
    assert made[0].context == context
    assert not made[0].answerable
    assert made[0].weight == SWAP_WEIGHT


def test_answer_itself_is_never_swapped_in():
    made = swap_negatives(
        [example("What opened before 1820?", "By 1820, in 1815, it opened.", "1815")], 1, random.Random(0)
    )
    assert "1815" not in "".join(e.question for e in made)


def test_question_without_anything_to_swap_makes_none():
    assert swap_negatives([example("Who came?", "Reed came.", "Reed")], 5, random.Random(0)) == []


def test_weight_of_the_original_is_kept():
    item = example("What opened in 1820?", "The mill opened in 1820. It burnt in 1871.", "mill", weight=0.5)
    assert swap_negatives([item], 1, random.Random(0))[0].weight == 0.5 * SWAP_WEIGHT


def test_same_seed_makes_the_same_negatives():
    items = [
        example(
            f"What opened in {1800 + i}?",
            f"The mill opened in {1800 + i}. It burnt in 1971. It was new in 1990.",
            "mill",
            id=str(i),
        )
        for i in range(30)
    ]
    runs = [swap_negatives(items, 10, random.Random(seed)) for seed in (1, 1, 2)]
    assert len(runs[0]) == 10
    assert runs[0] == runs[1] != runs[2]


def test_question_is_set_against_a_neighbouring_passage_without_the_answer():
    texts = ["Ann built the mill.", "Ben built the barn.", "Cy painted a gate, and Ben left.", "Di ran."]
    items = [
        example(f"Who, in {n}?", text, name)
        for n, (text, name) in enumerate(zip(texts, ["Ann", "Ben", "Cy", "Di"], strict=True))
    ]
    made = {e.question: e for e in neighbour_negatives(items, 10, random.Random(0))}
    assert made["Who, in 0?"].context == texts[1]
    assert made["Who, in 1?"].context == texts[0]  # the other neighbour names Ben
    assert made["Who, in 3?"].context == texts[2]
    assert {(e.origin, e.weight, e.answers) for e in made.values()} == {("neighbour", PASSAGE_WEIGHT, ())}


def test_the_answers_sentence_is_taken_out_and_the_answer_stands_nowhere_else():
    asked = example("Who built the mill?", "The mill is old. Ann Reed built it in 1850. It burnt down.", "Ann Reed")
    (made,) = removed_negatives([asked], 10, random.Random(0))
    assert made.context == "The mill is old. It burnt down."
    assert (made.origin, made.answers) == ("removed", ())


def test_nothing_is_made_of_a_passage_of_one_sentence():
    assert not removed_negatives([example("Who?", "Ann Reed built it.", "Ann Reed")], 10, random.Random(0))
