"""A search that was measured and is not built: ``python tests/guarantee/alternatives.py --draws 300``.

**A false-positive rate in two steps**: a fifth of the questions chooses the local threshold, the others test hosted
ones from 0 on, beside `calibrate`, where a third orders pairs. The lower the true risk of what is chosen, the better.
"""

from __future__ import annotations

import argparse

import numpy as np
from simulation import CONFIDENCE, WORLDS

from twosup_chain.calibration.search import find
from twosup_chain.calibration.statistics import fixed_sequence
from twosup_chain.calibration.tally import count
from twosup_chain.calibration.targets import make_targets
from twosup_chain.outcomes.outcomes import Outcomes

(FPR,) = make_targets(false_positive_rate=0.05)
_GRID = np.linspace(0.0, 1.0, 201)


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
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=300)
    false_positive_rates(parser.parse_args().draws)


if __name__ == "__main__":
    main()
