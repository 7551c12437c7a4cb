"""What a user could see of an answer before it is trusted is held back: handlers that show tokens are not told them.

LangChain hands every handler the tokens of every run below, LangGraph's ``stream_mode="messages"`` and
``astream_events`` among them; LangGraph hands on its stream. Below a decision they are left without what could be
shown; traces stay complete.
"""

from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.runnables import RunnableConfig
from langchain_core.tracers.base import AsyncBaseTracer, BaseTracer

#: LangGraph does not stream the messages of a run with this tag.
NOT_STREAMED = "nostream"

#: Under this name a graph hands its stream on to a graph below.
_GRAPH = "__pregel_stream"

#: How a handler learns of tokens while they are generated.
_TOKENS = ("on_llm_new_token", "on_stream_event")

#: What makes LangChain stream a model for a handler's sake.
_TAPS = ("tap_output_iter", "tap_output_aiter")


def held(config: RunnableConfig) -> RunnableConfig:
    """Returns the config of a run, changed so that nobody is shown what it and the runs below it write."""
    manager: Any = config["callbacks"]
    if manager.handlers:
        manager.set_handlers([_quiet(handler) for handler in manager.inheritable_handlers])
        manager.add_tags([NOT_STREAMED])
    if _GRAPH in config.get("configurable", {}):
        config["configurable"] = {name: value for name, value in config["configurable"].items() if name != _GRAPH}
    return config


class _Quiet:
    """A handler that is told everything but the tokens; one that streams outputs as well, custom events alone."""

    def __init__(self, handler: BaseCallbackHandler) -> None:
        self._handler = handler
        self._streams = _taps(handler)

    def __getattr__(self, name: str) -> Any:
        if name in _TAPS or name in {"_handler", "_streams"}:
            raise AttributeError(name)
        if self._streams and name.startswith("ignore_") and name != "ignore_custom_event":
            return True
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


def _taps(handler: BaseCallbackHandler) -> bool:
    return any(hasattr(handler, tap) for tap in _TAPS)


def _shows_tokens(handler: BaseCallbackHandler) -> bool:
    """Whether a handler does something with tokens; a tracer keeps them for the trace, unless a stream taps it."""
    if _taps(handler) or isinstance(handler, (BaseTracer, AsyncBaseTracer)):
        return _taps(handler)
    silent = {getattr(kind, name) for kind in (BaseCallbackHandler, AsyncCallbackHandler) for name in _TOKENS}
    return any(getattr(type(handler), name, None) not in silent for name in _TOKENS)
