"""The runs below a chat model's own: nested and traced in full, but none of their tokens is shown to anybody.

LangChain gives a chat model's run no children, does not tell its `_stream` which run it belongs to, and hands every
handler the tokens of every run below. Here a call remembers its config, and handlers that show tokens are handed on
without them: a draft that is not yet trusted must not reach a screen.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManagerForLLMRun,
    BaseCallbackHandler,
    CallbackManagerForChainRun,
    CallbackManagerForLLMRun,
)
from langchain_core.runnables.config import (
    RunnableConfig,
    ensure_config,
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
)
from langchain_core.tracers.base import AsyncBaseTracer, BaseTracer
from langchain_core.utils.uuid import uuid7

if TYPE_CHECKING:
    from collections.abc import Iterator

#: LangGraph does not stream the messages of a run with this tag.
NOT_STREAMED = "nostream"

#: How a handler learns of tokens while they are generated.
_TOKENS = ("on_llm_new_token", "on_stream_event")

#: What makes LangChain stream a model for a handler's sake.
_TAPS = ("tap_output_iter", "tap_output_aiter")

_config_of_call: ContextVar[RunnableConfig | None] = ContextVar("twosup_config_of_call", default=None)


def opened(config: RunnableConfig | None, *, asynchronous: bool = False) -> RunnableConfig:
    """Returns the config of a call with its callbacks configured and the id of the run that it is going to be."""
    config = ensure_config(config)
    manage = get_async_callback_manager_for_config if asynchronous else get_callback_manager_for_config
    return {**config, "callbacks": manage(config), "run_id": config.get("run_id") or uuid7()}


@contextmanager
def remembered(config: RunnableConfig) -> Iterator[None]:
    """Remembers the config of a call while that call starts."""
    token = _config_of_call.set(config)
    try:
        yield
    finally:
        _config_of_call.reset(token)


def below(
    run_manager: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None,
) -> tuple[RunnableConfig, CallbackManagerForChainRun]:
    """Returns the config for the runs below a chat model's run, and the manager that makes their callbacks."""
    config = _config_of_call.get() or ensure_config()
    found: Any = run_manager or config.get("callbacks")
    if not hasattr(found, "inheritable_handlers"):
        found = get_callback_manager_for_config(config)
    return config, CallbackManagerForChainRun(
        run_id=config.get("run_id") or uuid7() if run_manager is None else run_manager.run_id,
        parent_run_id=found.parent_run_id,
        handlers=found.handlers,
        inheritable_handlers=[_quiet(handler) for handler in found.inheritable_handlers],
        tags=found.tags,
        inheritable_tags=[*found.inheritable_tags, NOT_STREAMED],
        metadata=found.metadata,
        inheritable_metadata=found.inheritable_metadata,
    )


class _Quiet:
    """A handler that is told everything but the tokens."""

    def __init__(self, handler: BaseCallbackHandler) -> None:
        self._handler = handler

    def __getattr__(self, name: str) -> Any:
        if name in _TAPS or name == "_handler":
            raise AttributeError(name)
        return getattr(self._handler, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Quiet) and self._handler is other._handler

    def __hash__(self) -> int:
        return hash(id(self._handler))

    def on_llm_new_token(self, *_: Any, **__: Any) -> None:
        """Shows nothing."""

    def on_stream_event(self, *_: Any, **__: Any) -> None:
        """Shows nothing."""


def _quiet(handler: Any) -> Any:
    return _Quiet(handler) if not isinstance(handler, _Quiet) and _shows_tokens(handler) else handler


def _shows_tokens(handler: BaseCallbackHandler) -> bool:
    """Whether a handler does something with tokens; a tracer keeps them for the trace, unless a stream taps it."""
    if isinstance(handler, (BaseTracer, AsyncBaseTracer)):
        return any(hasattr(handler, tap) for tap in _TAPS)
    silent = {getattr(kind, name) for kind in (BaseCallbackHandler, AsyncCallbackHandler) for name in _TOKENS}
    return any(getattr(type(handler), name, None) not in silent for name in _TOKENS)
