"""The table of whole systems, and their curves over the share of hosted calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from study.ours import WORTHS
from study.rivals import (
    Cascade,
    Margin,
    Pair,
    crossfitted,
    mean_probability,
    oracle_router,
    random_routing,
    span_softmax,
)
from study.system import System
from twosup_chain.curves import augrc
from twosup_chain.errors import InfeasibleTargetError
from twosup_chain.outcomes.price import Price

if TYPE_CHECKING:
    from study.columns import Columns, Floats
    from study.ours import Ours
    from study.resampling import Resamples
    from study.rivals import Rule

#: What a hosted call costs: an assumption, stated with every figure.
PRICE = Price(input=2.50, output=10.00, currency="USD")
#: The shares of hosted calls that the curves are drawn at, and those of the tables.
BUDGETS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0)
LIMIT, LOW = 0.4, 0.2
#: The selective risk that the careful variant of ours is calibrated for.
RISK = 0.3
_EVERY = 5  # AUGRC takes a fifth of the draws


def alone(columns: Columns) -> list[System]:
    """Returns the models alone: the reader, the small generative model where it was recorded, the hosted one."""
    nobody = np.zeros(len(columns), dtype=bool)
    trust = {"local_trust": span_softmax(columns), "remote_trust": columns.remote.least}
    found = [
        System.of("local only (reader)", columns, columns.reader, escalated=nobody, **trust),
        System.of("remote only (1.5B)", columns, columns.reader, escalated=~nobody, **trust),
    ]
    if has_small(columns):
        small = {**trust, "local_trust": mean_probability(columns, "small")}
        found.append(System.of("local only (0.5B)", columns, columns.small, escalated=nobody, **small))
    return found


def fixed_rules(columns: Columns) -> list[Rule]:
    """Returns the rivals that bring a way of their own to set the threshold."""
    rules: list[Rule] = [Pair("f1"), Pair("fpr"), Cascade("reader"), Margin("reader")]
    return [*rules, Cascade("small"), Margin("small")] if has_small(columns) else rules


def curve_rules(columns: Columns) -> list[Rule]:
    """Returns the rivals with a threshold that is fitted to a budget."""
    rules: list[Rule] = [Pair("f1"), Pair("none"), Cascade("reader", fixed=False), Margin("reader", target=False)]
    small: list[Rule] = [Cascade("small", fixed=False), Margin("small", target=False)]
    return [*rules, *small] if has_small(columns) else rules


def has_small(columns: Columns) -> bool:
    """Whether the small generative model was recorded on these questions."""
    return bool(np.isfinite(columns.small.exact).all())


def systems_table(columns: Columns, ours: Ours, resamples: Resamples) -> dict[str, Any]:
    """Returns the figures of every system, and by how much ours differs from each."""
    best = ours.within(LIMIT)
    rivals = [
        *alone(columns),
        random_routing(columns, best.remote_rate).named("random routing (as many calls as ours)"),
        *(crossfitted(rule, columns, LIMIT) for rule in fixed_rules(columns)),
    ]
    oracle = oracle_router(columns).named("oracle router (not a rule: it knows the answers)")
    careful = _careful(ours)
    mine = [ours.without_calls(), *(ours.within(rate, by) for by in WORTHS for rate in (LOW, LIMIT)), *careful]
    return {
        "price": PRICE.model_dump(),
        "rows": [_row(system, columns, resamples) for system in (*rivals, *mine, oracle)],
        "ours": best.name,
        "infeasible": None if careful else f"a selective risk of at most {RISK:.0%} with at most {LIMIT:.0%} calls",
        "ours_less": {rival.name: _differences(best, rival, resamples) for rival in rivals},
    }


def curves_table(columns: Columns, ours: Ours, resamples: Resamples) -> dict[str, Any]:
    """Returns F1 and exact match of every rule at every budget, and ours against the best point of each rival.

    The rivals' best point is picked by its F1 on the very questions that it is judged on, which flatters them.
    """
    mine = {
        by: [
            _point(ours.within(rate, by) if rate else ours.without_calls(), resamples) for rate in BUDGETS if rate < 1.0
        ]
        for by in WORTHS
    }
    best = ours.within(LIMIT)
    rules: dict[str, list[System]] = {
        rule.name: [crossfitted(rule, columns, budget) for budget in BUDGETS] for rule in curve_rules(columns)
    }
    for rule in fixed_rules(columns):
        rules.setdefault(rule.name, []).append(crossfitted(rule, columns, LIMIT))
    rules["random routing"] = [random_routing(columns, rate) for rate in BUDGETS]
    flattered = {}
    for name, found in rules.items():
        allowed = [system for system in found if system.remote_rate <= best.remote_rate]
        if allowed:
            rival = max(allowed, key=lambda system: system.f1.mean())
            flattered[name] = {"calls": rival.remote_rate, **_differences(best, rival, resamples)}
    oracle = [oracle_router(columns, budget) for budget in BUDGETS]
    return {
        "ours": mine,
        "rules": {name: [_point(system, resamples) for system in found] for name, found in rules.items()},
        "oracle": [_point(system, resamples) for system in oracle],
        "ours_less_best_at_no_more_calls": flattered,
    }


def _careful(ours: Ours) -> list[System]:
    """Returns our rule with a limit on its selective risk, unless no thresholds are known to keep it."""
    try:
        return [ours.with_risk(RISK, LIMIT)]
    except InfeasibleTargetError:
        return []


def _row(system: System, columns: Columns, resamples: Resamples) -> dict[str, Any]:
    tokens, cost = _spent(system, columns)
    wrong = 1.0 - system.right
    ranked = bool(np.isfinite(system.trust).all())
    return {
        "name": system.name,
        "exact": resamples.mean(system.exact),
        "f1": resamples.mean(system.f1),
        "remote_rate": resamples.mean(system.called),
        "coverage": resamples.mean(system.answered.astype(np.float64)),
        "risk": resamples.ratio(np.where(system.answered, wrong, 0.0), system.answered),
        "augrc": resamples.of(lambda rows: augrc(system.trust[rows], system.right[rows]), every=_EVERY)
        if ranked
        else None,
        "tokens": resamples.mean(tokens),
        "cost": resamples.mean(1000.0 * cost),
    }


def _spent(system: System, columns: Columns) -> tuple[Floats, Floats]:
    """Returns the hosted model's tokens and cost, a question."""
    read, written = columns.remote.input_tokens, columns.remote.output_tokens
    return system.called * (read + written), system.called * PRICE.of(read, written)


def _differences(mine: System, rival: System, resamples: Resamples) -> dict[str, Any]:
    return {"f1": resamples.mean(mine.f1 - rival.f1), "exact": resamples.mean(mine.exact - rival.exact)}


def _point(system: System, resamples: Resamples) -> dict[str, Any]:
    return {
        "remote_rate": system.remote_rate,
        "f1": resamples.mean(system.f1),
        "exact": resamples.mean(system.exact),
    }
