"""How whatever an answerer returns becomes an `Answer`."""

from __future__ import annotations

from langchain_core.messages import BaseMessage

from twosup_chain._options import shorten
from twosup_chain.answerers.message import answer_from_message
from twosup_chain.errors import EmptyAnswerError, NotTextError, TwosupError
from twosup_chain.schema import Answer, TwoSupervisorResult


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
