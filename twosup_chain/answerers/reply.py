"""How whatever an answerer returns becomes an `Answer`."""

from collections.abc import Collection, Sequence

from langchain_core.messages import BaseMessage

from twosup_chain._options import shorten
from twosup_chain.answerers.message import answer_from_message
from twosup_chain.errors import EmptyAnswerError, NotTextError, TwosupError
from twosup_chain.schema import Answer, TwoSupervisorResult

#: No answer has more characters; the rest is cut off, and a "…" says so.
LONGEST = 20_000


def as_answer(value: object, passages: Sequence[str] = (), options: Collection[str] = ()) -> Answer:
    """Returns whatever an answerer of the user's own returned as an `Answer`, cut off after `LONGEST` characters.

    Args:
        value: An `Answer`, a string, ``None`` (the prediction that there is no answer), a LangChain message, a dict of
            `Answer`'s fields, or the result of another `TwoSupervisorChain`.
        passages: The passages of the question: what a message quotes from them is an answer, whatever its words say.
        options: For a decision, what the answer must be one of.

    Raises:
        NotTextError: `value` is none of these, or none of the options.
        RefusalError: a message that is a refusal.
        EmptyAnswerError: a blank text, since an empty reply is never a success, or a result of a chain that trusts
            nobody.
    """
    answer = _read(value, passages, options)
    if options and answer.text is not None and answer.text not in options:
        message = f"the answer {shorten(answer.text)} is none of the options {shorten(list(options), 200)}"
        raise NotTextError(message, answer.usage)
    if answer.text is not None and len(answer.text) > LONGEST + 1:
        answer = answer.model_copy(update={"text": f"{answer.text[:LONGEST]}…"})
    if answer.text is None or answer.text.strip():
        return answer
    raise EmptyAnswerError(
        "the answer is empty: an empty reply is never a success (None says that there is no answer)", answer.usage
    )


def _read(value: object, passages: Sequence[str], options: Collection[str]) -> Answer:
    if isinstance(value, Answer):
        return value
    if value is None or isinstance(value, str):
        return Answer(value)
    if isinstance(value, TwoSupervisorResult):
        if value.status == "untrusted":
            raise EmptyAnswerError(
                f"the inner chain trusts nobody, which is no prediction that there is no answer ({value.reason})",
                value.usage,
            )
        return Answer(value.answer, usage=value.usage, seconds=value.seconds)
    if isinstance(value, BaseMessage):
        return answer_from_message(value, passages, 2 * LONGEST, options)  # what is taken off its ends leaves enough
    if isinstance(value, dict) and "text" in value:
        try:
            return Answer(**value)
        except TwosupError as error:
            raise NotTextError(f"the dict {shorten(value)} is not an Answer: {error}") from error
    raise NotTextError(
        f"{shorten(value)} ({type(value).__name__}) is not an answer: return an Answer, a string, None, "
        "an AIMessage or a dict with the key 'text'"
    )
