"""A question's own time: its calls end by its deadline, whatever they wait for.

A call that does not end is left behind: a thread that waits for a socket cannot be stopped, and a coroutine need not
heed its cancellation. What runs here and not elsewhere learns of it (`_worker.check_wanted`) and ends.
"""

import asyncio
import ctypes
import math
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from twosup_chain._process import Loaded
from twosup_chain._worker import GivenUp, check_wanted, leaving
from twosup_chain.errors import DeadlineError

#: How long a question may take where nobody says, in seconds.
DEADLINE = 60.0
#: How long a cancelled coroutine or a call that is ended is waited for, in seconds: enough for one that heeds it.
_GRACE = 0.1
#: How long what has no limit is waited for before it is looked at again, in seconds.
_TICK = 0.02

Result = TypeVar("Result")

_END, _NUDGE = object(), object()


class Clock:
    """What is left of a question's time, in seconds; the time in which it waits for other questions does not count.

    Args:
        seconds: How long its calls may take together; ``None`` for as long as they like.
        last: The last stage that there may be; a call at an earlier one is given half of what is left.
    """

    def __init__(self, seconds: float | None, last: int = 0) -> None:
        self.seconds = seconds
        self.left = seconds
        self.last = last

    def charge(self, seconds: float) -> None:
        """Takes off what a call has taken."""
        if self.left is not None:
            self.left -= seconds

    def limit(self, stage: int) -> float | None:
        """Returns how long a call of a stage may take; ``None`` for as long as it likes.

        Raises:
            DeadlineError: Nothing is left.
        """
        if self.left is not None and self.left <= 0.0:
            raise DeadlineError(self.seconds or 0.0)
        return self.left if self.left is None or stage >= self.last else self.left / 2


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """The end of a flow, or the last piece of a call."""

    value: Result


class _Threads:
    """Threads that make calls: one that is idle takes the next; where none is, as where all hang, another is started.

    Args:
        idle: How long one waits for the next call before it ends, in seconds.
    """

    def __init__(self, idle: float = 30.0) -> None:
        self._seconds = idle
        self._idle: list[SimpleQueue[Callable[[], object]]] = []
        self._busy: set[int] = set()

    def end(self) -> None:
        """Ends the calls that still run Python.

        One that did so while the interpreter ends would abort the process, if it was called from Rust or C++.
        """
        until = monotonic() + _GRACE
        while self._busy and monotonic() < until:
            for thread in list(self._busy):
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(GivenUp))
            sleep(_GRACE / 10)

    def call(self, job: Callable[[], object]) -> None:
        try:
            inbox = self._idle.pop()
        except IndexError:
            inbox = SimpleQueue()
            threading.Thread(target=self._run, args=(inbox,), name="twosup-call", daemon=True).start()
        inbox.put(job)

    def _run(self, inbox: SimpleQueue[Callable[[], object]]) -> None:
        with suppress(GivenUp):
            self._serve(inbox)

    def _serve(self, inbox: SimpleQueue[Callable[[], object]]) -> None:
        me = threading.get_ident()
        while True:
            try:
                job = inbox.get(timeout=self._seconds)
            except Empty:
                try:
                    self._idle.remove(inbox)
                except ValueError:  # a call has just been given to it
                    continue
                return
            self._busy.add(me)
            job()
            self._busy.discard(me)
            del job  # it is not kept while the next is waited for
            self._idle.append(inbox)


#: Those of this process.
_THREADS = Loaded(_Threads, _Threads.end)


class Watch:
    """Which thread goes on with what another was given to do: that one, or, once a call overruns, the one that waits.

    The other says when a call begins and asks at its end whether it is still to go on; between two calls it is in no
    hurry, since it computes.
    """

    __slots__ = ("_begun", "_calling", "_charge", "_limit", "_lock", "_looked", "_until", "left", "nudge")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calling = False
        self._begun = self._until = self._looked = 0.0
        self._limit: float | None = None
        self._charge: Callable[[float], object] | None = None
        #: Whether the other thread was left behind.
        self.left = False
        #: Lets who waits look at the watch, since a call is to end earlier than the one before.
        self.nudge: Callable[[], object] = bool

    def begin(self, limit: float | None, charge: Callable[[float], object] | None = None) -> None:
        """Notes that a call begins.

        Args:
            limit: How long it may take, in seconds; ``None`` for as long as it likes.
            charge: Is told how long it has taken.
        """
        self._limit, self._charge, self._begun = limit, charge, monotonic()
        with self._lock:
            self._until = math.inf if limit is None else self._begun + limit
            self._calling = True
        if self._until < self._looked:
            self.nudge()

    def end(self) -> None:
        """Notes that the call has ended.

        Raises:
            GivenUp: Nobody waits for it any longer.
        """
        with self._lock:
            if self.left:
                raise GivenUp
            self._calling = False
        if self._charge is not None:
            self._charge(monotonic() - self._begun)

    def pause(self, seconds: float) -> None:
        """Does not count so many seconds, in which what the call gave was shown."""
        self._begun += seconds
        self._until += seconds

    @property
    def wait(self) -> float:
        """How long to wait before the watch is looked at again, in seconds."""
        with self._lock:
            now = monotonic()
            self._looked = self._until if now + _TICK < self._until < math.inf else now + _TICK
        return self._looked - now

    def overrun(self) -> bool:
        """Returns whether the call has taken too long, so that who asks goes on without it."""
        with self._lock:
            self.left = self._calling and monotonic() >= self._until
        if self.left and self._charge is not None:
            self._charge(monotonic() - self._begun)
        return self.left

    @property
    def error(self) -> DeadlineError:
        """What a call has met that has overrun."""
        return DeadlineError(self._limit or 0.0)

    def leave(self) -> None:
        """Leaves the other thread behind, whatever it does."""
        with self._lock:
            self.left = True


def elsewhere(pieces: Callable[[], Generator[Any]], watch: Watch) -> Generator[Any]:
    """Gives what a generator gives, which runs on another thread; ends without more when a call of it overruns."""
    run, call = leaving()
    taken: SimpleQueue[None] = SimpleQueue()
    found: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
    watch.nudge = partial(found.put, (_NUDGE, None))
    _THREADS.get().call(partial(run, _pump, pieces, found.put, taken.get))
    ended = False
    try:
        while not ended:
            try:
                piece, failure = found.get(timeout=watch.wait)
            except Empty:
                if watch.overrun():
                    return
                continue
            if piece is _NUDGE:
                continue
            ended = failure is not None or piece is _END or isinstance(piece, Done)
            if failure is not None:
                raise failure
            if piece is not _END:
                shown = monotonic()
                yield piece
                watch.pause(monotonic() - shown)
                taken.put(None)
    finally:
        if not ended:
            watch.leave()
            call.given_up = True
            taken.put(None)


def within(pieces: Callable[[], Generator[Any]], seconds: float) -> Generator[Any]:
    """Gives what a generator gives, which runs on a thread that is left behind when the time is up.

    Raises:
        DeadlineError: It did not end in time.
    """
    watch = Watch()
    watch.begin(seconds)
    with closing(elsewhere(pieces, watch)) as running:
        yield from running
    if watch.left:
        raise watch.error


def _pump(
    pieces: Callable[[], Generator[Any]],
    put: Callable[[tuple[Any, BaseException | None]], object],
    shown: Callable[[], object],
) -> None:
    failure = None
    try:
        with closing(pieces()) as running:
            for piece in running:
                put((piece, None))
                if isinstance(piece, Done):
                    return  # nothing more is taken
                shown()  # nothing is generated before what there is has been shown
                check_wanted()
    except BaseException as error:  # noqa: BLE001 (it is raised where the pieces are taken)
        failure = error
    put((_END, failure))


#: Whose turn it is to begin, in each event loop.
_STARTS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def awithin(pieces: Callable[[], AsyncGenerator[Any]], seconds: float) -> AsyncGenerator[Any]:
    """Gives what an asynchronous generator gives, which runs in a task that is left behind when the time is up.

    Raises:
        DeadlineError: It did not end in time.
    """
    found: asyncio.Queue[Any] = asyncio.Queue()
    taken = asyncio.Semaphore(0)

    async def pump() -> None:
        async with aclosing(pieces()) as running:
            async for piece in running:
                found.put_nowait(piece)
                if not isinstance(piece, Done):
                    await taken.acquire()

    def end(task: asyncio.Task[None]) -> None:
        _ = task.cancelled() or task.exception()  # asked for, or asyncio would complain of one that nobody wants
        found.put_nowait(task)

    loop = asyncio.get_running_loop()
    async with _STARTS.setdefault(loop, asyncio.Lock()):
        await asyncio.sleep(0)  # of many that begin at once, one a turn of the loop, which does others' work in between
    until = loop.time() + seconds
    task = asyncio.create_task(pump())
    task.add_done_callback(end)
    try:
        while True:
            try:
                async with asyncio.timeout_at(until) as time:
                    piece = await found.get()
            except TimeoutError:
                if not time.expired():
                    raise
                raise DeadlineError(seconds) from None
            if piece is task:
                task.result()
                return
            shown = monotonic()
            yield piece
            until += monotonic() - shown
            taken.release()
    finally:
        taken.release()
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_GRACE)
