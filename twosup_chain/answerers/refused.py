"""Providers that refuse to tell log-probabilities: they are asked without them, this time and from then on.

Some models of a provider have none and answer a request for them with an error (HTTP 400) in place of a reply.
"""

import warnings
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableWithFallbacks
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.configurable import DynamicRunnable

from twosup_chain._step import Flow, Listener, Step
from twosup_chain.answerers.named_chat_model import NamedChatModel, resolved
from twosup_chain.answerers.wrapping import innermost, label_of

#: By which options LangChain's chat models ask for log-probabilities.
_OPTIONS = frozenset({"logprobs", "top_logprobs", "response_logprobs"})
#: What a server may say of a request that it does not understand.
_MALFORMED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})


class Refusals:
    """Which models have refused log-probabilities; all copies of what asks them share one."""

    def __init__(self) -> None:
        self._models: set[str] = set()

    def ask(
        self,
        model: Any,
        messages: Any,
        options: Mapping[str, Any],
        form: Callable[[Any], Runnable[Any, Any]] | None = None,
        listener: Listener | None = None,
    ) -> Flow[Any]:
        """Returns a chat model's reply, without log-probabilities where it refuses them."""
        model = resolved(model)
        plain, fewer = without_logprobs(model), _fewer(options)
        again = Step(plain if form is None else form(plain), messages, dict(fewer), listener=listener)
        if plain is model and fewer == options:
            return (yield again)
        name = label_of(model) or type(model).__name__
        if name not in self._models:
            try:
                called = model if form is None else form(model)
                return (yield Step(called, messages, dict(options), listener=listener))
            except Exception as error:
                if not _refuses(error) or (listener is not None and listener.heard):
                    raise
        reply = yield again
        self._remember(name)
        return reply

    def _remember(self, name: str) -> None:
        if name not in self._models:
            self._models.add(name)
            message = (
                f"the chat model {name} refuses log-probabilities and is asked without them from now on: scorers of "
                "token probabilities find nothing to read (build it without logprobs, and use 'grounded' or 'backed')"
            )
            warnings.warn(message, UserWarning, stacklevel=2)


def evidence_of(model: Any) -> frozenset[str]:
    """Returns what a chat model's replies may carry, as scorers need it: all that nobody can rule out."""
    both, inner = frozenset({"logprobs", "top_logprobs"}), innermost(model)
    if without_logprobs(model) is not model or _is_configurable(model):
        return both
    if isinstance(inner, NamedChatModel):  # which is not made before it is asked
        return frozenset(filter(inner.may_tell, both))
    optional = isinstance(inner, BaseChatModel) and "logprobs" in type(inner).model_fields
    return frozenset() if optional else both


def _is_configurable(model: object) -> bool:
    while isinstance(model, (RunnableBindingBase, RunnableWithFallbacks)):
        model = model.bound if isinstance(model, RunnableBindingBase) else model.runnable
    return isinstance(model, DynamicRunnable)


def without_logprobs(model: Any) -> Any:
    """Returns a chat model, in all that is put around it, asking for no log-probabilities; itself, if it asks none."""
    match model:
        case RunnableBindingBase(bound=bound, kwargs=kwargs):
            changed = {"bound": without_logprobs(bound), "kwargs": _fewer(kwargs)}
        case RunnableWithFallbacks(runnable=runnable, fallbacks=fallbacks):
            others = [without_logprobs(other) for other in fallbacks]
            same = all(new is old for new, old in zip(others, fallbacks, strict=True))
            changed = {"runnable": without_logprobs(runnable), "fallbacks": fallbacks if same else others}
        case DynamicRunnable(default=default):
            changed = {"default": without_logprobs(default)}
        case BaseChatModel():
            changed = {name: None for name in _OPTIONS if getattr(model, name, None)}
            if isinstance(more := getattr(model, "model_kwargs", None), dict):
                changed["model_kwargs"] = _fewer(more)
        case Runnable() if isinstance(defaults := vars(model).get("_default_config"), dict):  # of `init_chat_model`
            if (fewer := _fewer(defaults)) is defaults:
                return model
            copy: Any = object.__new__(type(model))  # it has no other way, and cannot be copied by `copy`
            copy.__dict__.update(vars(model), _default_config=fewer)
            return copy
        case _:
            return model
    changed = {name: value for name, value in changed.items() if getattr(model, name) is not value}
    return model.model_copy(update=changed) if changed else model


def _fewer(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns options without those that ask for log-probabilities; the very same, where there are none."""
    asked = {name for name in _OPTIONS if options.get(name)}
    return {name: value for name, value in options.items() if name not in asked} if asked else options


def _refuses(error: Exception) -> bool:
    """Whether an error may be a refusal of log-probabilities: it says so, or takes the request for malformed."""
    places = ((error, "status_code"), (error, "code"), (getattr(error, "response", None), "status_code"))
    statuses = [getattr(place, name, None) for place, name in places]
    return "logprob" in str(error).casefold() or any(s in _MALFORMED for s in statuses if isinstance(s, int))
