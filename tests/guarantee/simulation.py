"""Does the guarantee hold? Draws of labelled questions from models whose true rates are known in closed form.

For each scenario it calibrates many draws, with a guarantee and by plug-in, and counts how often the truth exceeds the
limit. ``python tests/guarantee/figure.py`` draws the result; `test_guarantee` asserts it.

The tests of this folder draw 500 times; ``TWOSUP_DRAWS=2000 pytest tests/guarantee`` is the full look.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace

import numpy as np

from twosup_chain.calibration.search import find
from twosup_chain.calibration.targets import make_targets
from twosup_chain.outcomes.outcomes import Outcomes

CONFIDENCE = 0.9
LEVEL = 1.0 - CONFIDENCE
DRAWS = int(os.environ.get("TWOSUP_DRAWS", "500"))
#: Three standard errors of a share of one in ten.
ERROR = 3.0 * float(np.sqrt(LEVEL * CONFIDENCE / DRAWS))
MEAN_COST, MOST_COST = 0.002, 0.01
#: What one call of a hundred costs, where some are dear.
DEAREST, DEAR_SHARE = 0.1, 0.01
_ROUNDING = 1e-9


@dataclass(frozen=True)
class World:
    """Two models on questions of varying difficulty; scores are uniform, in steps where `levels` is given.

    The local prediction is right with probability ``local[0] + local[1] * score ** local[2]``, the hosted one with
    ``remote[0] + remote[1] * its score + remote[2] * the local score``. Half of the questions are as hard for both.

    Passages have `passage` questions on average (half as many to half as many more), which share difficulty and local
    score with probability `alike`. Calls fail with the probabilities `fails`, (local, hosted), and are paid for. With
    `dear`, one call of a hundred costs ten times as much as any other.
    """

    local: tuple[float, float, float]
    remote: tuple[float, float, float]
    levels: int = 0
    passage: int = 1
    alike: float = 0.7
    fails: tuple[float, float] = (0.0, 0.0)
    dear: bool = False

    def draw(self, rng: np.random.Generator, n: int) -> Outcomes:
        """Returns n labelled questions."""
        local, remote, hard, other = (rng.random(n) for _ in range(4))
        passage = self._passages(rng, n)
        for column in (local, hard, other):
            shared = rng.random(n)[passage]
            column[:] = np.where((self.passage > 1) & (rng.random(n) < self.alike), shared, column)
        hard_remote = np.where(rng.random(n) < 0.5, hard, other)
        local_correct = hard < self.local[0] + self.local[1] * local ** self.local[2]
        remote_correct = hard_remote < self.remote[0] + self.remote[1] * remote + self.remote[2] * local
        if self.levels:
            local, remote = (np.floor(score * self.levels) / self.levels for score in (local, remote))
        local_failed, remote_failed = (rng.random(n) < share for share in self.fails)
        cost = np.minimum(rng.exponential(MEAN_COST, n), MOST_COST)
        if self.dear:
            cost = np.where(rng.random(n) < DEAR_SHARE, DEAREST, MEAN_COST)
        return Outcomes(
            local_score=local,
            remote_score=remote,
            local_correct=local_correct & ~local_failed,
            remote_correct=remote_correct & ~remote_failed,
            remote_cost=cost,
            max_call_cost=DEAREST if self.dear else MOST_COST,
            local_failed=local_failed if any(self.fails) else None,
            remote_failed=remote_failed if any(self.fails) else None,
            passage=passage.astype(np.uint64) if self.passage > 1 else None,
        )

    def _passages(self, rng: np.random.Generator, n: int) -> np.ndarray:
        if self.passage == 1:
            return np.arange(n)
        sizes = rng.integers((self.passage + 1) // 2, self.passage + self.passage // 2 + 1, n)
        return np.repeat(np.arange(n), sizes)[:n]

    def truth(self, local: float, remote: float) -> dict[str, float]:
        """Returns the true value of every target, and the coverage, at a pair of thresholds."""
        if self.levels:
            local, remote = (np.ceil(t * self.levels - _ROUNDING) / self.levels for t in (local, remote))
        local, remote = min(local, 1.0), min(remote, 1.0)
        (a, b, power), (c, d, e), (fail, fail_remote) = self.local, self.remote, self.fails

        def right(escalated: float, trusted: float) -> float:
            """Share of questions below this local score with a right hosted prediction that scores at least so much."""
            return escalated * (c * (1 - trusted) + d * (1 - trusted**2) / 2) + e * escalated**2 / 2 * (1 - trusted)

        asked = fail + (1 - fail) * local
        kept_right = (1 - fail) * (a * (1 - local) + b * (1 - local ** (power + 1)) / (power + 1))
        accepted_right, escalated_right = (
            (1 - fail_remote) * ((1 - fail) * right(local, trusted) + fail * right(1.0, trusted))
            for trusted in (remote, 0.0)
        )
        answered = 1 - asked + asked * (1 - remote) * (1 - fail_remote)
        all_right = kept_right + accepted_right
        mean = DEAR_SHARE * DEAREST + (1 - DEAR_SHARE) * MEAN_COST
        return {
            "remote_rate": asked,
            "coverage": answered,
            "risk": 1 - all_right / answered if answered > 0 else 0.0,
            "false_positive_rate": (escalated_right - accepted_right) / (kept_right + escalated_right),
            "match_remote": (1 - fail_remote) * (c + d / 2 + e / 2) - all_right,
            "budget": 1000 * asked * (mean if self.dear else MEAN_COST * (1 - np.exp(-MOST_COST / MEAN_COST))),
        }


@dataclass(frozen=True)
class Mixture:
    """Passages of two worlds, as many of each."""

    worlds: tuple[World, World]

    def draw(self, rng: np.random.Generator, n: int) -> Outcomes:
        """Returns about n labelled questions."""
        passages = 2 * n // sum(world.passage for world in self.worlds)
        first = int(rng.binomial(passages, 0.5))
        drawn = []
        for world, some in zip(self.worlds, (first, passages - first), strict=True):
            part = world.draw(rng, 2 * n)
            drawn.append(part.take(part.passage < some))
        drawn[1] = replace(drawn[1], passage=drawn[1].passage + np.uint64(n))
        columns = {f.name: [getattr(part, f.name) for part in drawn] for f in fields(Outcomes)}
        columns = {name: column for name, column in columns.items() if isinstance(column[0], np.ndarray)}
        return Outcomes(**{name: np.concatenate(column) for name, column in columns.items()}, max_call_cost=MOST_COST)

    def truth(self, local: float, remote: float) -> dict[str, float]:
        """Returns the true values for a question about a passage drawn at random, whatever its size."""
        truths = [world.truth(local, remote) for world in self.worlds]
        found = {name: float(np.mean([truth[name] for truth in truths])) for name in truths[0]}
        wrong = np.mean([truth["risk"] * truth["coverage"] for truth in truths])
        return found | {"risk": float(wrong / found["coverage"]) if found["coverage"] else 0.0}


_INFORMATIVE = World((0.35, 0.64, 0.4), (0.60, 0.39, 0.0))
_WEAK = World((0.10, 0.85, 1.0), (0.70, 0.25, 0.0))
WORLDS: dict[str, World | Mixture] = {
    "informative scores": World((0.35, 0.64, 0.4), (0.60, 0.39, 0.0)),
    "weak local model": World((0.10, 0.85, 1.0), (0.70, 0.25, 0.0)),
    "remote score at chance": World((0.30, 0.68, 0.5), (0.80, 0.0, 0.1)),
    "scores in eight steps": World((0.35, 0.64, 0.4), (0.60, 0.39, 0.0), levels=8),
    "both models poor": World((0.30, 0.50, 1.0), (0.60, 0.20, 0.0)),
    "five questions a passage": World((0.35, 0.64, 0.4), (0.60, 0.39, 0.0), passage=5),
    "twelve questions a passage": World((0.10, 0.85, 1.0), (0.70, 0.25, 0.0), passage=12),
    "a fifth of the calls fails": World((0.35, 0.64, 0.4), (0.60, 0.39, 0.0), fails=(0.2, 0.2)),
    "one call of a hundred is dear": World((0.10, 0.85, 1.0), (0.70, 0.25, 0.0), dear=True),
    "scores in two steps": World((0.35, 0.64, 0.4), (0.60, 0.39, 0.0), levels=2),
    "scores in four steps": World((0.10, 0.85, 1.0), (0.70, 0.25, 0.0), levels=4),
    "five questions a passage, hardly alike": replace(_INFORMATIVE, passage=5, alike=0.2),
    "five questions a passage, much alike": replace(_INFORMATIVE, passage=5, alike=0.95),
    "nine questions a passage, hardly alike": replace(_INFORMATIVE, passage=9, alike=0.2),
    "nine questions a passage, much alike": replace(_INFORMATIVE, passage=9, alike=0.95),
    "larger passages are easier": Mixture((replace(_WEAK, passage=3), replace(_INFORMATIVE, passage=15))),
}


@dataclass(frozen=True)
class Scenario:
    """A world, how many labelled questions are drawn from it, and the targets."""

    world: str
    n: int
    targets: dict[str, float]
    prefer: str
    looks: int = 1
    #: How many other questions, on passages of their own, order the tests.
    others: int = 0

    @property
    def name(self) -> str:
        """The scenario in words."""
        limits = ", ".join(f"{name} {limit:g}" for name, limit in self.targets.items())
        looks = f"; {self.looks} looks" if self.looks > 1 else ""
        others = f", {self.others} others" if self.others else ""
        return f"{limits}; {self.world}; n = {self.n}{others}{looks}"


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
#: What used to break the guarantee, or was never simulated.
HARDER = (
    Scenario("five questions a passage", 1000, {"risk": 0.12}, "cheapest"),
    Scenario("five questions a passage", 1000, {"remote_rate": 0.4}, "accuracy"),
    Scenario("twelve questions a passage", 2000, {"match_remote": 0.05}, "cheapest"),
    Scenario("a fifth of the calls fails", 500, {"risk": 0.12}, "cheapest"),
    Scenario("a fifth of the calls fails", 500, {"remote_rate": 0.4}, "accuracy"),
    Scenario("a fifth of the calls fails", 500, {"budget": 0.9}, "accuracy"),
    Scenario("one call of a hundred is dear", 60, {"budget": 2.0}, "accuracy"),
    Scenario("one call of a hundred is dear", 1000, {"budget": 2.0}, "accuracy"),
    Scenario("scores in two steps", 300, {"risk": 0.15}, "cheapest"),
    Scenario("scores in four steps", 500, {"match_remote": 0.0}, "cheapest"),
    Scenario("informative scores", 100, {"risk": 0.1}, "cheapest", looks=5),
)
#: Passages of which all questions test: 16 of nine, 50 and 200 of five, and such whose size tells how hard they are.
PASSAGES = (
    Scenario("nine questions a passage, hardly alike", 144, {"risk": 0.3}, "coverage", others=500),
    Scenario("nine questions a passage, much alike", 144, {"risk": 0.3}, "coverage", others=500),
    Scenario("nine questions a passage, much alike", 144, {"remote_rate": 0.5}, "accuracy"),
    Scenario("five questions a passage, hardly alike", 250, {"risk": 0.2}, "coverage", others=500),
    Scenario("five questions a passage, much alike", 250, {"remote_rate": 0.4}, "accuracy"),
    Scenario("five questions a passage, hardly alike", 1000, {"risk": 0.1}, "coverage", others=500),
    Scenario("five questions a passage, much alike", 1000, {"risk": 0.12}, "coverage"),
    Scenario("five questions a passage, much alike", 1000, {"false_positive_rate": 0.1}, "safest"),
    Scenario("five questions a passage, hardly alike", 1000, {"match_remote": 0.02}, "cheapest"),
    Scenario("five questions a passage, much alike", 1000, {"budget": 0.9}, "accuracy"),
    Scenario("larger passages are easier", 900, {"risk": 0.15}, "coverage", others=500),
    Scenario("larger passages are easier", 900, {"remote_rate": 0.4}, "accuracy"),
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
    level = None if confidence is None else 1.0 - (1.0 - confidence) / scenario.looks
    exceeded, truths = 0, []
    for draw in range(draws):
        everything = world.draw(rng, scenario.looks * scenario.n)
        for look in range(scenario.looks):
            outcomes = everything.take(np.arange((look + 1) * scenario.n)) if scenario.looks > 1 else everything
            others = _others(world, rng, scenario.others)
            found = find(outcomes, targets, confidence=level, prefer=scenario.prefer, seed=draw, order=others)
            if found.best is not None:
                break
        else:
            continue
        truth = world.truth(found.chosen.local.item(), found.chosen.remote.item())
        truths.append((truth["coverage"], truth["remote_rate"]))
        exceeded += any(truth[name] > limit + _ROUNDING for name, limit in scenario.targets.items())
    coverage, remote_rate = np.mean(truths, axis=0) if truths else (np.nan, np.nan)
    return Tried(draws, exceeded / draws, len(truths) / draws, float(coverage), float(remote_rate))


def _others(world: World | Mixture, rng: np.random.Generator, n: int) -> Outcomes | None:
    if not n:
        return None
    drawn = world.draw(rng, n)
    return drawn if drawn.passage is None else replace(drawn, passage=drawn.passage + np.uint64(2**32))
