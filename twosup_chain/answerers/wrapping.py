"""What LangChain puts around a Runnable, and the chat model that may be within."""

import sys

from langchain_core.runnables import Runnable, RunnableWithFallbacks
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.configurable import DynamicRunnable


def innermost(value: object) -> object:
    """Returns what bindings, retries, fallbacks and configurable fields or alternatives are put around."""
    while True:
        match value:
            case (
                RunnableBindingBase(bound=inner)
                | RunnableWithFallbacks(runnable=inner)
                | DynamicRunnable(default=inner)
            ):
                value = inner
            case _:
                return value


def is_chat_model(value: object) -> bool:
    """Whether `value` is a chat model, whatever is put around it."""
    from langchain_core.language_models import BaseChatModel  # here, since a reader alone starts faster without it

    inner = innermost(value)  # one of `init_chat_model` that is to be configured has a chat model's methods alone
    return isinstance(inner, BaseChatModel) or (isinstance(inner, Runnable) and hasattr(type(inner), "bind_tools"))


def is_decision_model(value: object) -> bool:
    """Whether `value` is a decision model of LangChain's, whatever is put around it."""
    return _is(value, "langchain_core.decisions.base", "BaseDecisionModel") or is_openai_decisions(value)


def is_openai_decisions(value: object) -> bool:
    """Whether `value` asks OpenAI's Decisions API, whatever is put around it."""
    return _is(value, "langchain_openai.decisions.base", "OpenAIDecisions")


def _is(value: object, module: str, name: str) -> bool:
    """Whether `value` is of a class, of which there is no object unless its module was imported."""
    return isinstance(innermost(value), getattr(sys.modules.get(module), name, ()))


def label_of(model: object) -> str | None:
    """Returns a chat model's name, where it has one."""
    model = innermost(model)
    names = (getattr(model, name, None) for name in ("model_name", "model", "model_id"))
    return next((name for name in names if isinstance(name, str)), None)
