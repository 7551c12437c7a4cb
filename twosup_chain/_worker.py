"""`Worker`: threads of an engine's own, so that who waits for it takes no thread from the rest of the process.

Jobs are done in the order in which they came. Who waits in an event loop holds no thread; who does not wait any longer
gives the job up: one that has not begun never does, and one that runs ends at its next `check_wanted`.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from contextvars import ContextVar, copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from twosup_chain._process import Loaded

Result = TypeVar("Result")


class Call:
    """A call that somebody waits for, until it is given up."""

    __slots__ = ("given_up",)

    def __init__(self) -> None:
        self.given_up = False


_calls: ContextVar[tuple[Call, ...]] = ContextVar("twosup_calls", default=())


class GivenUp(BaseException):
    """Ends a job that nobody waits for any longer; it reaches no caller."""


def check_wanted() -> None:
    """Ends the job here, if nobody waits for it any longer."""
    if any(call.given_up for call in _calls.get()):
        raise GivenUp


def leaving() -> tuple[Callable[..., Any], Call]:
    """Returns how to call a function in a context like this one, and the call that can be given up."""
    call, context = Call(), copy_context()
    context.run(_calls.set, (*_calls.get(), call))
    return context.run, call


class Worker:
    """Does jobs on threads of its own, first come, first served."""

    def __init__(self, threads: int = 1) -> None:
        self._here = here = threading.local()
        self._threads = threads
        self._pool = Loaded(
            lambda: ThreadPoolExecutor(threads, "twosup", initializer=lambda: setattr(here, "own", True))
        )

    def __reduce__(self) -> tuple[type, tuple[int]]:
        """A copy, in this process or another, has threads of its own."""
        return type(self), (self._threads,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Worker) and self._threads == other._threads

    __hash__ = object.__hash__

    @property
    def waiting(self) -> int:
        """How many jobs have not begun."""
        return self._pool.get()._work_queue.qsize() if self._pool.there else 0  # noqa: SLF001

    def run(self, job: Callable[[], Result]) -> Result:
        """Does a job and waits for it; at once, where this is a thread of the worker."""
        if self._inside:
            return job()
        future, call = self._submit(job)
        try:
            return future.result()
        finally:
            call.given_up = True
            future.cancel()

    async def arun(self, job: Callable[[], Result]) -> Result:
        """Does a job and waits for it without holding a thread."""
        future, call = self._submit(job)
        try:
            return await asyncio.wrap_future(future)
        finally:
            call.given_up = True

    def stream(self, pieces: Callable[[], Generator[Result]]) -> Generator[Result]:
        """Gives what a generator gives that runs here as one job; closing this one ends that one."""
        if self._inside:
            yield from pieces()
            return
        found: SimpleQueue[Any] = SimpleQueue()
        future, call = self._submit(partial(_pump, pieces, found.put))
        future.add_done_callback(found.put)
        try:
            while (piece := found.get()) is not future:
                yield piece
            future.result()
        finally:
            call.given_up = True
            future.cancel()

    async def astream(self, pieces: Callable[[], Generator[Result]]) -> AsyncGenerator[Result]:
        """Gives what a generator gives that runs here as one job, without holding a thread."""
        found: asyncio.Queue[Any] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def put(piece: Any) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody is there any more
                loop.call_soon_threadsafe(found.put_nowait, piece)

        future, call = self._submit(partial(_pump, pieces, put))
        future.add_done_callback(put)
        try:
            while (piece := await found.get()) is not future:
                yield piece
            future.result()
        finally:
            call.given_up = True
            future.cancel()

    @property
    def _inside(self) -> bool:
        return getattr(self._here, "own", False)

    def _submit(self, job: Callable[[], Result]) -> tuple[Future[Result], Call]:
        run, call = leaving()
        return self._pool.get().submit(run, job), call


def _pump(pieces: Callable[[], Generator[Any]], put: Callable[[Any], None]) -> None:
    with closing(pieces()) as running:
        for piece in running:
            put(piece)
            check_wanted()
