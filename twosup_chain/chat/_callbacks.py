"""The runs below a chat model's own, nested and traced in full.

LangChain gives a chat model's run no children, and does not tell its `_stream` which run it belongs to. Here a call
remembers its config.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForChainRun,
    CallbackManagerForLLMRun,
)
from langchain_core.runnables.config import (
    RunnableConfig,
    ensure_config,
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
)
from langchain_core.utils.uuid import uuid7

#: Under this name among its ``configurable`` a call may bring a function that is told what was asked and decided.
HEAR = "twosup_hear"

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


def hearer() -> Callable[..., object] | None:
    """Returns the function that the call under way has brought to be told the decision."""
    config: dict[str, Any] = dict(_config_of_call.get() or {})
    found: Callable[..., object] | None = config.get("configurable", {}).get(HEAR)
    return found


def below(
    run_manager: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None,
) -> tuple[RunnableConfig, CallbackManagerForChainRun]:
    """Returns the config for the runs below a chat model's run, and the manager that makes their callbacks."""
    config = _config_of_call.get() or ensure_config({"metadata": getattr(run_manager, "metadata", None) or {}})
    found: Any = run_manager or config.get("callbacks")
    if not hasattr(found, "inheritable_handlers"):
        found = get_callback_manager_for_config(config)
    return config, CallbackManagerForChainRun(
        run_id=config.get("run_id") or uuid7() if run_manager is None else run_manager.run_id,
        parent_run_id=found.parent_run_id,
        handlers=found.handlers,
        inheritable_handlers=found.inheritable_handlers,
        tags=found.tags,
        inheritable_tags=found.inheritable_tags,
        metadata=found.metadata,
        inheritable_metadata=found.inheritable_metadata,
    )
