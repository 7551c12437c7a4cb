from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from twosup_chain.errors import ConfigurationError
from twosup_chain.service.budget import Budget, Caps
from twosup_chain.service.store import Store

CAP, CALLS, COST = 1.0, 200, 0.03


def take(budget, amount, caller="a", route="r"):
    return budget.take(amount, route=route, caller=caller).result()


def test_two_hundred_calls_at_once_from_several_processes_stores_never_overshoot(where):
    budgets = [Budget(Store(where), Caps(day=CAP, caller_month=0.5)) for _ in range(4)]
    with ThreadPoolExecutor(CALLS) as threads:
        charges = list(threads.map(lambda i: take(budgets[i % 4], COST, caller="ab"[i % 2]), range(CALLS)))
    paid = [charge for charge in charges if charge.refused is None]
    assert len(paid) == 32  # sixteen of each caller, 0.96 in all
    assert budgets[0].spent(route="r", caller="a") == pytest.approx({"day": 0.96, "caller_month": 0.48})


def test_what_a_call_did_not_cost_is_there_for_the_next(store):
    budget = Budget(store, Caps(day=CAP))
    first = take(budget, 0.9)
    assert "has 0.1 left" in take(budget, 0.2).refused
    budget.settle(first, 0.05)
    assert take(budget, 0.2).refused is None
    assert budget.spent(route="r") == pytest.approx({"day": 0.25})


def test_what_is_refused_takes_nothing_from_any_purse(store):
    budget = Budget(store, Caps(day=10.0, caller_day=0.1))
    assert take(budget, 0.5).refused
    assert budget.spent(route="r", caller="a") == {"day": 0.0, "caller_day": 0.0}


def test_routes_and_callers_have_purses_of_their_own(store):
    budget = Budget(store, Caps(day=CAP, caller_day=0.6))
    assert take(budget, 0.6, "a").refused is None
    assert take(budget, 0.1, "a").refused
    assert take(budget, 0.4, "b").refused is None
    assert take(budget, 0.1, "c").refused
    assert take(budget, 0.6, "a", route="other").refused is None


def test_a_cap_of_nothing_lets_nothing_pass_but_what_is_free(store):
    budget = Budget(store, Caps(month=0.0))
    assert take(budget, 0.001).refused
    assert take(budget, 0.0).refused is None


def test_caps_without_a_cap_are_an_error():
    with pytest.raises(ConfigurationError, match="caller_month="):
        Caps()
