"""The status page: who answered today, what it cost, are promises kept; ``status.html.jinja`` is its words."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from twosup_chain._version import __version__
from twosup_chain.calibration.measures import written
from twosup_chain.evaluation.page import environment
from twosup_chain.service.day import Day
from twosup_chain.service.route import Route
from twosup_chain.service.stats import Stats
from twosup_chain.service.watch import LogReport, interval

#: Who may have answered, and what the page calls them.
SOURCES = {"local": "local model", "remote": "hosted model", "fallback": "fallback", "none": "no answer"}
#: What each is drawn as, by the classes of the style.
_CLASSES = {"local": "local", "remote": "remote", "fallback": "weighed", "none": "open"}


def status_page(routes: Mapping[str, Route], days: Iterable[Day]) -> str:
    """Returns the page as an HTML document that needs nothing else."""
    known = {day.route: day for day in days}
    template = environment("twosup_chain.service").get_template("status.html.jinja")
    return template.render(
        now=datetime.now(UTC),
        routes=[_route(name, route, known.get(name)) for name, route in routes.items()],
        sources=SOURCES,
        classes=_CLASSES,
        version=__version__,
    )


def _route(name: str, route: Route, day: Day | None) -> dict[str, Any]:
    currency = None if route.calibration is None else route.calibration.currency
    return {
        "name": name,
        "day": day,
        "logged": route.log is not None,
        "cards": [] if day is None else _cards(day.stats),
        "breaker": None if route.breaker is None else route.breaker.state.replace("_", " "),
        "promised": route.calibration is not None,
        "priced": route.price is not None,
        "promises": [] if not day or not day.promises else _watched(day.promises, currency),
        "share": lambda source: 0.0 if not day or not day.stats.decisions else _share(day.stats, source),
        "clock": lambda seconds: f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}",
    }


def _cards(found: Stats) -> list[tuple[str, str, str]]:
    """Returns name, figure and remark of what is said first."""
    here, asked = found.sources.get("local", 0), max(found.decisions, 1)
    cards = [
        ("Questions", f"{found.decisions:,}", "since midnight, UTC"),
        ("Answered here", f"{here / asked:.0%}", f"{here:,} by the local model"),
        ("No answer", f"{found.sources.get('none', 0) / asked:.0%}", "nobody could be trusted, or a call failed"),
    ]
    if found.seconds is not None:
        half, most = found.seconds
        cards.append(("Time", f"{half * 1e3:,.0f} ms", f"the median; 95 % within {most * 1e3:,.0f} ms"))
    for money in found.money:
        saved = money.always_remote - money.spent
        about = "about " if money.estimated else ""
        said = f"always the hosted model: {money.always_remote:.4f}, {saved:.4f} less"
        cards.append((f"Cost, {money.currency}", f"{about}{money.spent:.4f}", said))
    return cards


def _share(found: Stats, source: str) -> float:
    return 100.0 * found.sources.get(source, 0) / found.decisions


def _watched(report: LogReport, currency: str | None) -> list[tuple[str, str, str, str]]:
    """Returns of each promise its name, its limit, what is known of it, and whether it is kept."""
    rows = []
    for promise in report.promises:
        write = partial(written, unit=promise.unit, currency=currency)
        low, high = interval(promise)
        between = "" if low is None else f" ({write(low)} to {write(high)})"
        known = f"{write(promise.value)}{between} of {promise.questions:,}"
        rows.append((promise.label, write(promise.limit), known, report.said(promise)))
    return rows
