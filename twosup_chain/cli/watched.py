"""`WatchedAnswerer`: a local model that tells after every few questions how far it is, for progress displays."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - pydantic reads the field's type
from typing import TYPE_CHECKING

from pydantic import Field

from twosup_chain.answerers.base import InProcessAnswerer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twosup_chain.schema import Answer, QAInput


class WatchedAnswerer(InProcessAnswerer):
    """Answers as another answerer does, a few questions at a time.

    Args:
        answerer: Who answers.
        watcher: Is called with the number of questions that are answered, and of all.
        portion: How many questions are answered between two calls of the watcher.
    """

    answerer: InProcessAnswerer
    watcher: Callable[[int, int], object] = Field(repr=False, exclude=True)
    portion: int = Field(default=4, ge=1)

    def answer_many(self, inputs: Sequence[QAInput]) -> list[Answer | Exception]:
        """Returns the answers of `answerer`."""
        answers: list[Answer | Exception] = []
        for first in range(0, len(inputs), self.portion):
            answers += self.answerer.answer_many(inputs[first : first + self.portion])
            self.watcher(len(answers), len(inputs))
        return answers
