"""The scorers that compare an answer's words: with the local answer's, and with the context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twosup_chain.errors import MissingEvidenceError
from twosup_chain.scoring.scorer import Scorer
from twosup_chain.text.squad import normalize_answer, token_f1

if TYPE_CHECKING:
    from twosup_chain.schema import Answer, QAInput


def agreement(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the token F1 of the answer against the local one (SQuAD's rule; two "no answers" agree fully).

    Raises:
        MissingEvidenceError: There is no local answer to compare with.
    """
    del question
    if local is None:
        message = (
            "agreement compares with the local answer, and there is none: use it as the remote supervisor's scorer"
        )
        raise MissingEvidenceError(message)
    return token_f1(*(normalize_answer(item.text or "").split() for item in (answer, local)))


def in_context(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns 1.0 if the answer stands in the context, word for word after SQuAD's normalisation, else 0.0.

    "No answer" claims nothing that would have to stand there: 1.0.

    Raises:
        MissingEvidenceError: The question came without a context.
    """
    del local
    if answer.text is None:
        return 1.0
    if question.context is None:
        message = "in_context looks for the answer in the context, and none was given: pass 'context' with the question"
        raise MissingEvidenceError(message)
    words = f" {normalize_answer(answer.text)} "
    if not words.strip():
        return 0.0
    unspaced = not answer.text.isascii()  # scripts without spaces between words
    return float(any(words in f" {normalize_answer(p)} " or (unspaced and answer.text in p) for p in question.passages))


SCORERS = (
    Scorer(name="agreement", function=agreement, needs="local", reads_local=True),
    Scorer(name="in_context", function=in_context, needs="context"),
)
