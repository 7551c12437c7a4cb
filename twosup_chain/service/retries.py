"""Whether a hosted call that failed is made again, and when; who waits, and how, is the driver's business."""

import asyncio
import random
import time
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig

from twosup_chain._deadline import DEADLINE, Clock
from twosup_chain.errors import http_status

#: The HTTP codes of what may be over in a moment.
_PASSING = (408, 409, 425, 429, 500, 502, 503, 504, 529)
#: What the errors of a connection are called in the libraries of providers.
_CONNECTION = ("Connect", "Timeout", "ProtocolError", "ReadError", "WriteError", "NetworkError")
#: The first wait, and the longest, in seconds; each is twice the one before, less up to half of it by chance.
_FIRST, _LONGEST = 0.25, 8.0


def wait_before(attempt: int, error: Exception) -> float | None:
    """Returns how long to wait before a call is made again, in seconds; ``None`` where that would be no use.

    Args:
        attempt: How many calls have failed.
        error: How the last one did; what its server says of when to come again (``Retry-After``) counts.
    """
    status = http_status(error)
    if status is None and not _of_connection(error):
        return None
    if status is not None and status not in _PASSING:
        return None
    told = _retry_after(error)
    backoff = min(_LONGEST, _FIRST * 2.0 ** (attempt - 1))
    return told if told is not None else backoff * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)


def may_have_cost(error: BaseException) -> bool:
    """Whether a call that ended so may have been worked on, and be charged for: it was left, not refused."""
    return not isinstance(error, Exception) or any("Timeout" in kind.__name__ for kind in type(error).__mro__)


class Attempt(Clock):
    """The time of one call, within that of its question.

    Args:
        whole: The question's time.
        seconds: How long the call may take; by default half of the question's, or of what one has where nobody says.
    """

    def __init__(self, whole: Clock, seconds: float | None) -> None:
        super().__init__(seconds or (whole.seconds or DEADLINE) / 2.0)
        self.whole = whole

    def charge(self, seconds: float) -> None:
        """Takes off what the call has taken, of both times."""
        super().charge(seconds)
        self.whole.charge(seconds)

    def limit(self, stage: int) -> float | None:
        """Returns how long the call may take, by both times."""
        limits = (super().limit(stage), self.whole.limit(stage))
        return min(limit for limit in limits if limit is not None)


class Pause(Runnable[float, None]):
    """Waits for so many seconds."""

    blocking = False

    def invoke(self, input: float, config: RunnableConfig | None = None, **_: Any) -> None:  # noqa: ARG002
        """Waits."""
        time.sleep(input)

    async def ainvoke(self, input: float, config: RunnableConfig | None = None, **_: Any) -> None:  # noqa: ARG002
        """Waits, and lets others go on meanwhile."""
        await asyncio.sleep(input)


class Awaited(Runnable[Future[Any], Any]):
    """Waits for what a writer does."""

    blocking = False

    def invoke(self, input: Future[Any], config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: ARG002
        """Returns what comes of it."""
        return input.result()

    async def ainvoke(self, input: Future[Any], config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: ARG002
        """Returns what comes of it, and lets others go on meanwhile."""
        return await asyncio.wrap_future(input)


def _of_connection(error: Exception) -> bool:
    names = [kind.__name__ for kind in type(error).__mro__]
    return isinstance(error, (ConnectionError, TimeoutError)) or any(part in n for part in _CONNECTION for n in names)


def _retry_after(error: Exception) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    with suppress(TypeError, ValueError, OverflowError):
        said = headers.get("retry-after")
        if said is None:
            return None
        try:
            seconds = float(said)
        except ValueError:
            seconds = (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
        return max(0.0, seconds) if seconds < float("inf") else None
    return None
