"""What every answerer shares: how foreign replies become an `Answer`, and the frame of a model in process.

The models themselves are in the sibling modules.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableLambda, RunnableWithFallbacks
from langchain_core.runnables.base import RunnableBindingBase, coerce_to_runnable

from twosup_chain._in_process import InProcessRunnable
from twosup_chain._options import shorten
from twosup_chain.errors import ConfigurationError, EmptyAnswerError, NotTextError, TwosupError
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
        EmptyAnswerError: a result of a chain that trusts nobody.
    """
    if isinstance(value, Answer):
        return value
    if value is None or isinstance(value, str):
        return Answer(value)
    if isinstance(value, TwoSupervisorResult):
        if value.status == "untrusted":
            message = f"the inner chain trusts nobody, which is no prediction that there is no answer ({value.reason})"
            raise EmptyAnswerError(message, value.usage)
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


def usable(answer: Answer) -> Answer:
    """Returns the answer itself, unless its text is blank.

    Raises:
        EmptyAnswerError: It is: an empty reply is never a success.
    """
    if answer.text is not None and not answer.text.strip():
        message = "the answer is empty: an empty reply is never a success (None says that there is no answer)"
        raise EmptyAnswerError(message)
    return answer


def _no_text(value: object) -> Answer:
    message = (
        f"{shorten(value)} ({type(value).__name__}) is not an answer: return an Answer, a string, None, "
        "an AIMessage or a dict with the key 'text'"
    )
    raise NotTextError(message)


def as_answerer(value: object, *, role: str) -> object:
    """Returns what the user gave for a `role` of a chain as a Runnable; a chat model becomes a `ChatAnswerer`.

    Raises:
        ConfigurationError: `value` cannot answer.
    """
    if isinstance(value, str) or is_chat_model(value):
        from twosup_chain.answerers.chat import ChatAnswerer

        return ChatAnswerer(model=value)
    if isinstance(value, Runnable):
        return value
    if callable(value):
        return coerce_to_runnable(value)
    message = f"{role}={shorten(value)} cannot answer: pass an answerer, a chat model, a Runnable or a function"
    raise ConfigurationError(message)


def is_chat_model(value: object) -> bool:
    """Whether `value` is a chat model, a binding of one, or one with fallbacks."""
    from langchain_core.language_models import BaseChatModel  # here, since a reader alone starts faster without it

    while isinstance(value, (RunnableBindingBase, RunnableWithFallbacks)):
        value = value.bound if isinstance(value, RunnableBindingBase) else value.runnable
    return isinstance(value, BaseChatModel)


def input_for(answerer: Runnable[Any, Any], question: QAInput) -> QAInput | dict[str, Any]:
    """Returns what an answerer is called with: a function with the `QAInput`, a Runnable with the dict of it."""
    return question if isinstance(answerer, RunnableLambda) else question.as_dict()


class InProcessAnswerer(InProcessRunnable[QAInputLike, Answer]):
    """A model in this process: `answer_many` answers many questions, the call styles follow from it.

    A subclass keeps what it loads in a child object, not in itself, since LangChain rebuilds a configurable Runnable
    on every call.
    """

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
