"""The packaged reader on the project's own sample: floors that a broken model, export or decoding would fall through.

The sample chose nothing; the reader's real figures are in its model card.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from twosup_chain import ExtractiveReader
from twosup_chain.schema import Answer
from twosup_chain.text.questions import load_questions
from twosup_chain.training.evaluate import ReaderEvaluation

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def examples():
    return load_questions(files("twosup_chain") / "demo" / "sample.json")


@pytest.fixture(scope="module")
def reader():
    return ExtractiveReader()


@pytest.fixture(scope="module")
def answers(reader, examples):
    return reader.answer_many([example.as_input() for example in examples])


def test_it_finds_answers_and_tells_where_there_is_none(examples, answers):
    assert all(isinstance(answer, Answer) for answer in answers)
    figures = ReaderEvaluation.of(examples, answers).figures
    assert figures["forced_f1"].value > 0.85
    assert figures["auroc"].value > 0.65


def test_gold_answers_are_backed_and_other_spans_of_the_passage_are_not(reader, examples, answers):
    """The score of the gold answer against that of a span which the passage holds too, but which is no answer."""
    pairs = [
        (example, wrong[0])
        for example, answer in zip(examples, answers, strict=True)
        if example.answers
        and (
            wrong := [
                c.text
                for c in answer.candidates
                if not any(gold in c.text or c.text in gold for gold in example.answers)
            ]
        )
    ]
    inputs = [example.as_input() for example, _ in pairs]
    right = reader.score_many(inputs, [example.answers[0] for example, _ in pairs])
    wrong = reader.score_many(inputs, [text for _, text in pairs])
    assert len(pairs) > 50
    better = np.mean([r.conditional > w.conditional for r, w in zip(right, wrong, strict=True)])
    assert better > 0.85


def test_a_batch_gives_bit_for_bit_what_single_questions_give(reader, examples, answers):
    for example, together in list(zip(examples, answers, strict=True))[::12]:
        (alone,) = reader.answer_many([example.as_input()])
        assert alone.scores == together.scores
        assert alone.candidates == together.candidates


@pytest.mark.slow
def test_a_needle_is_found_in_fifty_thousand_words_and_its_offsets_are_true(reader, examples):
    filler = " ".join(sorted({example.context for example in examples}))
    half = " ".join([filler] * (25_000 // len(filler.split()) + 1))
    needle = "The lighthouse of Cape Wendel was painted green by Oda Kirsten in 1931."
    passage = f"{half} {needle} {half}"
    assert len(passage.split()) > 50_000
    answer = reader.invoke({"question": "Who painted the lighthouse of Cape Wendel green?", "context": passage})
    best = answer.candidates[0]
    assert best.text == passage[best.start : best.end] == "Oda Kirsten"
    assert len(half) < best.start < len(half) + len(needle)
