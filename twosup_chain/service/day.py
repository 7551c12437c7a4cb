"""`Day`: what a route has done today, by its log: who answered and what it cost; and whether promises are kept."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twosup_chain._options import Record
from twosup_chain.errors import ConfigurationError
from twosup_chain.service.decision import Decision
from twosup_chain.service.stats import Stats, stats
from twosup_chain.service.watch import LogReport, Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from twosup_chain.service.log import DecisionLog
    from twosup_chain.service.route import Route

#: How many of the latest decisions are shown.
LATEST = 20
#: How long what was read of the log is taken for today's, in seconds, and at least, as a multiple of what it took.
FRESH, REST = 2.0, 20.0
#: How long is waited for that, in seconds, before what was known of before is told.
PATIENCE = 5.0


class Day(Record):
    """What a route has done since midnight (UTC), and what its whole log says of the promises of its calibration.

    `promises` is ``None`` where nothing is promised, or cannot be watched; `unwatched` then says why not.
    """

    route: str
    stats: Stats
    latest: tuple[Decision, ...]
    promises: LogReport | None = None
    unwatched: str = ""


def midnight(now: datetime | None = None) -> float:
    """Returns when today began (UTC), in seconds since 1970."""
    return (now or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def day_of(route: Route, log: DecisionLog, watch: Watch | None = None) -> Day:
    """Returns what a route has done today, and what a watch of its log says of its promises."""
    latest: deque[Decision] = deque(maxlen=LATEST)

    def passing() -> Iterator[Decision]:
        for decision in log.decisions(route=route.name, since=midnight()):
            latest.append(decision)
            yield decision

    return Day(
        route=route.name,
        stats=stats(passing(), log.feedback()),
        latest=tuple(decision.model_copy(update={"text": None}) for decision in reversed(latest)),
        promises=None if watch is None else watch.read(),
    )


class Today:
    """The days of the routes that have a log; it is read anew only now and then, however often they are asked for."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._logged = [(route, route.log, *_watch(route)) for route in routes if route.log is not None]
        self._stale = 0.0
        self._days: list[Day] = []
        self._reading: asyncio.Future[list[Day]] | None = None

    async def days(self) -> list[Day]:
        """Returns the days; while a long log is read for them, those of before, none at first."""
        if self._reading is None:
            if time.monotonic() < self._stale:
                return self._days
            self._reading = asyncio.ensure_future(asyncio.to_thread(self._read))
        reading = self._reading
        await asyncio.wait({reading}, timeout=PATIENCE)
        if reading.done():
            self._reading = None if self._reading is reading else self._reading
            self._days = reading.result()
        return self._days

    def _read(self) -> list[Day]:
        began = time.monotonic()
        days = ((day_of(route, log, watch), unwatched) for route, log, watch, unwatched in self._logged if log)
        found = [day.model_copy(update={"unwatched": unwatched}) for day, unwatched in days]
        self._stale = time.monotonic() + max(FRESH, REST * (time.monotonic() - began))
        return found


def _watch(route: Route) -> tuple[Watch | None, str]:
    """Returns the watch of a route's promises, or why there is none; neither where it promises nothing."""
    if route.log is None or route.calibration is None or not route.calibration.promises:
        return None, ""
    try:
        return Watch(route.log, route.calibration, route=route.name), ""
    except ConfigurationError as error:
        return None, str(error)
