"""Scorers that compare an answer's words with the local answer's and with the context."""

from __future__ import annotations

import pytest

from twosup_chain import Answer, QAInput
from twosup_chain.errors import MissingEvidenceError
from twosup_chain.scoring.comparison import agreement, in_context

QUESTION = QAInput(question="Who wrote it?", context="The notes were written by Ada Lovelace, in 1843.")


@pytest.mark.parametrize(
    ("remote", "local", "score"),
    [
        ("Ada Lovelace", "ada lovelace.", 1.0),
        ("Ada", "Ada Lovelace", 2 / 3),
        ("Ada", "Bob", 0.0),
        (None, None, 1.0),
        (None, "Ada", 0.0),
        ("Ada", None, 0.0),
    ],
)
def test_agreement_is_token_f1_with_the_local_answer(remote, local, score) -> None:
    assert agreement(QUESTION, Answer(remote), local=Answer(local)) == pytest.approx(score)


def test_agreement_needs_a_local_answer() -> None:
    with pytest.raises(MissingEvidenceError, match="remote supervisor"):
        agreement(QUESTION, Answer("Ada"))


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Ada Lovelace", 1.0),
        ("by ada lovelace in 1843", 1.0),
        ("the notes", 1.0),
        ("Love", 0.0),
        ("Charles Babbage", 0.0),
        ("!!", 0.0),
        (None, 1.0),
    ],
)
def test_in_context_looks_for_whole_words(text, score) -> None:
    assert in_context(QUESTION, Answer(text)) == score


def test_in_context_finds_answers_in_scripts_without_spaces_and_from_right_to_left() -> None:
    assert in_context(QAInput(question="?", context="富士山は日本で一番高い山です。"), Answer("日本")) == 1.0
    assert in_context(QAInput(question="?", context="כתבה את זה עדה לאבלייס בשנת 1843."), Answer("עדה לאבלייס")) == 1.0


def test_in_context_needs_a_context_but_takes_an_empty_one() -> None:
    with pytest.raises(MissingEvidenceError, match="pass 'context'"):
        in_context(QAInput(question="?"), Answer("x"))
    assert in_context(QAInput(question="?", context=[]), Answer("x")) == 0.0
