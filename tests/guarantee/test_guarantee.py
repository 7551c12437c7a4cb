"""The guarantee holds in simulation, where the truth is known, for every target; the plug-in choice breaks its word."""

from __future__ import annotations

import numpy as np
import pytest
from simulation import CONFIDENCE, DRAWS, ERROR, HARDER, LEVEL, PASSAGES, SCENARIOS, WORLDS, World, simulate

from twosup_chain import calibrate
from twosup_chain.calibration.sample import Sample
from twosup_chain.calibration.search import divide, find
from twosup_chain.calibration.targets import make_targets
from twosup_chain.errors import InfeasibleTargetError
from twosup_chain.outcomes.decisions import decide

PLUG_IN_DRAWS = min(DRAWS, 200)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_truth_exceeds_the_limit_in_at_most_one_calibration_of_ten(scenario) -> None:
    guaranteed = simulate(scenario, confidence=CONFIDENCE, draws=DRAWS)
    print(f"\n{scenario.name}: {guaranteed}")
    assert guaranteed.exceeded <= LEVEL + ERROR, guaranteed
    plug_in = simulate(scenario, confidence=None, draws=PLUG_IN_DRAWS, seed=1)
    assert plug_in.exceeded > LEVEL + ERROR * (DRAWS / PLUG_IN_DRAWS) ** 0.5, plug_in


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [*HARDER, *PASSAGES], ids=lambda scenario: scenario.name)
def test_so_it_does_with_passages_failures_dear_calls_ties_and_repeated_looks(scenario) -> None:
    guaranteed = simulate(scenario, confidence=CONFIDENCE, draws=DRAWS)
    print(f"\n{scenario.name}: {guaranteed}")
    assert guaranteed.exceeded <= LEVEL + ERROR, guaranteed


@pytest.mark.parametrize("scenario", PASSAGES, ids=lambda scenario: scenario.name)
def test_whole_passages_test_where_it_is_simulated(scenario) -> None:
    outcomes = WORLDS[scenario.world].draw(np.random.default_rng(0), scenario.n)
    tested = outcomes if scenario.others else divide(outcomes, 0)[1]
    targets = make_targets(**scenario.targets)
    assert Sample.of(tested, targets, seed=0, abstention="wrong").whole


@pytest.mark.slow
def test_the_guarantee_is_not_bought_by_refusing_everything() -> None:
    (scenario,) = (s for s in SCENARIOS if s.targets == {"risk": 0.1} and s.n == 2000)
    guaranteed = simulate(scenario, confidence=CONFIDENCE, draws=100)
    plug_in = simulate(scenario, confidence=None, draws=100)
    assert guaranteed.found > 0.95
    assert plug_in.coverage - guaranteed.coverage < 0.15


@pytest.mark.slow
def test_an_infeasible_target_is_refused_and_the_error_says_so() -> None:
    (scenario,) = (s for s in SCENARIOS if s.world == "both models poor")
    rng = np.random.default_rng(3)
    for _ in range(20):
        with pytest.raises(InfeasibleTargetError) as caught:
            calibrate(WORLDS[scenario.world].draw(rng, scenario.n), **scenario.targets, confidence=CONFIDENCE)
        assert set(caught.value.best) == {"risk"}
        assert 0.1 < caught.value.abstention_bound < 0.4


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_is_simulated_is_what_calibrate_does(scenario) -> None:
    outcomes = WORLDS[scenario.world].draw(np.random.default_rng(5), scenario.n)
    targets = make_targets(**scenario.targets)
    seed = int(outcomes.digest, 16)
    found = find(outcomes, targets, confidence=CONFIDENCE, prefer=scenario.prefer, seed=seed)
    options = {**scenario.targets, "confidence": CONFIDENCE, "prefer": scenario.prefer}
    if found.best is None:
        with pytest.raises(InfeasibleTargetError):
            calibrate(outcomes, **options)
    else:
        made = calibrate(outcomes, **options)
        assert (made.local.threshold, made.remote.threshold) == (found.chosen.local, found.chosen.remote)


SINGLE = {name: world for name, world in WORLDS.items() if isinstance(world, World)}


@pytest.mark.parametrize("world", SINGLE.values(), ids=SINGLE.keys())
@pytest.mark.parametrize(("local", "remote"), [(0.5, 0.3), (1.0, 0.0), (0.0, 0.5), (0.31, 0.93)])
def test_the_worlds_have_the_rates_that_they_claim(world, local, remote) -> None:
    drawn = world.draw(np.random.default_rng(0), 400_000)
    decisions = decide(drawn, local, remote)
    escalated, answered = decisions.escalated, decisions.answered
    right = np.where(escalated, drawn.remote_correct, drawn.local_correct)
    truth = world.truth(local, remote)
    measured = {
        "remote_rate": escalated.mean(),
        "coverage": answered.mean(),
        "risk": 1.0 - right[answered].mean(),
        "false_positive_rate": 1.0 - answered[right].mean(),
        "match_remote": drawn.remote_correct.mean() - (right & answered).mean(),
        "budget": 1000 * np.where(escalated, drawn.remote_cost, 0.0).mean(),
    }
    assert measured == pytest.approx(truth, abs=0.01)
