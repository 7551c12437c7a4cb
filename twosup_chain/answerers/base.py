"""`InProcessAnswerer`: the frame of a model that runs in this process."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from twosup_chain._in_process import InProcessRunnable
from twosup_chain.errors import TwosupError
from twosup_chain.schema import Answer, QAInput, QAInputLike


class InProcessAnswerer(InProcessRunnable[QAInputLike, Answer]):
    """A model in this process: `answer_many` answers many questions, the call styles follow from it.

    A subclass keeps what it loads in a child object, not in itself, since LangChain rebuilds a configurable Runnable
    on every call.
    """

    #: What its answers carry, as scorers need it (`scoring.lacking`); ``None`` where nobody says.
    gives: ClassVar[frozenset[str] | None] = None

    @abstractmethod
    def answer_many(self, inputs: Sequence[QAInput]) -> list[Answer | Exception]:
        """Returns one answer a question, or the error that this question met; it may be called from any thread."""

    def process(self, values: list[QAInputLike]) -> list[Answer | Exception]:
        """Answers many questions; an input that cannot be read fails alone."""
        inputs = [_coerce(value) for value in values]
        answers = iter(self.answer_many([item for item in inputs if isinstance(item, QAInput)]))
        return [next(answers) if isinstance(item, QAInput) else item for item in inputs]


def _coerce(value: QAInputLike) -> QAInput | TwosupError:
    try:
        return QAInput.coerce(value)
    except TwosupError as error:
        return error
