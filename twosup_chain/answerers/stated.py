"""Stated confidence: a model that shows no token log-probabilities says itself how sure it is, in a fixed form.

The form is asked for through LangChain's structured output; here is the form, and how the reply becomes an `Answer`.
Models tend to say 0.9 and more (Xiong et al. 2024, arXiv 2306.13063).
"""

from collections.abc import Collection, Sequence
from typing import Any, Literal

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.configurable import DynamicRunnable
from pydantic import BaseModel, Field, create_model, field_validator

from twosup_chain._options import shorten
from twosup_chain.answerers.choice import read_label
from twosup_chain.answerers.message import model_of, refusal_in, usage_of
from twosup_chain.answerers.named_chat_model import NamedChatModel
from twosup_chain.answerers.no_answer import NO_ANSWER
from twosup_chain.answerers.prompt import parse_reply
from twosup_chain.errors import AnswererError, ConfigurationError, NotTextError, RefusalError, UnstructuredReplyError
from twosup_chain.schema import Answer

#: The score's name in `Answer.scores`, as a scorer and as a feature.
STATED_CONFIDENCE = "stated_confidence"


class StatedAnswer(BaseModel):
    """The answer to the question, and how probable it is that it is right."""

    answer: str = Field(
        description=f'The answer: a short phrase copied from the passage, or "{NO_ANSWER}" where there is none.'
    )
    confidence: float = Field(
        description="The probability that this answer is right, a number from 0 (surely wrong) to 1 (surely right)."
    )

    @field_validator("confidence")
    @classmethod
    def _check_confidence(cls, value: float) -> float:
        if 0.0 <= value <= 1.0:
            return value
        raise ValueError(f"confidence={value!r} is no probability in [0, 1]")


def _form(labels: Collection[str]) -> type[StatedAnswer]:
    """Returns the form of a reply; with labels the answer is one of them."""
    if not labels:
        return StatedAnswer
    one_of: Any = Literal[tuple(labels)]
    return create_model("StatedAnswer", __base__=StatedAnswer, answer=(one_of, Field(description="The label.")))


def structured(model: Runnable[Any, Any], options: dict[str, Any], labels: Collection[str] = ()) -> Runnable[Any, Any]:
    """Returns a model's form that replies with a `StatedAnswer`, and with the message that held it.

    `options` are those of the model's ``with_structured_output``, `labels` what the answer must be one of.
    """
    if isinstance(model, NamedChatModel):
        model = model.resolved
    if isinstance(model, DynamicRunnable):
        return RunnableLambda(
            lambda _, config: structured(model.prepare(config)[0], options, labels), name="structured"
        )
    make = None if isinstance(model, RunnableBindingBase) else getattr(model, "with_structured_output", None)
    if make is None:
        raise ConfigurationError(
            f"stated_confidence needs a chat model with structured output, and model is a {type(model).__name__}: "
            "pass the chat model itself, without bind or with_config"
        )
    try:
        made: Runnable[Any, Any] = make(_form(labels), include_raw=True, **options)
    except (NotImplementedError, ValueError, TypeError) as error:
        message = f"stated_confidence needs structured output, which {type(model).__name__} does not give: {error}"
        raise ConfigurationError(message) from error
    return made


def answer_from_structured(reply: object, passages: Sequence[str] = (), labels: Collection[str] = ()) -> Answer:
    """Returns the answer that a structured reply holds, its confidence in ``Answer.scores["stated_confidence"]``.

    Token log-probabilities are left out: they would be those of the form.
    """
    raw = reply.get("raw") if isinstance(reply, dict) else None
    if not isinstance(reply, dict) or not isinstance(raw, BaseMessage):
        raise NotTextError(f"{shorten(reply)} ({type(reply).__name__}) is no structured reply with its raw message")
    try:
        refused = refusal_in(raw)
        if refused:
            raise RefusalError(f"the provider gave no answer: {refused}")
        stated = _stated(reply.get("parsed"), reply.get("parsing_error"), raw)
        text = read_label(stated.answer, labels) if labels else parse_reply(stated.answer, passages)
    except AnswererError as error:
        error.usage = usage_of(raw)
        raise
    return Answer(text, scores={STATED_CONFIDENCE: stated.confidence}, usage=usage_of(raw), model=model_of(raw))


def _stated(parsed: object, failure: object, raw: BaseMessage) -> StatedAnswer:
    cause = failure if isinstance(failure, BaseException) else None
    if isinstance(parsed, StatedAnswer):
        return parsed
    if isinstance(parsed, dict):
        try:
            return StatedAnswer(**parsed)
        except (ValueError, TypeError) as error:
            cause = error
    why = " ".join(str(cause).split())[:200] if cause else "it does not use the form at all"
    raise UnstructuredReplyError(
        f"the reply {shorten(raw.text or raw.additional_kwargs or raw.content)} does not state answer and confidence "
        f"({why}): ask a model that keeps to a form, or leave stated_confidence out"
    ) from cause
