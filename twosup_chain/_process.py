"""`Loaded`: something heavy that belongs to the process that loaded it.

A library's threads are not there in a process that was forked off. What its parent has loaded is of no use to such a
child: to run it hangs or crashes, and so does to free it at the end.
"""

import ctypes
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Thing = TypeVar("Thing")


class Loaded(Generic[Thing]):
    """Builds a thing at its first use, once for all threads of a process, and anew in a process that is forked off.

    `close` frees it, once nobody holds this any more, and before the interpreter ends.
    """

    def __init__(self, build: Callable[[], Thing], close: Callable[[Thing], object] | None = None) -> None:
        self._build = build
        self._close = close
        self._closer: weakref.finalize[..., Loaded[Thing]] | None = None
        self._thing: Thing | None = None
        self._lock = threading.RLock()

    def get(self) -> Thing:
        """Returns the thing, built at the first call."""
        if self._thing is None:
            with self._lock:
                if self._thing is None:
                    _LOADED.add(self)
                    self._thing = thing = self._build()
                    if self._close is not None:
                        self._closer = weakref.finalize(self, self._close, thing)
        return self._thing

    @property
    def there(self) -> bool:
        """Whether the thing is built."""
        return self._thing is not None

    @property
    def hooked(self) -> bool:
        """Whether a fork is noticed, as it is from the first use on."""
        return self in _LOADED

    def drop(self) -> None:
        """Frees the thing; the next use builds it anew."""
        with self._lock:
            if self._closer is not None:
                self._closer()
            self._thing = self._closer = None

    def _abandon(self) -> None:
        """Forgets what the parent has built, without freeing it; whoever held the lock is not there any more."""
        if self._thing is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._thing))
        if self._closer is not None:
            self._closer.detach()
        self._thing = self._closer = None
        self._lock = threading.RLock()


#: What this process has built and still holds; one hook for all, since none can be taken back.
_LOADED: weakref.WeakSet[Loaded[Any]] = weakref.WeakSet()


def _abandon_all() -> None:
    for loaded in list(_LOADED):
        loaded._abandon()  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
