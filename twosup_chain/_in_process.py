"""A Runnable whose work is done in this process, many inputs at once; the six call styles follow from one method.

Used by the answerers that run a model here and by the supervisors. Runnables that wait for a network are not: they have
an asynchronous side of their own.
"""

import os
from abc import abstractmethod
from functools import partial
from typing import Any, Generic

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.runnables import RunnableConfig, RunnableSerializable
from langchain_core.runnables.utils import Input, Output
from pydantic import PrivateAttr

from twosup_chain._halting import Halting
from twosup_chain._options import Options
from twosup_chain._unkeyed import Scrubber
from twosup_chain._worker import Worker

#: Characters of text from which on even quick work on it is moved off the event loop.
LONG = 50_000


class InProcessRunnable(Halting, RunnableSerializable[Input, Output], Options, Generic[Input, Output]):
    """`invoke`, `ainvoke`, `batch` and `abatch` from `process`; `stream` and `astream` are LangChain's own."""

    _worker: Worker = PrivateAttr(default_factory=partial(Worker, 16))

    @property
    def worker(self) -> Worker:
        """The threads that do the work for callers in an event loop; an engine has its own."""
        return self._worker

    @property
    def blocking(self) -> bool:
        """Whether the work takes long enough to be moved off the event loop; if not, a thread would cost more."""
        return True

    def heavy(self, value: Input) -> bool:  # noqa: ARG002
        """Whether this input is so large that even quick work on it is moved off the event loop."""
        return False

    @abstractmethod
    def process(self, values: list[Input]) -> list[Output | Exception]:
        """Returns one output an input, or the error that this input met; it may be called from any thread."""

    def invoke(self, input: Input, config: RunnableConfig | None = None, **_: Any) -> Output:
        """Processes one input."""
        return self._process_one(input) if _unseen(config) else self._call_with_config(self._process_one, input, config)

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Processes one input, in a thread of the worker if it takes long."""
        if self.blocking or self.heavy(input):
            return await self.worker.arun(partial(self.invoke, input, config, **kwargs))
        if _unseen(config):
            return self._process_one(input)
        return await self._acall_with_config(self._aprocess_one, input, config)

    def batch(
        self,
        inputs: list[Input],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **_: Any,
    ) -> list[Output]:
        """Processes many inputs together."""
        return self._batch_with_config(self.process, inputs, config, return_exceptions=return_exceptions)

    async def abatch(
        self,
        inputs: list[Input],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **_: Any,
    ) -> list[Output]:
        """Processes many inputs together, in a thread of the worker."""
        return await self.worker.arun(partial(self.batch, inputs, config, return_exceptions=return_exceptions))

    def _process_one(self, value: Input) -> Output:
        (output,) = self.process([value])
        if isinstance(output, Exception):
            raise output
        return output

    async def _aprocess_one(self, value: Input) -> Output:
        return self._process_one(value)


def _unseen(config: RunnableConfig | None) -> bool:
    """Whether nobody is told of a run below another, so that it need not be one."""
    manager = (config or {}).get("callbacks")
    return isinstance(manager, BaseCallbackManager) and all(isinstance(one, Scrubber) for one in manager.handlers)


def processors() -> int:
    """Returns how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
