"""Calls that should end by a deadline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How far from its deadline a call may end, in seconds.
TOLERANCE = 0.2


def ends_after(seconds: float) -> Iterator[None]:
    """Lets the body of a loop run until it takes so long, up to three times, since other work may hold it up."""
    off = []
    for _ in range(3):
        started = time.monotonic()
        yield
        off.append(time.monotonic() - started - seconds)
        if abs(off[-1]) <= TOLERANCE:
            return
    pytest.fail(f"it never ended within {TOLERANCE} s of its {seconds} s: off by {off}")
