"""What used to break a promise, before and after: ``python tests/guarantee/mended.py --draws 500 --out mended.svg``.

Each fault is simulated twice on the same draws: with what the calibration did, which is to know less than it was
given, and with what it does. The share is that of calibrations whose true value exceeds the limit. ``--table FILE``
keeps the shares, and draws from there where they exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from figure import command
from matplotlib.figure import Figure
from simulation import CONFIDENCE, WORLDS, World
from threadpoolctl import threadpool_limits

from twosup_chain._options import NEVER
from twosup_chain.calibration.search import Found, find
from twosup_chain.calibration.targets import make_targets
from twosup_chain.fitting.fit_columns import fit_columns
from twosup_chain.outcomes.outcomes import Outcomes

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Fault:
    """A fault by its name, the world that it is simulated in, and how often a search breaks its word in a draw."""

    name: str
    world: World
    n: int
    targets: dict[str, float]
    before: Callable[[Outcomes, dict[str, float], int], Found | None]
    after: Callable[[Outcomes, dict[str, float], int], Found | None]
    prefer: str = "cheapest"


def once(outcomes: Outcomes, targets: dict[str, float], draw: int, confidence: float = CONFIDENCE) -> Found | None:
    """Returns what a calibration finds; ``None`` where there are no thresholds."""
    prefer = "cheapest" if {"risk", "match_remote"} & targets.keys() else "accuracy"
    found = find(outcomes, make_targets(**targets), confidence=confidence, prefer=prefer, seed=draw)
    return None if found.best is None else found


def dearest_seen(outcomes: Outcomes, targets: dict[str, float], draw: int) -> Found | None:
    """The dearest call is the dearest one seen."""
    return once(replace(outcomes, max_call_cost=None), targets, draw)


def without_failures(outcomes: Outcomes, targets: dict[str, float], draw: int) -> Found | None:
    """Questions with a failed call are left out."""
    succeeded = outcomes.take(~(outcomes.local_failed | outcomes.remote_failed))
    return once(replace(succeeded, local_failed=None, remote_failed=None), targets, draw)


def without_passages(outcomes: Outcomes, targets: dict[str, float], draw: int) -> Found | None:
    """Every question is taken for an independent one."""
    return once(replace(outcomes, passage=None), targets, draw)


def until_feasible(looks: int) -> Callable[[Outcomes, dict[str, float], int], Found | None]:
    """Questions are added, in five steps, until there are thresholds; `looks` of them were declared."""

    def search(outcomes: Outcomes, targets: dict[str, float], draw: int) -> Found | None:
        confidence = 1.0 - (1.0 - CONFIDENCE) / looks
        sizes = np.arange(1, 6) * (len(outcomes) // 5)
        found = (once(outcomes.take(np.arange(size)), targets, draw, confidence) for size in sizes)
        return next(filter(None, found), None)

    return search


def best_of_seeds(outcomes: Outcomes, targets: dict[str, float], draw: int) -> Found | None:
    """Twenty divisions are tried until one leads to thresholds."""
    return next(filter(None, (once(outcomes, targets, 20 * draw + seed) for seed in range(20))), None)


_POOR = World((0.30, 0.50, 1.0), (0.60, 0.20, 0.0))
FAULTS = (
    Fault(
        "one call of a hundred is dear, n = 60",
        WORLDS["one call of a hundred is dear"],
        60,
        {"budget": 2.0},
        dearest_seen,
        once,
    ),
    Fault("one question", WORLDS["one call of a hundred is dear"], 1, {"budget": 2.5}, dearest_seen, once),
    Fault(
        "a fifth of the calls fails",
        WORLDS["a fifth of the calls fails"],
        500,
        {"remote_rate": 0.4},
        without_failures,
        once,
    ),
    Fault(
        "a fifth of the calls fails", WORLDS["a fifth of the calls fails"], 500, {"budget": 0.9}, without_failures, once
    ),
    Fault("five looks at growing data", _POOR, 500, {"risk": 0.20}, until_feasible(1), until_feasible(5)),
    Fault(
        "twelve questions a passage",
        WORLDS["twelve questions a passage"],
        1000,
        {"remote_rate": 0.4},
        without_passages,
        once,
    ),
    Fault("twenty seeds are tried", _POOR, 300, {"risk": 0.20}, best_of_seeds, once),
)


def broken(fault: Fault, *, draws: int) -> tuple[float, float]:
    """Returns the share of draws in which the truth exceeds a limit, before and after."""
    rng, exceeded = np.random.default_rng(0), [0, 0]
    for draw in range(draws):
        outcomes = fault.world.draw(rng, fault.n)
        for place, search in enumerate((fault.before, fault.after)):
            found = search(outcomes, fault.targets, draw)
            if found is not None:
                truth = fault.world.truth(found.chosen.local.item(), found.chosen.remote.item())
                exceeded[place] += any(truth[name] > limit + _ROUNDING for name, limit in fault.targets.items())
    return exceeded[0] / draws, exceeded[1] / draws


def flattered(draws: int) -> float:
    """Returns how often a risk is exceeded that is calibrated on the questions that a scorer was fitted on (row 1)."""
    exceeded = 0
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        features, right = rng.normal(size=(8, 400)), rng.random((2, 400)) < 0.6
        columns = {str(i): column for i, column in enumerate(features)}
        with threadpool_limits(1):  # threads that wait for each other take minutes on busy cores
            model = fit_columns(columns, right[0], role="local", model="boosted")
        trust = model.predict(columns)
        outcomes = Outcomes(
            local_score=trust, remote_score=np.full(400, 0.5), local_correct=right[0], remote_correct=right[1]
        )
        found = once(outcomes, {"risk": 0.3}, draw)  # on new questions it is 40 % at every threshold
        exceeded += found is not None and found.chosen.answered.item() > 0
    return exceeded / draws


def never_asked_for_all(draws: int) -> float:
    """Returns how often `match_remote` is kept by nothing but always asking, which was no setting before (row 8)."""
    world, always = WORLDS["scores in four steps"], 0
    for draw in range(draws):
        found = once(world.draw(np.random.default_rng(draw), 500), {"match_remote": 0.0}, draw)
        always += found is not None and found.chosen.local.item() == NEVER
    return always / draws


def run(draws: int) -> list[dict]:
    """Returns one row a fault: its name, how many draws, the shares before and after; prints it as it comes."""
    rows = []

    def add(name: str, drawn: int, before: float, after: float) -> None:
        rows.append({"fault": name, "draws": drawn, "before": before, "after": after})
        print(f"{name}: {before:.1%} before, {after:.1%} after ({drawn} draws)", flush=True)

    add("fitted on the same questions: risk ≤ 0.3 (now refused)", min(draws, 30), flattered(min(draws, 30)), 0.0)
    for fault in FAULTS:
        limits = ", ".join(f"{name.replace('_', ' ')} ≤ {limit:g}" for name, limit in fault.targets.items())
        add(f"{fault.name}: {limits}", draws, *broken(fault, draws=draws))
    always = min(draws, 200)
    add("nothing is found where always asking keeps it: match remote ≤ 0", always, never_asked_for_all(always), 0.0)
    return rows


def picture(rows: list[dict]) -> Figure:
    """Returns how often each fault breaks a promise, before and after, one line a fault."""
    figure = Figure(figsize=(8.4, 4.4), layout="constrained")
    figure.set_label("What used to break a promise\nShare of simulated calibrations that go wrong, before and after.")
    axes, places = figure.subplots(), np.arange(len(rows))[::-1]
    for when, colour, marker, place in (("before", "#D55E00", "s", 0.12), ("after", "#0072B2", "o", -0.12)):
        share, draws = (np.array([row[name] for row in rows]) for name in (when, "draws"))
        error = 1.96 * np.sqrt(share * (1 - share) / draws)
        axes.errorbar(share, places + place, xerr=error, fmt=marker, color=colour, capsize=2, label=when)
    axes.axvline(1 - CONFIDENCE, color="#595959", linestyle="--", linewidth=1.2, label="10%, as promised")
    axes.set_yticks(places, [row["fault"] for row in rows], fontsize=8)
    axes.set_xlim(-0.02, 1.0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_xlabel("share of calibrations that break their word (last line: find nothing)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#d9d9d9", linewidth=0.6)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


if __name__ == "__main__":
    command(__doc__, run, picture, 500)
