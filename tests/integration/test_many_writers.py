"""A hundred writers on one Postgres: no decision is lost, and no cap is overshot."""

import asyncio
import time
from concurrent.futures import wait

import postgres
import pytest

from twosup_chain.service.budget import Budget, Caps
from twosup_chain.service.decision import Decision
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.store import Store

pytestmark = [pytest.mark.integration, pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing() or "-")]

WRITERS, EACH = 100, 20


@pytest.fixture(scope="module")
def url():
    with postgres.cluster(connections=2 * WRITERS) as url:
        yield url


@pytest.fixture
def stores(url):
    """As many connections, each with a writer of its own, as as many processes would have."""
    made = [Store(url) for _ in range(WRITERS)]
    yield made
    for store in made:
        store.close()


def test_nothing_is_lost(url, stores):
    logs = [DecisionLog(store) for store in stores]
    kept = [
        log.put(
            Decision(
                id=f"dec_{writer}_{number}",
                route="docs",
                caller=None,
                time=time.time(),
                question="0" * 64,
                source="local",
                status="answered",
                reason="",
                seconds=0.1,
            )
        )
        for number in range(EACH)
        for writer, log in enumerate(logs)
    ]
    assert not wait(kept, timeout=120).not_done
    assert [future.exception() for future in kept if future.exception()] == []
    found = {name for (name,) in Store(url).read("SELECT id FROM decisions")}
    assert found == {f"dec_{writer}_{number}" for writer in range(WRITERS) for number in range(EACH)}


def test_no_cap_is_overshot(url, stores):
    cap, most, cost = 5.0, 0.05, 0.01
    budgets = [Budget(store, Caps(day=cap)) for store in stores]

    async def spend(budget):
        """Pays for calls until there is no money, and puts back what they did not cost."""
        paid = 0
        for _ in range(EACH):
            charge = await asyncio.wrap_future(budget.take(most, route="docs", caller=None))
            if charge.refused is None:
                await asyncio.wrap_future(budget.settle(charge, cost))
                paid += 1
        return paid

    async def everyone():
        return await asyncio.gather(*map(spend, budgets))

    paid = sum(asyncio.run(everyone()))
    (spent,) = budgets[0].spent(route="docs").values()
    assert spent == pytest.approx(paid * cost)
    assert cap - 2 * most <= spent <= cap + 1e-9
