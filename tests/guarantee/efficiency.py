"""How much coverage labels buy: ``python tests/guarantee/efficiency.py --draws 500`` prints the README's table.

At a limit on the selective risk with 90 % confidence, mean true coverage over draws of n labelled questions, 0 where no
thresholds are found: with a third of them ordering the tests, with 500 other questions ordering them (`order`), by
Bonferroni's correction over an 8 × 8 grid of those 500's quantiles, and what the best pair of thresholds has.
``TWOSUP_PAPER_DATA`` names the folder of the paper's recordings; without it only the simulated world is shown.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from simulation import CONFIDENCE, WORLDS, World

from twosup_chain.calibration.search import find, worst_p_value
from twosup_chain.calibration.tally import count
from twosup_chain.calibration.targets import make_targets
from twosup_chain.outcomes.outcomes import Outcomes

SIZES, OTHERS = (100, 200, 500, 2000), 500
LEVEL = 1.0 - CONFIDENCE


@dataclass(frozen=True)
class Simulated:
    """A world whose truth is known."""

    name: str
    world: World

    def draw(self, rng: np.random.Generator, n: int) -> tuple[Outcomes, Outcomes]:
        """Returns n labelled questions, and others."""
        return self.world.draw(rng, n), self.world.draw(rng, OTHERS)

    def truth(self, local: float, remote: float) -> tuple[float, float]:
        """Returns the true risk and coverage."""
        truth = self.world.truth(local, remote)
        return truth["risk"], truth["coverage"]

    def best(self, limit: float) -> float:
        """Returns the most coverage that any thresholds have."""
        grid = np.linspace(0.0, 1.0, 201)
        pairs = (self.truth(local, remote) for local in grid for remote in grid)
        return max((coverage for risk, coverage in pairs if risk <= limit), default=0.0)


@dataclass(frozen=True)
class Recorded:
    """Recordings, from which questions are drawn without repeats; they themselves are the truth."""

    name: str
    pool: Outcomes

    def draw(self, rng: np.random.Generator, n: int) -> tuple[Outcomes, Outcomes]:
        """Returns n labelled questions, and others."""
        order = rng.permutation(len(self.pool))
        return self.pool.take(order[:n]), self.pool.take(order[n : n + OTHERS])

    def truth(self, local: float, remote: float) -> tuple[float, float]:
        """Returns the true risk and coverage."""
        tally = count(self.pool, np.array([local]), np.array([remote])).flat()
        return tally.wrong.item() / max(tally.answered.item(), 1), tally.answered.item() / tally.n

    @cached_property
    def _grid(self) -> tuple[np.ndarray, np.ndarray]:
        steps = np.linspace(0.0, 1.0, 201)
        scores = (np.unique(np.quantile(s, steps)) for s in (self.pool.local_score, self.pool.remote_score))
        tally = count(self.pool, *scores).flat()
        return tally.wrong / np.maximum(tally.answered, 1), tally.answered / tally.n

    def best(self, limit: float) -> float:
        """Returns the most coverage that any thresholds have."""
        risk, coverage = self._grid
        return float(coverage[risk <= limit].max(initial=0.0))


def recordings(folder: str) -> Outcomes:
    """Returns the paper's SQuADv2 recordings; its possible questions have ``answerable``."""
    sides = []
    for side in ("local", "remote"):
        with gzip.open(Path(folder) / f"squadv2_{side}.csv.gz", "rt") as file:
            sides.append(list(csv.DictReader(file)))
    pairs = list(zip(*sides, strict=False))
    return Outcomes(
        local_score=np.array([float(local["sm_confidence"]) for local, _ in pairs]),
        remote_score=np.array([float(remote["gpt3_confidence"]) for _, remote in pairs]),
        local_correct=np.array([local["exact_match"] == "True" for local, _ in pairs]),
        remote_correct=np.array([remote["exact_match"] == "True" for _, remote in pairs]),
        answerable=np.array([local["is_possible"] == "True" for local, _ in pairs]),
    )


def settings() -> list[tuple[Simulated | Recorded, float]]:
    """Returns what is measured, each with the limit on its risk."""
    found: list[tuple[Simulated | Recorded, float]] = [
        (Simulated("informative scores", WORLDS["informative scores"]), 0.1)
    ]
    if folder := os.environ.get("TWOSUP_PAPER_DATA"):
        pool = recordings(folder)
        found.append((Recorded("SQuADv2, possible only", pool.take(pool.answerable)), 0.2))
        found.append((Recorded("SQuADv2, all", pool), 0.6))
    return found


def measure(source: Simulated | Recorded, limit: float, n: int, draws: int) -> dict[str, tuple[float, float]]:
    """Returns by method the mean true coverage and the share of draws whose true risk exceeds the limit."""
    targets, rng = make_targets(risk=limit), np.random.default_rng(0)
    found: dict[str, list[tuple[float, bool]]] = {"split": [], "order": [], "Bonferroni": []}
    for draw in range(draws):
        labelled, others = source.draw(rng, n)
        for name, order in (("split", None), ("order", others)):
            search = find(labelled, targets, confidence=CONFIDENCE, prefer="coverage", seed=draw, order=order)
            pair = None if search.best is None else (search.chosen.local.item(), search.chosen.remote.item())
            found[name].append(_kept(source, pair, limit))
        found["Bonferroni"].append(_kept(source, _bonferroni(labelled, others, targets), limit))
    return {name: tuple(np.mean(column, axis=0).tolist()) for name, column in found.items()}


def _kept(source: Simulated | Recorded, pair: tuple[float, float] | None, limit: float) -> tuple[float, bool]:
    if pair is None:
        return 0.0, False
    risk, coverage = source.truth(*pair)
    return coverage, risk > limit + 1e-9


def _bonferroni(labelled: Outcomes, others: Outcomes, targets) -> tuple[float, float] | None:
    eighths = np.arange(8) / 8
    scores = (np.unique(np.quantile(s, eighths)) for s in (others.local_score, others.remote_score))
    tally = count(labelled, *scores).flat()
    passed = np.flatnonzero(worst_p_value(tally, targets, LEVEL / len(tally.local)) <= LEVEL / len(tally.local))
    if not passed.size:
        return None
    best = passed[np.argmax(tally.answered[passed])]
    return float(tally.local[best]), float(tally.remote[best])


def main() -> None:
    """Prints the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=500)
    draws = parser.parse_args().draws
    print("| questions, risk at most | n | split | `order=` | Bonferroni | best possible | too high, split, order |")
    print("|---|---|---|---|---|---|---|")
    for source, limit in settings():
        for n in SIZES:
            found = measure(source, limit, n, draws)
            cells = [f"{found[name][0]:.2f}" for name in ("split", "order", "Bonferroni")]
            broken = ", ".join(f"{found[name][1]:.0%}" for name in ("split", "order"))
            row = [f"{source.name}, {limit:.0%}", f"{n:,}", *cells, f"{source.best(limit):.2f}", broken]
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
