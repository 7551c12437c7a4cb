"""``guarantee="mean"`` keeps the risk on average over calibrations, and only on average."""

from __future__ import annotations

import numpy as np
import pytest
from simulation import DRAWS, WORLDS

from twosup_chain.calibration.average import find_on_average
from twosup_chain.calibration.targets import make_targets

SETTINGS = [
    ("informative scores", 100, 0.1),
    ("informative scores", 500, 0.1),
    ("scores in eight steps", 200, 0.12),
    ("remote score at chance", 200, 0.1),
    ("weak local model", 100, 0.2),
    ("both models poor", 30, 0.2),
    ("both models poor", 500, 0.2),
]


@pytest.mark.slow
@pytest.mark.parametrize("ordered", [False, True], ids=["split", "order"])
@pytest.mark.parametrize(("world", "n", "limit"), SETTINGS)
def test_the_risk_averaged_over_calibrations_is_at_most_the_limit(world, n, limit, ordered) -> None:
    drawn, rng, targets = WORLDS[world], np.random.default_rng(0), make_targets(risk=limit)
    risks, coverages, weighed = [], [], []
    for draw in range(DRAWS):
        outcomes, order = drawn.draw(rng, n), drawn.draw(rng, 500) if ordered else None
        found = find_on_average(outcomes, targets, prefer="coverage", seed=draw, order=order)
        truth = {"risk": 0.0, "coverage": 0.0}
        share = 1.0
        if found.best is not None:
            truth = drawn.truth(found.chosen.local.item(), found.chosen.remote.item())
            share = found.chosen.answered.item() / found.chosen.n
        risks.append(truth["risk"])
        coverages.append(truth["coverage"])
        weighed.append(truth["risk"] * truth["coverage"] / share)  # what the proof is about
    error = 3.0 * float(np.std(weighed)) / DRAWS**0.5
    broken = float(np.mean(np.array(risks) > limit))
    print(
        f"\n{world}, n = {n}, risk ≤ {limit}: mean {np.mean(risks):.4f} ({np.mean(weighed):.4f}), above it in "
        f"{broken:.0%}, coverage {np.mean(coverages):.3f}"
    )
    assert np.mean(weighed) <= limit + error
    assert np.mean(risks) <= limit + error
