"""`Breaker`: after so many failures in a row a hosted model is taken for dead, so that it costs no more waiting."""

import threading
from time import monotonic
from typing import Literal

from twosup_chain.errors import AnswererError, ConfigurationError, RemoteWithheldError, http_status

#: By which HTTP codes a server says that the question is at fault, not itself.
_OURS = (400, 404, 413, 422)

State = Literal["closed", "open", "half_open"]


class Breaker:
    """Counts failures in a row; the state is this process's own.

    While it is open, nothing is asked. Then one question is let through at a time, until one is answered.

    Args:
        failures: After how many in a row it opens.
        seconds: How long it stays open before a question is let through again.
    """

    def __init__(self, *, failures: int = 5, seconds: float = 30.0) -> None:
        if failures < 1 or not seconds > 0.0:
            message = f"failures={failures}, seconds={seconds}: a breaker opens after at least 1, for more than 0 s"
            raise ConfigurationError(message)
        self._most = failures
        self._seconds = seconds
        self._count = 0
        self._until = 0.0
        self._probed = False
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[object, tuple[int, float]]:
        """A copy begins anew."""
        return _again, (self._most, self._seconds)

    @property
    def state(self) -> State:
        """``"closed"``: all are let through; ``"open"``: none is; ``"half_open"``: the next one is."""
        if self._count < self._most:
            return "closed"
        return "open" if monotonic() < self._until else "half_open"

    def enter(self) -> bool:
        """Lets a question through, and returns whether it is the one of a half-open breaker; `leave` is told its end.

        Raises:
            RemoteWithheldError: The hosted model is taken for dead.
        """
        with self._lock:
            if self.state == "open" or (self.state == "half_open" and self._probed):
                raise RemoteWithheldError(
                    f"the last {self._count} calls failed; it is asked again {self._seconds:g} s after the last"
                )
            self._probed = self.state == "half_open"
            return self._probed

    def leave(self, error: BaseException | None, *, probe: bool = True) -> None:
        """Takes what became of a question: an answer, ``None``, or an error; and what `enter` returned."""
        with self._lock:
            self._probed = self._probed and not probe
            if error is None or isinstance(error, AnswererError):  # a reply that is none is one all the same
                self._count = 0
            elif isinstance(error, Exception) and not _says_nothing(error):
                self._count += 1
                self._until = monotonic() + self._seconds


def _says_nothing(error: Exception) -> bool:
    """Whether an error tells nothing of whether the hosted model is alive."""
    return isinstance(error, (RemoteWithheldError, ConfigurationError, ImportError)) or http_status(error) in _OURS


def _again(failures: int, seconds: float) -> Breaker:
    return Breaker(failures=failures, seconds=seconds)
