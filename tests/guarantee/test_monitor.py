"""A monitor keeps its word at every moment at once, and is compared with MAPIE's `RiskMonitoring`."""

from __future__ import annotations

import numpy as np
import pytest
from simulation import DRAWS

from twosup_chain.calibration.betting import Evidence, distance_at_any_time, mean_at_any_time

ALARM = 0.05
ERROR = 3.0 * float(np.sqrt(ALARM * (1.0 - ALARM) / DRAWS))
LOOKS = 1_500

KEPT = {
    "at the limit": (0.1, lambda rng: rng.random((DRAWS, LOOKS)) < 0.1),
    "a rare event at the limit": (0.02, lambda rng: rng.random((DRAWS, LOOKS)) < 0.02),
    "a mean that moves below the limit": (
        0.2,
        lambda rng: rng.random((DRAWS, LOOKS)) < 0.1 * (1 + np.sin(np.arange(LOOKS) / 50)),
    ),
    "heavy prices": (0.05, lambda rng: np.where(rng.random((DRAWS, LOOKS)) < 0.01, 1.0, 0.04 / 0.99)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", KEPT)
def test_a_kept_promise_is_ever_called_broken_as_seldom_as_promised(name) -> None:
    limit, draw = KEPT[name]
    evidence = Evidence(limit)
    for values in draw(np.random.default_rng(0)).astype(float).T:
        evidence.add(values)
    alarms = float(np.mean(evidence.peak >= 1.0 / ALARM))
    print(f"\n{name}: alarms in {alarms:.1%} of {DRAWS} streams of {evidence.count}")
    assert alarms <= ALARM + ERROR


@pytest.mark.slow
def test_the_interval_holds_at_all_looks_where_one_for_a_single_look_does_not() -> None:
    draws, looks = min(DRAWS, 200), range(20, 600, 10)
    rng = np.random.default_rng(1)
    missed = {"at any time": 0, "at one look": 0}
    for _ in range(draws):
        values = rng.random(600) < 0.2
        means = np.array([values[:n].mean() for n in looks])
        error = 1.96 * np.sqrt(means * (1 - means) / np.array(looks))
        missed["at one look"] += bool(np.any(np.abs(means - 0.2) > error))
        missed["at any time"] += any(
            not low <= 0.2 <= high for low, high in (mean_at_any_time(values[:n]) for n in looks)
        )
    print(f"\nmissed at some of {len(looks)} looks: { ({name: n / draws for name, n in missed.items()}) }")
    assert missed["at any time"] / draws <= ALARM + 3.0 * np.sqrt(ALARM * (1 - ALARM) / draws)
    assert missed["at one look"] / draws > 0.2


@pytest.mark.slow
def test_trust_that_does_not_drift_is_never_further_away_than_chance_explains() -> None:
    draws, looks = min(DRAWS, 500), np.arange(10, LOOKS, 10)
    rng = np.random.default_rng(2)
    bound = np.array([distance_at_any_time(int(n), ALARM) for n in looks])
    points = np.linspace(0.0, 1.0, 64)
    exceeded = 0
    for _ in range(draws):
        below = np.cumsum(rng.random(LOOKS)[:, None] <= points, axis=0)[looks - 1]
        exceeded += bool(np.any(np.abs(below / looks[:, None] - points).max(axis=1) > bound))
    assert exceeded / draws <= ALARM + ERROR


@pytest.mark.slow
def test_a_broken_promise_is_noticed_no_later_than_by_mapie() -> None:
    """Both hold the limit 0.1 at 5 %; MAPIE spends half of its level on a reference set, so it is given 10 %."""
    mapie = pytest.importorskip("mapie.exchangeability_testing")
    rng, limit, draws, most = np.random.default_rng(3), 0.1, 20, 2_000
    for rate in (0.2, 0.15):
        ours, theirs = [], []
        for _ in range(draws):
            values = (rng.random(most) < rate).astype(int)
            evidence = Evidence(limit)
            for value in values:
                evidence.add(value)
                if evidence.peak >= 1.0 / ALARM:
                    break
            ours.append(evidence.count)
            peer = mapie.RiskMonitoring("accuracy", test_level=2 * ALARM, threshold=limit, warn=False)
            peer.update(np.zeros(most, int), values)  # wrong where the prediction is 1
            over = np.flatnonzero(peer.online_risk_lower_bound_sequence_history > limit)
            theirs.append(int(over[0]) + 1 if over.size else most)
        print(f"\nrate {rate}: noticed after {np.median(ours):.0f} questions, by MAPIE after {np.median(theirs):.0f}")
        assert np.median(ours) <= np.median(theirs)
