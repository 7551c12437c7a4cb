"""`Seen`: which questions of several files were read, so that none counts twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twosup_chain._options import shorten
from twosup_chain.errors import RecordsError

if TYPE_CHECKING:
    from twosup_chain.records.lines import Places


class Seen:
    """Which questions were read and where, so that none counts twice."""

    def __init__(self) -> None:
        self.failed = 0
        self._lines: dict[str, int] = {}

    def add(self, id: str, places: Places, *, failed: bool) -> None:
        """Notes the question of the last line; `RecordsError` where it was recorded before."""
        line = len(places) - 1
        before = self._lines.setdefault(id, ~line if failed else line)
        if before in (line, ~line):  # it is new
            self.failed += failed
        elif before >= 0:
            raise RecordsError(
                f"{places[line]}: the question {shorten(id)} is recorded in {places[before]} already, and counts "
                "once: leave one of the two out"
            )
        elif not failed:
            self.failed -= 1
            self._lines[id] = line
