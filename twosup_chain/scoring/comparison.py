"""The scorers that compare an answer's words: with the local answer's, and with the context."""

from twosup_chain.errors import MissingEvidenceError
from twosup_chain.schema import Answer, QAInput
from twosup_chain.scoring.scorer import Scorer
from twosup_chain.text.agreement import agreement as text_agreement
from twosup_chain.text.finder import stands_in


def agreement(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns how far the answer says the same as the local one (`text.agreement`; two "no answers" agree fully)."""
    if local is None:
        message = "agreement compares with the local answer, and there is none: use it for the remote supervisor"
        raise MissingEvidenceError(message)
    return text_agreement(answer.text, local.text)


def in_context(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns 1.0 if the answer stands in the context, word for word (`text.finder`), or is "no answer", else 0.0."""
    if answer.text is None:
        return 1.0
    if question.context is None:
        message = "in_context looks for the answer in the context, and none was given: pass 'context' with the question"
        raise MissingEvidenceError(message)
    return float(stands_in(question.passages, answer.text))


SCORERS = (
    Scorer(name="agreement", function=agreement, needs="local", reads_local=True),
    Scorer(name="in_context", function=in_context, needs="context"),
)
