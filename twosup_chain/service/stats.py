"""`Stats`: what a log tells of a stretch of time, in figures."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from twosup_chain._options import Record
from twosup_chain.calibration.estimates import Estimate
from twosup_chain.calibration.statistics import clopper_pearson
from twosup_chain.service.decision import Decision
from twosup_chain.service.feedback import Feedback


class Money(Record):
    """What decisions cost in one currency, as `Decision` has it; `estimated` of them do not know it exactly."""

    currency: str
    spent: float = 0.0
    shadow: float = 0.0
    always_remote: float = 0.0
    estimated: int = 0


class Stats(Record):
    """What a log tells: how many decisions by source, status and route, what they cost, and what was said of them.

    Seconds are the median and the 95th percentile of a question's wall time; `right` is, by source, the share of
    decisions that are right among those of which feedback says so or not, with a 95 % interval that holds if these are
    a fair sample.
    """

    decisions: int
    since: float | None
    until: float | None
    sources: dict[str, int]
    statuses: dict[str, int]
    routes: dict[str, int]
    shadowed: int
    seconds: tuple[float, float] | None
    money: tuple[Money, ...]
    labelled: dict[str, int]
    right: dict[str, Estimate]


def share(events: int, trials: int) -> Estimate:
    """Returns a share with its exact two-sided 95 % interval."""
    low, high = clopper_pearson(events, trials)
    return Estimate(value=events / trials if trials else None, low=float(low), high=float(high))


def stats(decisions: Iterable[Decision], feedback: Mapping[str, Feedback]) -> Stats:
    """Returns what decisions, and what was said of them, come to."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("source", "status", "route", "labelled", "right")}
    money: dict[str, list[float]] = {}
    times, seconds, shadowed = [], [], 0
    for decision in decisions:
        for name in ("source", "status", "route"):
            counts[name][getattr(decision, name)] += 1
        times.append(decision.time)
        seconds.append(decision.seconds)
        shadowed += decision.shadow
        if decision.currency is not None:
            spent = (decision.cost, decision.shadow_cost, decision.always_remote, decision.estimated)
            sums = money.setdefault(decision.currency, [0.0] * len(spent))
            money[decision.currency] = [a + (b or 0.0) for a, b in zip(sums, spent, strict=True)]
        said = feedback.get(decision.id)
        right = None if said is None else said.right_of(decision, decision.source)
        if right is not None:
            counts["labelled"][decision.source] += 1
            counts["right"][decision.source] += right
    return Stats(
        decisions=len(times),
        since=min(times, default=None),
        until=max(times, default=None),
        sources=counts["source"],
        statuses=counts["status"],
        routes=counts["route"],
        shadowed=shadowed,
        seconds=tuple(np.quantile(seconds, (0.5, 0.95)).tolist()) if seconds else None,
        money=tuple(
            Money(currency=name, spent=spent, shadow=shadow, always_remote=always, estimated=int(estimated))
            for name, (spent, shadow, always, estimated) in money.items()
        ),
        labelled=counts["labelled"],
        right={source: share(counts["right"][source], n) for source, n in counts["labelled"].items()},
    )
