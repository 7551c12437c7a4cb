"""`Day`: what a route has done today, by its log: who answered, what it cost, and whether promises are kept."""

from __future__ import annotations

from collections import Counter, deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from twosup_chain._options import Record
from twosup_chain.calibration.estimates import Estimate
from twosup_chain.service.decision import Decision
from twosup_chain.service.stats import Stats, share, stats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twosup_chain.calibration.record import Promise
    from twosup_chain.service.log import DecisionLog
    from twosup_chain.service.route import Route

#: How many of the latest decisions are shown.
LATEST = 20


class WatchedPromise(Record):
    """A promise of a route's calibration, and what today says of it.

    `observed` has a two-sided 95 % interval; ``None`` where today cannot say anything.
    """

    target: str
    limit: float
    observed: Estimate | None
    said: Literal["kept", "broken", "not known yet"]


class Day(Record):
    """What a route has done since midnight (UTC)."""

    route: str
    stats: Stats
    promises: tuple[WatchedPromise, ...]
    latest: tuple[Decision, ...]


def midnight(now: datetime | None = None) -> float:
    """Returns when today began (UTC), in seconds since 1970."""
    return (now or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def day_of(route: Route, log: DecisionLog) -> Day:
    """Returns what a route has done today."""
    latest: deque[Decision] = deque(maxlen=LATEST)
    escalated = Counter[bool]()

    def passing() -> Iterator[Decision]:
        for decision in log.decisions(route=route.name, since=midnight()):
            latest.append(decision)
            escalated["remote" in decision.stages] += 1
            yield decision

    found = stats(passing(), log.feedback())
    promises = () if route.calibration is None else route.calibration.promises
    return Day(
        route=route.name,
        stats=found,
        promises=tuple(_watched(promise, found, escalated[True]) for promise in promises),
        latest=tuple(decision.model_copy(update={"text": None}) for decision in reversed(latest)),
    )


def _watched(promise: Promise, found: Stats, escalated: int) -> WatchedPromise:
    observed = None
    if promise.measure == "remote_rate" and found.decisions:
        observed = share(escalated, found.decisions)
    elif promise.measure == "risk":
        answered = [source for source in found.labelled if source != "none"]
        labelled = sum(found.labelled[source] for source in answered)
        right = sum(round((found.right[source].value or 0.0) * found.labelled[source]) for source in answered)
        observed = share(labelled - right, labelled) if labelled else None
    said: Literal["kept", "broken", "not known yet"] = "not known yet"
    if observed is not None and observed.high is not None and observed.low is not None:
        said = "kept" if observed.high <= promise.limit else "broken" if observed.low > promise.limit else said
    return WatchedPromise(target=promise.target, limit=promise.limit, observed=observed, said=said)
