"""Does the guarantee hold? Draws of labelled questions from models whose true rates are known in closed form.

For each scenario it calibrates many draws, with a guarantee and by plug-in, and counts how often the truth exceeds the
limit. ``python tests/guarantee/figure.py`` draws the result; `test_guarantee` asserts it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twosup_chain.calibration.search import find
from twosup_chain.calibration.targets import make_targets
from twosup_chain.outcomes.outcomes import Outcomes

CONFIDENCE = 0.9
MEAN_COST, MOST_COST = 0.002, 0.01
_ROUNDING = 1e-9


@dataclass(frozen=True)
class World:
    """Two models on questions of varying difficulty; scores are uniform, in steps where `levels` is given.

    The local prediction is right with probability ``local[0] + local[1] * score ** local[2]``, the hosted one with
    ``remote[0] + remote[1] * its score + remote[2] * the local score``. Half of the questions are as hard for both.
    """

    local: tuple[float, float, float]
    remote: tuple[float, float, float]
    levels: int = 0

    def draw(self, rng: np.random.Generator, n: int) -> Outcomes:
        """Returns n labelled questions."""
        local, remote, hard, other = (rng.random(n) for _ in range(4))
        hard_remote = np.where(rng.random(n) < 0.5, hard, other)
        local_correct = hard < self.local[0] + self.local[1] * local ** self.local[2]
        remote_correct = hard_remote < self.remote[0] + self.remote[1] * remote + self.remote[2] * local
        if self.levels:
            local, remote = (np.floor(score * self.levels) / self.levels for score in (local, remote))
        return Outcomes(
            local_score=local,
            remote_score=remote,
            local_correct=local_correct,
            remote_correct=remote_correct,
            remote_cost=np.minimum(rng.exponential(MEAN_COST, n), MOST_COST),
            max_call_cost=MOST_COST,
        )

    def truth(self, local: float, remote: float) -> dict[str, float]:
        """Returns the true value of every target, and the coverage, at a pair of thresholds."""
        if self.levels:
            local, remote = (np.ceil(t * self.levels - _ROUNDING) / self.levels for t in (local, remote))
        (a, b, power), (c, d, e) = self.local, self.remote
        kept_right = a * (1 - local) + b * (1 - local ** (power + 1)) / (power + 1)
        accepted = local * (1 - remote)
        accepted_right = local * (c * (1 - remote) + d * (1 - remote**2) / 2) + e * local**2 / 2 * (1 - remote)
        escalated_right = local * (c + d / 2) + e * local**2 / 2
        answered = 1 - local + accepted
        right = kept_right + accepted_right
        return {
            "remote_rate": local,
            "coverage": answered,
            "risk": 1 - right / answered if answered > 0 else 0.0,
            "false_positive_rate": (escalated_right - accepted_right) / (kept_right + escalated_right),
            "match_remote": c + d / 2 + e / 2 - right,
            "budget": 1000 * local * MEAN_COST * (1 - np.exp(-MOST_COST / MEAN_COST)),
        }


WORLDS = {
    "informative scores": World((0.35, 0.64, 0.4), (0.60, 0.39, 0.0)),
    "weak local model": World((0.10, 0.85, 1.0), (0.70, 0.25, 0.0)),
    "remote score at chance": World((0.30, 0.68, 0.5), (0.80, 0.0, 0.1)),
    "scores in eight steps": World((0.35, 0.64, 0.4), (0.60, 0.39, 0.0), levels=8),
    "both models poor": World((0.30, 0.50, 1.0), (0.60, 0.20, 0.0)),
}


@dataclass(frozen=True)
class Scenario:
    """A world, how many labelled questions are drawn from it, and the targets."""

    world: str
    n: int
    targets: dict[str, float]
    prefer: str

    @property
    def name(self) -> str:
        """The scenario in words."""
        limits = ", ".join(f"{name} {limit:g}" for name, limit in self.targets.items())
        return f"{limits}; {self.world}; n = {self.n}"


SCENARIOS = (
    Scenario("informative scores", 100, {"risk": 0.1}, "cheapest"),
    Scenario("informative scores", 500, {"risk": 0.1}, "cheapest"),
    Scenario("informative scores", 2000, {"risk": 0.1}, "cheapest"),
    Scenario("remote score at chance", 1000, {"risk": 0.1}, "cheapest"),
    Scenario("scores in eight steps", 500, {"risk": 0.12}, "cheapest"),
    Scenario("both models poor", 500, {"risk": 0.05}, "cheapest"),
    Scenario("informative scores", 300, {"false_positive_rate": 0.05}, "safest"),
    Scenario("remote score at chance", 1000, {"false_positive_rate": 0.05}, "safest"),
    Scenario("weak local model", 100, {"remote_rate": 0.5}, "accuracy"),
    Scenario("scores in eight steps", 500, {"remote_rate": 0.24}, "accuracy"),
    Scenario("weak local model", 500, {"budget": 0.6}, "accuracy"),
    Scenario("weak local model", 1000, {"match_remote": 0.03}, "cheapest"),
    Scenario("informative scores", 1000, {"risk": 0.12, "remote_rate": 0.4}, "coverage"),
)


@dataclass(frozen=True)
class Tried:
    """What calibrating many draws led to.

    Args:
        draws: How many there were.
        exceeded: The share of draws in which the truth exceeds a limit.
        found: The share in which thresholds were found.
        coverage: The mean true coverage where they were.
        remote_rate: The mean true remote rate there.
    """

    draws: int
    exceeded: float
    found: float
    coverage: float
    remote_rate: float


def simulate(scenario: Scenario, *, confidence: float | None, draws: int, seed: int = 0) -> Tried:
    """Returns what calibrating `draws` independent draws leads to."""
    world, rng = WORLDS[scenario.world], np.random.default_rng(seed)
    targets = make_targets(**scenario.targets)
    exceeded, truths = 0, []
    for draw in range(draws):
        outcomes = world.draw(rng, scenario.n)
        found = find(outcomes, targets, confidence=confidence, prefer=scenario.prefer, seed=draw)
        if found.best is None:
            continue
        truth = world.truth(found.chosen.local.item(), found.chosen.remote.item())
        truths.append((truth["coverage"], truth["remote_rate"]))
        exceeded += any(truth[name] > limit + _ROUNDING for name, limit in scenario.targets.items())
    coverage, remote_rate = np.mean(truths, axis=0) if truths else (np.nan, np.nan)
    return Tried(draws, exceeded / draws, len(truths) / draws, float(coverage), float(remote_rate))
