"""What the local reading makes of an answer."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from twosup_chain import Answer, Candidate, QAInput
from twosup_chain.errors import MissingEvidenceError
from twosup_chain.scoring.grounded import Grounded

QUESTION = QAInput(question="Who wrote it?", context="The notes were written by Ada Lovelace, in 1843.")


class FakeReader:
    """A reader that finds "Ada Lovelace" (0.6) and "1843" (0.2), is 80 % sure of an answer, and matches words only."""

    def answer_many(self, inputs):
        candidates = (Candidate("Ada Lovelace", 0, 12, 0, 0.6), Candidate("1843", 20, 24, 0, 0.2))
        return [Answer("Ada Lovelace", scores={"answerability": 0.8, "null_probability": 0.2}, candidates=candidates)]

    def score(self, question, context, answer_text):
        return SimpleNamespace(answerability=0.8, conditional={"Ada Lovelace": 0.75}.get(answer_text, 0.0))


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Ada Lovelace", 0.8 * 0.75),
        (None, 0.2),
        ("It was Ada Lovelace.", 0.8 * 0.75 * 2 / 3),
        ("Charles Babbage", 0.0),
    ],
)
def test_grounded_is_what_the_reader_makes_of_that_very_answer(text, score) -> None:
    assert Grounded(FakeReader())(QUESTION, Answer(text)) == pytest.approx(score)


def test_grounded_needs_a_context() -> None:
    with pytest.raises(MissingEvidenceError, match="pass 'context'"):
        Grounded(FakeReader())(QAInput(question="?"), Answer("x"))
