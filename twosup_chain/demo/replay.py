"""`ReplayedAnswerer`: a hosted model that is played back from a recording, so that a demo or a test needs no server."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from twosup_chain._options import shorten
from twosup_chain.answerers.base import InProcessAnswerer
from twosup_chain.demo.recording import Recording, digest, load
from twosup_chain.errors import InputError
from twosup_chain.schema import Answer, QAInput


def _loaded(value: object) -> object:
    return load(value) if isinstance(value, (str, Path)) else value


class ReplayedAnswerer(InProcessAnswerer):
    """Returns the recorded `Answer` to a question that was asked with the same context, usage and seconds included."""

    recording: Annotated[Recording, BeforeValidator(_loaded)] = Field(repr=False)

    def answer_many(self, inputs: Sequence[QAInput]) -> list[Answer | Exception]:
        """Looks every question up."""
        return [self._look_up(question) for question in inputs]

    def _look_up(self, question: QAInput) -> Answer | Exception:
        answer = self.recording.answers.get(digest(question))
        if answer is not None:
            return answer
        which = f"question {question.id}, {shorten(question.question)}" if question.id else shorten(question.question)
        return InputError(
            f"the recording of {self.recording.header.model} holds no answer to {which} with this context: "
            "record it with python -m twosup_chain.demo.recording"
        )
