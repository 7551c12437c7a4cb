"""The scorers that ask the local reading what it makes of an answer: `backed`, and `Grounded`, which reads anew."""

import math

from twosup_chain.errors import InputError, MissingEvidenceError
from twosup_chain.reader.reader import ExtractiveReader
from twosup_chain.schema import Answer, QAInput
from twosup_chain.scoring.reading import is_reading, own_features, reading_features
from twosup_chain.scoring.scorer import Scorer
from twosup_chain.text.agreement import agreements


def backed(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns how far the local reading backs a prediction: `Grounded` in microseconds, the model does not run again.

    For an answer it is answerability times the share of the reading's probability, "no answer" left aside, on the spans
    that agree with it, each weighted by its agreement; for "no answer" one minus answerability. It differs from
    `Grounded` in that only the reader's best spans (``top_k``) count, and that it needs an `ExtractiveReader` as the
    local model.
    """
    if local is not None and is_reading(local):
        return reading_features(answer, local)["backed"]
    if is_reading(answer):
        return own_features(answer)["backed"]
    message = "backed reads what an extractive reader finds: answer locally with ExtractiveReader, or use grounded"
    raise MissingEvidenceError(message)


class Grounded:
    """Scores any model's answer by what the extractive reader makes of that very text in the context.

    The score is the reader's calibrated probability that the context holds an answer, times its probability, given that
    it does, of the spans that agree with this one; for "no answer" it is one minus the former. An answer that does not
    stand in the context word for word ("It was Ada.") agrees with the reader's candidates by its words. It needs no
    token log-probabilities and no second hosted call, and takes as long as a local answer; `backed` does not, where
    the local model is a reader.

    Args:
        reader: The `ExtractiveReader` to ask; by default one with the packaged model, loaded on first use. Pass the one
            that also answers, and the model is in memory once.
    """

    name = "grounded"
    needs = "context"
    reads_local = False  # a local reading of the same model gives the same numbers, only quicker
    blocking = True

    def __init__(self, reader: ExtractiveReader | None = None) -> None:
        self.reader = reader or ExtractiveReader()

    def __call__(self, question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
        """Returns the trust in `answer`, in [0, 1]."""
        if question.context is None:
            message = "grounded reads the context, and none was given: pass 'context' with the question"
            raise MissingEvidenceError(message)
        try:
            if answer.text is None:
                return 1.0 - self._read(question, local).scores["answerability"]
            found = self.reader.score(question.question, question.context, answer.text)
            return found.answerability * (found.conditional or self._resemblance(question, answer.text, local))
        except InputError as error:
            raise MissingEvidenceError(f"grounded could not read it: {error}") from error

    def _resemblance(self, question: QAInput, text: str, local: Answer | None) -> float:
        """Returns how far the text agrees with the reader's candidates, weighted by their probability."""
        reading = self._read(question, local)
        agreeing = agreements(text, [candidate.text for candidate in reading.candidates])
        shared = math.fsum(c.probability * share for c, share in zip(reading.candidates, agreeing, strict=True))
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


SCORERS = (
    Scorer(name="backed", function=backed, needs="reading", reads_local=True),
    Scorer(name="grounded", make=Grounded, needs="context", blocking=True),
)
