"""Scorers that read what an answer says of itself."""

from __future__ import annotations

import pytest

from twosup_chain import Answer, QAInput
from twosup_chain.errors import MissingEvidenceError
from twosup_chain.scoring.own_scores import answerability, span_probability

QUESTION = QAInput(question="Who wrote it?", context="The notes were written by Ada Lovelace, in 1843.")


def test_reader_scores_are_those_of_what_is_predicted() -> None:
    scores = {"span_probability": 0.7, "null_probability": 0.2, "answerability": 0.75}
    assert span_probability(QUESTION, Answer("x", scores=scores)) == 0.7
    assert span_probability(QUESTION, Answer(None, scores=scores)) == 0.2
    assert answerability(QUESTION, Answer("x", scores=scores)) == 0.75
    assert answerability(QUESTION, Answer(None, scores=scores)) == 0.25


@pytest.mark.parametrize("scorer", [span_probability, answerability])
def test_a_foreign_answer_lacks_reader_scores_and_the_error_says_how_to_get_them(scorer) -> None:
    with pytest.raises(MissingEvidenceError, match=r"answer with ExtractiveReader or LlamaCppAnswerer"):
        scorer(QUESTION, Answer("x"))
