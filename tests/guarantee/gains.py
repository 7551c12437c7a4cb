"""What bets show beyond exact tests: ``python tests/guarantee/gains.py --draws 300`` prints both tables in Markdown.

**Whole passages**, instead of one question of each: the mean true coverage (or remote rate) over calibrations, 0 where
none is found. **Costs of single calls**, instead of Hoeffding–Bentkus on their mean: the mean true remote rate.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from unittest.mock import patch

import numpy as np
from simulation import CONFIDENCE, WORLDS, Scenario, simulate

from twosup_chain.calibration import sample
from twosup_chain.calibration.targets import Budget

PASSAGES = [(16, 9, 0.3), (50, 5, 0.2), (200, 5, 0.1)]
BUDGETS = [("weak local model", 0.6), ("one call of a hundred is dear", 1.5)]


def reached(scenario: Scenario, draws: int, before: Callable[[], AbstractContextManager]) -> list[str]:
    """Returns what is reached before and now, with the share of broken promises."""
    measured = "remote_rate" if {"remote_rate", "budget"} & scenario.targets.keys() else "coverage"
    cells = []
    for how in (before, nullcontext):
        with how():
            found = simulate(scenario, confidence=CONFIDENCE, draws=draws)
        cells.append(f"{np.nan_to_num(getattr(found, measured)) * found.found:.2f} ({found.exceeded:.1%})")
    return cells


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=300)
    draws = parser.parse_args().draws
    print("| passages | alike | target | one question of each | all questions |\n|---|---|---|---|---|")
    for passages, size, risk in PASSAGES:
        words = {5: "five", 9: "nine"}[size]
        for alike in ("hardly", "much"):
            world = f"{words} questions a passage, {alike} alike"
            for targets, others in (({"risk": risk}, 0), ({"risk": risk}, 500), ({"remote_rate": 0.5}, 0)):
                prefer = "coverage" if "risk" in targets else "accuracy"
                scenario = Scenario(world, passages * size, targets, prefer, others=others)
                cells = reached(scenario, draws, lambda: patch.object(sample, "_LEAST_SIZE", np.inf))
                limits = " ".join(f"{name} ≤ {limit:g}" for name, limit in targets.items())
                order = ", `order=`" if others else ""
                print(f"| {passages} × {size} | {alike} | {limits}{order} | {' | '.join(cells)} |", flush=True)
    print("\n| budget | affordable | n | Hoeffding–Bentkus | bets |\n|---|---|---|---|---|")
    for name, budget in BUDGETS:
        affordable = max(t for t in np.linspace(0, 1, 201) if WORLDS[name].truth(t, 0.0)["budget"] <= budget)
        for n in (100, 200, 500, 2_000):
            scenario = Scenario(name, n, {"budget": budget}, "accuracy")
            cells = reached(scenario, draws, lambda: patch.object(Budget, "bets", new=False))
            print(f"| {budget:g}, {name} | {affordable:.2f} | {n:,} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
