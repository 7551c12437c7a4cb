"""`Stages`: hears the runs below a request, how long each part takes, and when the local model is done."""

from collections.abc import Callable
from time import perf_counter
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

_LOCAL = "local"


class Stages(BaseCallbackHandler):
    """Hears the runs below one request; it may be called from any thread.

    Args:
        past_local: Is called when the local model is done, or is not asked at all; maybe more than once.

    Attributes:
        seconds: How long each part has taken so far, by its name: ``local``, ``local_supervisor``, ``remote``, ….
    """

    run_inline = True

    def __init__(self, past_local: Callable[[], object]) -> None:
        self.seconds: dict[str, float] = {}
        self._past_local = past_local
        self._open: dict[UUID, tuple[str, float]] = {}

    def on_chain_start(self, *_: Any, run_id: UUID, metadata: dict[str, Any] | None = None, **__: Any) -> Any:
        """A part begins, where the run is one."""
        part = (metadata or {}).get("twosup_part")
        if part is None or any(part == other for other, _ in self._open.values()):
            return
        self._open[run_id] = part, perf_counter()
        if part != _LOCAL:
            self._past_local()

    def on_chain_end(self, *_: Any, run_id: UUID, **__: Any) -> Any:
        """A part ends, where the run is one."""
        part, started = self._open.pop(run_id, (None, 0.0))
        if part is not None:
            self.seconds[part] = self.seconds.get(part, 0.0) + perf_counter() - started
        if part == _LOCAL:
            self._past_local()

    # a part is a chain or a model, and ends well or not: it is the same here
    on_chat_model_start = on_llm_start = on_chain_start
    on_llm_end = on_chain_error = on_llm_error = on_chain_end
