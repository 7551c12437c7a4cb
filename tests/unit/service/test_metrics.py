"""What Prometheus reads: decisions by source, status and reason, scores, tokens, cost, seconds by stage, breakers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from langchain_core.messages import AIMessage
from serving import ask, route, samples, serve

from twosup_chain import Price
from twosup_chain.service.breaker import Breaker
from twosup_chain.service.gate import RemoteGate


def test_decisions_are_counted_by_source_status_and_reason() -> None:
    with serve(route("Grace", "bad", never_escalate={"metadata": {"private": "yes"}})) as served:
        ask(served)
        ask(served, "Who")
        ask(served, "Who")
        ask(served, "Who", metadata={"private": "yes"})
        found = samples(served)
    reasons = {key[1:] for key in found if key[0] == "twosup_decisions_total"}
    assert reasons == {
        ("answered", "docs", "local", "local trusted"),
        ("answered", "docs", "remote", "remote trusted"),
        ("docs", "none", "remote untrusted", "untrusted"),
        ("docs", "kept local", "none", "untrusted"),
    }
    assert found["twosup_score_count", "docs", "local"] == 4
    assert found["twosup_seconds_count", "docs", "request"] == 4
    assert found["twosup_seconds_count", "docs", "local"] == 4
    assert found["twosup_seconds_count", "docs", "remote"] == 2


def test_tokens_and_money_are_counted_where_they_are_known() -> None:
    cost = {"input_tokens": 1_000_000, "output_tokens": 0, "total_tokens": 1_000_000}
    priced = replace(route(AIMessage("Grace", usage_metadata=cost)), price=Price(2.0, 4.0, "EUR"))
    with serve(priced) as served:
        ask(served, "Who")
        found = samples(served)
    assert found["twosup_tokens_total", "docs", "input_tokens", "remote"] == 1_000_000
    assert found["twosup_cost_total", "EUR", "docs"] == pytest.approx(2.0)
    assert served.decisions[0].cost == pytest.approx(2.0)


def test_a_breaker_that_is_open_is_seen() -> None:
    def dead(asked):
        raise ConnectionError

    gate = RemoteGate(breaker=Breaker(failures=2, seconds=60.0), retries=0)
    with serve(route(remote=dead, gate=gate)) as served:
        assert samples(served)["twosup_breaker", "docs"] == 0
        for _ in range(3):
            ask(served, "Who")
        found = samples(served)
    assert found["twosup_breaker", "docs"] == 2
    assert found["twosup_decisions_total", "docs", "none", "remote failed", "untrusted"] == 2
    assert found["twosup_decisions_total", "docs", "none", "remote withheld", "untrusted"] == 1


def test_refused_requests_are_counted_by_path_and_code() -> None:
    with serve(route()) as served:
        ask(served, n=2)
        assert samples(served)["twosup_refused_total", "/v1/chat/completions", "400"] == 1
