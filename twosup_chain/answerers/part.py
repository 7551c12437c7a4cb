"""How whatever a user gives for a part of a chain becomes a Runnable that answers."""

from typing import Any, cast

from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.runnables.base import coerce_to_runnable

from twosup_chain._options import shorten
from twosup_chain.answerers.wrapping import innermost, is_chat_model, is_decision_model
from twosup_chain.errors import ConfigurationError
from twosup_chain.schema import QAInput


def as_answerer(value: object, *, role: str) -> object:
    """Returns what the user gave for a `role` of a chain as a Runnable.

    A chat model becomes a `ChatAnswerer`, a decision model, OpenAI's among them, a `DecisionAnswerer`.
    """
    if isinstance(value, str) or is_chat_model(value):
        from twosup_chain.answerers.chat import ChatAnswerer

        return ChatAnswerer(model=cast("Runnable[Any, Any] | str", value))
    if is_decision_model(value):
        from twosup_chain.answerers.decision import DecisionAnswerer, as_decision_model

        return DecisionAnswerer(model=as_decision_model(value))
    if isinstance(value, Runnable):
        return value
    if callable(value):
        return coerce_to_runnable(value)
    message = f"{role}={shorten(value)} cannot answer: pass an answerer, a chat model, a Runnable or a function"
    raise ConfigurationError(message)


def input_for(answerer: Runnable[Any, Any], question: QAInput) -> QAInput | dict[str, Any]:
    """Returns what an answerer is called with: a function with the `QAInput`, a Runnable with the dict of it."""
    inner = innermost(answerer)
    whole = isinstance(inner, RunnableLambda) or getattr(inner, "takes_record", False)
    return question if whole else question.as_dict()
