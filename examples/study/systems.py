"""The table of whole systems, and their curves over the share of hosted calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from study.rivals import (
    Cascade,
    Margin,
    Pair,
    crossfitted,
    least,
    mean,
    oracle_router,
    random_routing,
    span_softmax,
)
from study.system import System
from twosup_chain.curves import augrc
from twosup_chain.errors import InfeasibleTargetError
from twosup_chain.outcomes.price import Price

if TYPE_CHECKING:
    from study.ours import Ours
    from study.questions import Questions
    from study.resampling import Resamples
    from study.rivals import Rule
    from twosup_chain.outcomes.outcomes import Floats

#: What a hosted call costs: an assumption, stated with every figure.
PRICE = Price(input=2.50, output=10.00, currency="USD")
#: The shares of hosted calls that the curves are drawn at, and those of the tables.
BUDGETS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0)
LIMIT, LOW = 0.4, 0.2
#: The selective risk that the careful variant of ours is calibrated for.
RISK = 0.25
_EVERY = 5  # AUGRC takes a fifth of the draws


def alone(questions: Questions) -> list[System]:
    """Returns the models alone: the reader, the hosted one, the small generative model where it was recorded."""
    kept, asked = (0.0, 0.0), (np.inf, 0.0)
    reader, remote = (
        questions.reader.trusted(span_softmax(questions)),
        questions.remote.trusted(least(questions.remote)),
    )
    found = [
        System.of("local only (reader)", questions.answerable, reader, remote, kept),
        System.of("remote only (1.5B)", questions.answerable, reader, remote, asked),
    ]
    if questions.small is not None:
        small = questions.small.trusted(mean(questions.small))
        found.append(System.of("local only (0.5B)", questions.answerable, small, remote, kept))
    return found


def fixed_rules(questions: Questions) -> list[Rule]:
    """Returns the rivals that bring a way of their own to set the threshold."""
    rules: list[Rule] = [Pair("f1"), Pair("fpr"), Cascade("reader"), Margin("reader")]
    return [*rules, Cascade("small"), Margin("small")] if questions.small is not None else rules


def curve_rules(questions: Questions) -> list[Rule]:
    """Returns the rivals with a threshold that is fitted to a budget."""
    rules: list[Rule] = [Pair("f1"), Pair("none"), Cascade("reader", fixed=False), Margin("reader", target=False)]
    small: list[Rule] = [Cascade("small", fixed=False), Margin("small", target=False)]
    return [*rules, *small] if questions.small is not None else rules


def systems_table(questions: Questions, ours: Ours, resamples: Resamples) -> dict[str, Any]:
    """Returns the figures of every system, and by how much ours differs from each."""
    best = ours.within(LIMIT)
    rivals = [
        *alone(questions),
        random_routing(questions, best.remote_rate).named("random routing (as many calls as ours)"),
        *(crossfitted(rule, questions, LIMIT) for rule in fixed_rules(questions)),
    ]
    oracle = oracle_router(questions).named("oracle router (not a rule: it knows the answers)")
    careful = _careful(ours)
    mine = [ours.without_calls(), ours.within(LOW), best, *careful]
    return {
        "price": PRICE.model_dump(),
        "rows": [_row(system, questions, resamples) for system in (*rivals, *mine, oracle)],
        "ours": best.name,
        "infeasible": None if careful else f"a selective risk of at most {RISK:.0%} with at most {LIMIT:.0%} calls",
        "ours_less": {rival.name: _differences(best, rival, resamples) for rival in rivals},
    }


def curves_table(questions: Questions, ours: Ours, resamples: Resamples) -> dict[str, Any]:
    """Returns F1 and exact match of every rule at every budget, and ours against the best point of each rival.

    The rivals' best point is picked by its F1 on the very questions that it is judged on, which flatters them.
    """
    mine = [ours.without_calls(), *(ours.within(rate) for rate in BUDGETS if 0.0 < rate < 1.0)]
    best = ours.within(LIMIT)
    rules: dict[str, list[System]] = {
        rule.name: [crossfitted(rule, questions, budget) for budget in BUDGETS] for rule in curve_rules(questions)
    }
    for rule in fixed_rules(questions):
        rules.setdefault(rule.name, []).append(crossfitted(rule, questions, LIMIT))
    rules["random routing"] = [random_routing(questions, rate) for rate in BUDGETS]
    flattered = {}
    for name, found in rules.items():
        allowed = [system for system in found if system.remote_rate <= best.remote_rate]
        if allowed:
            rival = max(allowed, key=lambda system: system.f1.mean())
            flattered[name] = {"calls": rival.remote_rate, **_differences(best, rival, resamples)}
    oracle = [oracle_router(questions, budget) for budget in BUDGETS]
    return {
        "ours": [_point(system, resamples) for system in mine],
        "rules": {name: [_point(system, resamples) for system in found] for name, found in rules.items()},
        "oracle": [_point(system, resamples) for system in oracle],
        "ours_less_best_at_no_more_calls": flattered,
    }


def _careful(ours: Ours) -> list[System]:
    """Returns our rule with a limit on its selective risk, unless no thresholds are known to keep it."""
    try:
        name = f"ours (risk at most {RISK:.0%}, at most {LIMIT:.0%} calls)"
        return [ours.calibrated(name, risk=RISK, remote_rate=LIMIT, prefer="coverage")]
    except InfeasibleTargetError:
        return []


def _row(system: System, questions: Questions, resamples: Resamples) -> dict[str, Any]:
    tokens, cost = _spent(system, questions)
    wrong = 1.0 - system.right
    ranked = bool(np.isfinite(system.trust).all())
    return {
        "name": system.name,
        "exact_match": resamples.mean(system.exact_match),
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


def _spent(system: System, questions: Questions) -> tuple[Floats, Floats]:
    """Returns the hosted model's tokens and cost, a question."""
    read, written = questions.remote.made.input_tokens, questions.remote.made.output_tokens
    return system.called * (read + written), system.called * PRICE.of(read, written)


def _differences(mine: System, rival: System, resamples: Resamples) -> dict[str, Any]:
    return {
        "f1": resamples.mean(mine.f1 - rival.f1),
        "exact_match": resamples.mean(mine.exact_match - rival.exact_match),
    }


def _point(system: System, resamples: Resamples) -> dict[str, Any]:
    return {
        "remote_rate": system.remote_rate,
        "f1": resamples.mean(system.f1),
        "exact_match": resamples.mean(system.exact_match),
    }
