"""Local thresholds tried from the top, without a division: the hosted model's accuracy is kept as promised.

The scores come in all kinds: good, in steps, and traps, where the local model is worst just below its best answers.
"""

from __future__ import annotations

import numpy as np
import pytest
from simulation import CONFIDENCE, DRAWS, ERROR, LEVEL

from twosup_chain.calibration.search import find
from twosup_chain.calibration.targets import make_targets
from twosup_chain.outcomes.outcomes import Outcomes

REMOTE = 0.8

#: How often the local model is right at a score in [0, 1], and in how many steps scores come; 0 for as they are.
LOCAL = {
    "rises": (lambda score: score, 0),
    "rises, in four steps": (lambda score: score, 4),
    "as good as the hosted one, less the margin": (lambda score: np.full_like(score, REMOTE - 0.05), 0),
    "a trap below the best": (lambda score: np.where(score > 0.95, 1.0, np.where(score > 0.7, 0.6, 0.9)), 0),
    "a trap at the top": (lambda score: np.where(score > 0.9, 0.2, 1.0), 0),
    "a trap at the top, in two steps": (lambda score: np.where(score >= 0.5, 0.69, 1.0), 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("n", [150, 500])
@pytest.mark.parametrize("name", LOCAL)
def test_more_than_the_margin_is_lost_in_at_most_one_calibration_of_ten(name, n) -> None:
    right, steps = LOCAL[name]
    margin, rng = 0.05, np.random.default_rng(4)
    targets = make_targets(match_remote=margin)
    score = (np.arange(200_000) + 0.5) / 200_000
    stepped = np.floor(score * steps) / steps if steps else score
    lost = np.cumsum((REMOTE - right(score))[::-1])[::-1] / len(score)  # by what is kept from each score on
    exceeded, calls = 0, []
    for draw in range(DRAWS):
        drawn = rng.random((3, n))
        local = np.floor(drawn[0] * steps) / steps if steps else drawn[0]
        outcomes = Outcomes(
            local_score=local,
            remote_score=rng.random(n),
            local_correct=drawn[1] < right(drawn[0]),
            remote_correct=drawn[2] < REMOTE,
        )
        found = find(outcomes, targets, confidence=CONFIDENCE, prefer="cheapest", seed=draw)
        assert found.method == "from the top"
        first = np.searchsorted(stepped, found.chosen.local.item())
        exceeded += first < len(score) and lost[first] > margin + 1e-4
        calls.append(first / len(score))
    print(f"\n{name}, n = {n}: exceeded in {exceeded / DRAWS:.1%} of {DRAWS}, remote rate {np.mean(calls):.2f}")
    assert exceeded / DRAWS <= LEVEL + ERROR
