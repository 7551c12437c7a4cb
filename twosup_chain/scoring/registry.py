"""Trust scores: how far a prediction can be believed, in [0, 1], higher is more trustworthy.

A scorer is any callable ``(QAInput, Answer, local=Answer | None) -> float``; those in `SCORERS` may be given by name.
A prediction of "no answer" (``Answer.text is None``) is scored like any other. Whether a score is enough is the
business of `supervisor`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np

from twosup_chain.errors import MissingEvidenceError
from twosup_chain.scoring.reading import is_reading, own_signals, reading_signals
from twosup_chain.scoring.tokens import content_tokens, token_margin
from twosup_chain.text.squad import normalize_answer, token_f1

if TYPE_CHECKING:
    from collections.abc import Callable

    from twosup_chain.reader.reader import ExtractiveReader
    from twosup_chain.schema import Answer, QAInput


class Scorer(Protocol):
    """What a scorer looks like; see the module for what its score means."""

    def __call__(self, question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
        """Returns the trust in `answer`, in [0, 1]."""


def min_token_probability(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the least probability of any content token: the remote score of BiSupervised (DOI 10.1145/3617593).

    Raises:
        MissingEvidenceError: The answer carries no token log-probabilities.
    """
    del question, local
    return math.exp(min(_content_logprobs(answer, "min_token_probability")))


def mean_token_probability(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the geometric mean of the content tokens' probabilities.

    Raises:
        MissingEvidenceError: The answer carries no token log-probabilities.
    """
    del question, local
    return math.exp(math.fsum(logprobs := _content_logprobs(answer, "mean_token_probability")) / len(logprobs))


def token_probability_quantile(
    question: QAInput, answer: Answer, *, local: Answer | None = None, q: float = 0.25
) -> float:
    """Returns a quantile of the content tokens' probabilities, which is less biased by length than minimum and mean.

    Gupta et al., *Language Model Cascades: Token-level Uncertainty and Beyond* (ICLR 2024, arXiv 2404.10136).

    Args:
        question: Not used.
        answer: The prediction to score.
        local: Not used.
        q: Which quantile, in [0, 1]; bind another one with `functools.partial`.

    Raises:
        MissingEvidenceError: The answer carries no token log-probabilities.
    """
    del question, local
    return float(np.exp(np.quantile(_content_logprobs(answer, "token_probability_quantile"), q)))


def min_token_margin(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the least probability, of any content token, less that of the likeliest other one; at least 0.

    Raises:
        MissingEvidenceError: The answer carries no token log-probabilities, or not those of the alternatives.
    """
    del question, local
    return max(0.0, min(_content_margins(answer, "min_token_margin")))


def mean_token_margin(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the mean probability of the content tokens less that of the likeliest other ones; at least 0.

    It is one minus the uncertainty of UCCI (arXiv 2605.18796).

    Raises:
        MissingEvidenceError: The answer carries no token log-probabilities, or not those of the alternatives.
    """
    del question, local
    margins = _content_margins(answer, "mean_token_margin")
    return max(0.0, math.fsum(margins) / len(margins))


def span_probability(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the reader's probability of what it predicts: of its best span, or of the null span for "no answer".

    Raises:
        MissingEvidenceError: The answer is not an extractive reader's.
    """
    del question, local
    return _score(answer, "span_probability" if answer.text is not None else "null_probability", "span_probability")


def answerability(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the local model's probability that the context holds an answer; for "no answer", that it does not.

    Raises:
        MissingEvidenceError: The answer carries no answerability.
    """
    del question, local
    probability = _score(answer, "answerability", "answerability")
    return probability if answer.text is not None else 1.0 - probability


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


def backed(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns how far the local reading backs a prediction: `Grounded` in microseconds, the model does not run again.

    For an answer it is answerability times the share of the reading's probability, "no answer" left aside, on the spans
    that agree with it, each weighted by its token F1; for "no answer" one minus answerability. It differs from
    `Grounded` in that only the reader's best spans (``top_k``) count, and that it needs an `ExtractiveReader` as the
    local model.

    Raises:
        MissingEvidenceError: Neither the local answer nor the answer itself is an extractive reader's.
    """
    del question
    if is_reading(local):
        assert local is not None  # noqa: S101
        return reading_signals(answer, local)["backed"]
    if is_reading(answer):
        return own_signals(answer)["backed"]
    message = "backed reads what an extractive reader finds: answer locally with ExtractiveReader, or use grounded"
    raise MissingEvidenceError(message)


def stated_confidence(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns how sure the model says that it is: ``ChatAnswerer(…, stated_confidence=True)``.

    Raises:
        MissingEvidenceError: The answer states no confidence.
    """
    del question, local
    return _score(
        answer, "stated_confidence", "stated_confidence", "ask for it (ChatAnswerer(…, stated_confidence=True))"
    )


def self_consistency(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns how far several samples of the same model agree with the answer: `SelfConsistent`.

    Raises:
        MissingEvidenceError: The answer is not one of several samples.
    """
    del question, local
    return _score(answer, "self_consistency", "self_consistency", "ask several times (SelfConsistent(…, samples=5))")


class Grounded:
    """Scores any model's answer by what the extractive reader makes of that very text in the context.

    The score is the reader's calibrated probability that the context holds an answer, times its probability, given that
    it does, of the spans that agree with this one; for "no answer" it is one minus the former. An answer that does not
    stand in the context word for word ("It was Ada.") agrees with the reader's candidates by token F1. It needs no
    token log-probabilities and no second hosted call, and takes as long as a local answer; `backed` does not, where
    the local model is a reader.

    Args:
        reader: The `ExtractiveReader` to ask; by default one with the packaged model, loaded on first use. Pass the one
            that also answers, and the model is in memory once.
    """

    #: Reading takes milliseconds, too long for the event loop.
    blocking = True

    def __init__(self, reader: ExtractiveReader | None = None) -> None:
        if reader is None:
            from twosup_chain.reader.reader import ExtractiveReader

            reader = ExtractiveReader()
        self.reader = reader

    def __call__(self, question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
        """Returns the trust in `answer`, in [0, 1].

        Raises:
            MissingEvidenceError: The question came without a context.
        """
        if question.context is None:
            message = "grounded reads the context, and none was given: pass 'context' with the question"
            raise MissingEvidenceError(message)
        if answer.text is None:
            return 1.0 - self._read(question, local).scores["answerability"]
        found = self.reader.score(question.question, question.context, answer.text)
        return found.answerability * (found.conditional or self._resemblance(question, answer.text, local))

    def _resemblance(self, question: QAInput, text: str, local: Answer | None) -> float:
        """Returns the token F1 of the text with the reader's candidates, weighted by their probability."""
        reading = self._read(question, local)
        words = normalize_answer(text).split()
        shared = math.fsum(
            c.probability * token_f1(words, normalize_answer(c.text).split()) for c in reading.candidates
        )
        some = 1.0 - reading.scores["null_probability"]
        return min(1.0, shared / some) if some > 0.0 else 0.0

    def _read(self, question: QAInput, local: Answer | None) -> Answer:
        """Returns the reading; the local one, where it is of the same model, with the same numbers."""
        own = getattr(self.reader, "label", None)
        if own is not None and local is not None and local.model == own and is_reading(local):
            return local
        (reading,) = self.reader.answer_many([question])
        if isinstance(reading, Exception):
            raise reading
        return reading


def _content_logprobs(answer: Answer, scorer: str) -> list[float]:
    if answer.token_logprobs is None:
        message = (
            f"{scorer} reads token log-probabilities, and the answer"
            f"{f' of {answer.model}' if answer.model else ''} carries none: switch them on "
            "(ChatOpenAI(…, logprobs=True); some servers want top_logprobs=1 too), choose a scorer that needs none "
            "(grounded, in_context, agreement), or state the score to use without them (Supervisor(…, missing=0.0))"
        )
        raise MissingEvidenceError(message)
    content = [token.logprob for token in content_tokens(answer.token_logprobs)]
    if not content:
        message = f"{scorer} reads the log-probabilities of content tokens, and the answer holds format tokens only"
        raise MissingEvidenceError(message)
    return content


def _content_margins(answer: Answer, scorer: str) -> list[float]:
    _content_logprobs(answer, scorer)
    margins = [
        margin for token in content_tokens(answer.token_logprobs or ()) if (margin := token_margin(token)) is not None
    ]
    if not margins:
        message = (
            f"{scorer} reads the likeliest alternatives of each token, and the answer carries none: ask for them "
            "(ChatOpenAI(…, logprobs=True, top_logprobs=2)), or choose a scorer that needs none"
        )
        raise MissingEvidenceError(message)
    return margins


def _score(
    answer: Answer, key: str, scorer: str, cure: str = "answer with ExtractiveReader or LlamaCppAnswerer"
) -> float:
    try:
        return answer.scores[key]
    except KeyError:
        message = (
            f"{scorer} reads Answer.scores[{key!r}], and the answer carries {sorted(answer.scores) or 'no scores'}: "
            f"{cure}, or put the score into Answer.scores"
        )
        raise MissingEvidenceError(message) from None


def _constant(scorer: Scorer) -> Callable[[], Scorer]:
    return lambda: scorer


def _packaged(name: str) -> Callable[[], Scorer]:
    def made() -> Scorer:
        from twosup_chain.scoring.packaged import default_scorer

        return default_scorer(name)

    return made


#: Scorers by name: what makes one, since a scorer that holds a model is made anew for each supervisor.
SCORERS: dict[str, Callable[[], Scorer]] = {
    "agreement": _constant(agreement),
    "answerability": _constant(answerability),
    "backed": _constant(backed),
    "grounded": Grounded,
    "in_context": _constant(in_context),
    "learned_local": _packaged("learned_local"),
    "learned_remote": _packaged("learned_remote"),
    "mean_token_probability": _constant(mean_token_probability),
    "min_token_probability": _constant(min_token_probability),
    "mean_token_margin": _constant(mean_token_margin),
    "min_token_margin": _constant(min_token_margin),
    "self_consistency": _constant(self_consistency),
    "span_probability": _constant(span_probability),
    "stated_confidence": _constant(stated_confidence),
    "token_probability_quantile": _constant(token_probability_quantile),
}
