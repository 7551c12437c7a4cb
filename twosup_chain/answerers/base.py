"""What every answerer shares: how foreign replies become an `Answer`, and the four call styles of a model in process.

The models themselves are in the sibling modules.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig, RunnableSerializable
from langchain_core.runnables.config import run_in_executor

from twosup_chain._options import Options, shorten
from twosup_chain.errors import NotTextError, TwosupError
from twosup_chain.schema import Answer, QAInput, QAInputLike, TwoSupervisorResult

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The reply that the prompts offer for "the context does not hold the answer".
NO_ANSWER = "unanswerable"


def as_answer(value: object) -> Answer:
    """Returns whatever an answerer of the user's own returned as an `Answer`.

    Args:
        value: An `Answer`, a string, ``None`` (the prediction that there is no answer), a LangChain message, a dict of
            `Answer`'s fields, or the result of another `TwoSupervisorChain`.

    Raises:
        NotTextError: `value` is none of these.
        RefusalError, EmptyAnswerError: a message that is a refusal, or empty.
    """
    if isinstance(value, Answer):
        return value
    if value is None or isinstance(value, str):
        return Answer(value)
    if isinstance(value, TwoSupervisorResult):
        return Answer(value.answer, usage=value.usage, seconds=value.seconds)
    if isinstance(value, BaseMessage):
        from twosup_chain.answerers.message import answer_from_message

        return answer_from_message(value)
    if isinstance(value, dict):
        try:
            return Answer(**value) if "text" in value else _no_text(value)
        except TwosupError as error:
            message = f"the dict {shorten(value)} is not an Answer: {error}"
            raise NotTextError(message) from error
    return _no_text(value)


def _no_text(value: object) -> Answer:
    message = (
        f"{shorten(value)} ({type(value).__name__}) is not an answer: return an Answer, a string, None, "
        "an AIMessage or a dict with the key 'text'"
    )
    raise NotTextError(message)


class InProcessAnswerer(Options, RunnableSerializable[QAInputLike, Answer]):
    """A model in this process: one method answers many questions, the call styles follow from it.

    A subclass keeps what it loads in a child object, not in itself, since LangChain rebuilds a configurable Runnable
    on every call.
    """

    @abstractmethod
    def answer_many(self, inputs: Sequence[QAInput]) -> list[Answer | Exception]:
        """Returns one answer a question, or the error that this question met; it may be called from any thread."""

    def invoke(self, input: QAInputLike, config: RunnableConfig | None = None, **_: Any) -> Answer:
        """Answers one question."""
        return self._call_with_config(self._answer_one, input, config)

    def batch(
        self,
        inputs: list[QAInputLike],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **_: Any,
    ) -> list[Answer]:
        """Answers many questions together."""
        return self._batch_with_config(self._answer_all, inputs, config, return_exceptions=return_exceptions)

    async def abatch(
        self,
        inputs: list[QAInputLike],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **_: Any,
    ) -> list[Answer]:
        """Answers many questions together, in a worker thread."""
        return await run_in_executor(None, self.batch, inputs, config, return_exceptions=return_exceptions)

    def _answer_one(self, value: QAInputLike) -> Answer:
        (result,) = self._answer_all([value])
        if isinstance(result, Exception):
            raise result
        return result

    def _answer_all(self, values: list[QAInputLike]) -> list[Answer | Exception]:
        inputs = [_coerce(value) for value in values]
        answers = iter(self.answer_many([item for item in inputs if isinstance(item, QAInput)]))
        return [next(answers) if isinstance(item, QAInput) else item for item in inputs]


def _coerce(value: QAInputLike) -> QAInput | TwosupError:
    try:
        return QAInput.coerce(value)
    except TwosupError as error:
        return error
