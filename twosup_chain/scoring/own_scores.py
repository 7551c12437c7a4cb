"""The scorers that read what an answer says of itself: one number of `Answer.scores` each."""

from twosup_chain.errors import MissingEvidenceError
from twosup_chain.schema import Answer, QAInput
from twosup_chain.scoring.scorer import Scorer


def span_probability(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the reader's probability of what it predicts: of its best span, or of the null span for "no answer"."""
    return _score(answer, "span_probability" if answer.text is not None else "null_probability")


def answerability(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the local model's probability that the context holds an answer; for "no answer", that it does not."""
    probability = _score(answer, "answerability")
    return probability if answer.text is not None else 1.0 - probability


def stated_confidence(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns how sure the model says that it is: ``ChatAnswerer(…, stated_confidence=True)``."""
    return _score(answer, "stated_confidence", "ask for it (ChatAnswerer(…, stated_confidence=True))")


def self_consistency(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns how far several samples of the same model agree with the answer: `SelfConsistent`."""
    return _score(answer, "self_consistency", "ask several times (SelfConsistent(…, samples=5))")


def _score(answer: Answer, key: str, cure: str = "answer with ExtractiveReader or LlamaCppAnswerer") -> float:
    if key in answer.scores:
        return answer.scores[key]
    raise MissingEvidenceError(
        f"{key.replace('null', 'span')} reads Answer.scores[{key!r}], and the answer carries "
        f"{sorted(answer.scores) or 'no scores'}: {cure}, or put the score into Answer.scores"
    )


SCORERS = (
    Scorer(name="answerability", function=answerability, needs="answerability"),
    Scorer(name="self_consistency", function=self_consistency, needs="self_consistency"),
    Scorer(name="span_probability", function=span_probability, needs="reading"),
    Scorer(name="stated_confidence", function=stated_confidence, needs="stated_confidence"),
)
