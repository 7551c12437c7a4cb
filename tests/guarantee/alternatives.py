"""Searches that were measured and are not built: ``python tests/guarantee/alternatives.py --draws 300``.

**Bets for a budget**, beside Hoeffding–Bentkus. Both take local thresholds from the cheapest on, as `calibrate` does,
and stop at the first that is not shown to keep the budget with 90 %. The bets are a mixture over fixed stakes that the
limit is not exceeded; their p-value is the inverse of the most that the capital ever was (Ville), and grows with the
threshold as every call's cost does.

**A false-positive rate in two steps**: a fifth of the questions chooses the local threshold, the others test hosted
ones from 0 on, beside `calibrate`, where a third orders pairs. The lower the true risk of what is chosen, the better.
"""

from __future__ import annotations

import argparse

import numpy as np
from simulation import CONFIDENCE, WORLDS

from twosup_chain.calibration.search import find
from twosup_chain.calibration.statistics import fixed_sequence, hoeffding_bentkus_p_value
from twosup_chain.calibration.tally import count
from twosup_chain.calibration.targets import make_targets
from twosup_chain.outcomes.outcomes import Outcomes

(FPR,) = make_targets(false_positive_rate=0.05)
BUDGETS = {"weak local model": 0.6, "one call of a hundred is dear": 1.5}
_STAKES = np.linspace(0.02, 0.98, 25)[:, None]
_GRID = np.linspace(0.0, 1.0, 201)


def bets_p_value(shares: np.ndarray, limit: float) -> float:
    """Returns the p-value that the mean of shares in [0, 1], in the order in which they were drawn, exceeds `limit`."""
    wealth = np.log1p(_STAKES / (1.0 - limit) * (limit - shares)).cumsum(axis=1)
    most = wealth.max()
    return float(min(1.0, 1.0 / (np.exp(wealth - most).mean(axis=0).max() * np.exp(most))))


def hoeffding_bentkus(shares: np.ndarray, limit: float) -> float:
    """Returns the p-value that `calibrate` takes."""
    return float(hoeffding_bentkus_p_value(shares.mean(), len(shares), limit))


def budgets(draws: int) -> None:
    """Prints the mean remote rate that each test reaches, and how often it breaks its word."""
    for name, budget in BUDGETS.items():
        world, allowed = WORLDS[name], max(t for t in _GRID if WORLDS[name].truth(t, 0.0)["budget"] <= budget)
        for n in (200, 500, 2000):
            reached = {hoeffding_bentkus: [], bets_p_value: []}
            for draw in range(draws):
                drawn = world.draw(np.random.default_rng(draw), n)
                for test, thresholds in reached.items():
                    low, high = 0, len(_GRID)  # p-values ascend: the last one that is low enough is found by halves
                    while high - low > 1:
                        middle = (low + high) // 2
                        shares = drawn.remote_cost * (drawn.local_score < _GRID[middle]) / drawn.max_call_cost
                        kept = test(shares, budget / 1000 / drawn.max_call_cost) <= 1.0 - CONFIDENCE
                        low, high = (middle, high) if kept else (low, middle)
                    thresholds.append(_GRID[low])
            cells = [
                f"{test.__name__}: {np.mean(found):.3f} (broken {np.mean(np.array(found) > allowed):.1%})"
                for test, found in reached.items()
            ]
            print(f"{name}, budget {budget:g}, n = {n:,}, at most {allowed:.3f}", *cells, sep=" | ", flush=True)


def ordered(drawn: Outcomes, draw: int) -> tuple[float, float]:
    """Returns the thresholds that `calibrate` takes."""
    chosen = find(drawn, [FPR], confidence=CONFIDENCE, prefer="safest", seed=draw).chosen
    return chosen.local.item(), chosen.remote.item()


def in_two_steps(drawn: Outcomes, draw: int) -> tuple[float, float]:
    """Returns a local threshold that a fifth chooses, and the last hosted one that the others do not refuse."""
    first = np.arange(len(drawn)) < len(drawn) // 5
    local = find(drawn.take(first), [FPR], confidence=None, prefer="safest", seed=draw).chosen.local
    tally = count(drawn.take(~first), np.atleast_1d(local), _GRID).flat()
    kept = fixed_sequence(FPR.p_value(tally, 1.0 - CONFIDENCE), 1.0 - CONFIDENCE)
    return local.item(), float(_GRID[max(kept - 1, 0)])


def false_positive_rates(draws: int) -> None:
    """Prints the mean true risk of what each search chooses, and how often it breaks its word."""
    for name in ("informative scores", "remote score at chance"):
        for n in (300, 1000):
            cells = []
            for search in (ordered, in_two_steps):
                pairs = (search(WORLDS[name].draw(np.random.default_rng(d), n), d) for d in range(draws))
                truths = [WORLDS[name].truth(*pair) for pair in pairs]
                broken = np.mean([truth["false_positive_rate"] > FPR.limit for truth in truths])
                cells.append(f"{search.__name__}: {np.mean([t['risk'] for t in truths]):.3f} (broken {broken:.1%})")
            print(f"{name}, {FPR}, n = {n:,}: true risk", *cells, sep=" | ", flush=True)


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=300)
    draws = parser.parse_args().draws
    budgets(draws)
    false_positive_rates(draws)


if __name__ == "__main__":
    main()
