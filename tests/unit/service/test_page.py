"""The status page says who answered today, what it cost, and whether promises are kept; what is foreign is escaped."""

from __future__ import annotations

import threading
from dataclasses import replace
from time import time

import pytest
from serving import ask, route, serve

from twosup_chain import Price
from twosup_chain.service import day
from twosup_chain.service.day import Today, day_of, midnight
from twosup_chain.service.decision import Decision
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.page import status_page


def decision(source="local", status="answered", **more):
    known = {"id": f"dec_{time()}{source}{len(more)}", "route": "docs", "caller": None, "time": time(), "seconds": 0.01}
    told = {"question": "0" * 64, "reason": "<script>", "source": source, "status": status}
    return Decision(**{**known, **told, **more})


@pytest.fixture
def log(tmp_path):
    made = DecisionLog(tmp_path / "log.db")
    yield made
    made.store.close()


def shown(made, log, *decisions):
    for made_decision in decisions:
        log.put(made_decision).result()
    found = day_of(made, log)
    return found, status_page({"docs": made}, [found])


def test_who_answered_and_what_it_cost(log) -> None:
    made = replace(route("x"), sinks=(log,), price=Price(1.0, 1.0, "EUR"))
    money = {"currency": "EUR", "cost": 0.5, "always_remote": 2.0}
    decisions = [
        decision(),
        decision(**money),
        decision("remote", stages={"remote": 0.3}),
        decision("none", "untrusted"),
    ]
    old = decision(time=midnight() - 60.0, id="dec_of_yesterday")
    found, page = shown(made, log, *decisions, old)
    assert found.stats.decisions == 4
    for words in ("hosted model: 1", "no answer: 1", "Cost, EUR", "0.5000", "1.5000 less", "50%"):
        assert words in page
    assert "dec_of_yesterday" not in page
    assert "<script>" not in page


def test_what_is_not_known_is_said(log) -> None:
    with serve(route()) as served:
        page = served.get("/").text
        ask(served)
    assert "keeps no log" in page
    _, page = shown(replace(route(), sinks=(log,)), log)
    assert "No price is given" in page
    assert "Nothing is promised" in page


async def test_a_log_that_takes_long_to_read_is_not_waited_for(log, monkeypatch) -> None:
    made, go = replace(route(), sinks=(log,)), threading.Event()
    monkeypatch.setattr(day, "PATIENCE", 0.01)
    monkeypatch.setattr(day, "day_of", lambda *given: go.wait(5) and day_of(*given))
    today = Today([made])
    assert await today.days() == []
    assert "The log is being read" in status_page({"docs": made}, [])
    go.set()
    monkeypatch.setattr(day, "PATIENCE", 5.0)
    assert [found.route for found in await today.days()] == ["docs"]
