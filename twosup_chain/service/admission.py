"""`Admission`: how many requests a local model has at once, and how many more may wait for it."""

import asyncio

from twosup_chain.errors import TwosupError


class BusyError(TwosupError):
    """More requests wait than may; the caller is to come again after `retry_after` seconds."""

    retry_after = 1

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} requests wait for the local model already: try again in {self.retry_after} s")


class Admission:
    """Lets requests in, as many as may be.

    Args:
        concurrency: How many at once.
        queue: How many more may wait.
    """

    def __init__(self, concurrency: int, queue: int) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._queue = queue
        self.waiting = 0

    async def enter(self) -> None:
        """Lets a request in, once there is a place.

        Raises:
            BusyError: Too many wait already.
        """
        if self._slots.locked() and self.waiting >= self._queue:
            raise BusyError(self.waiting)
        self.waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self.waiting -= 1

    def leave(self) -> None:
        """Gives a place back."""
        self._slots.release()
