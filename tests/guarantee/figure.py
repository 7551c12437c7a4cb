"""The figure and table of the guarantee: ``python tests/guarantee/figure.py --draws 1000 --out guarantee.svg``.

It takes some minutes; ``--table FILE`` keeps the figures, and draws from there where they exist.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from simulation import CONFIDENCE, SCENARIOS, simulate

from twosup_chain.evaluation.drawing import save

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#595959"
TITLES = {
    "risk": "risk",
    "false_positive_rate": "false positive rate",
    "remote_rate": "remote rate",
    "budget": "budget",
    "match_remote": "accuracy below remote only",
}


def run(draws: int) -> list[dict]:
    """Returns one row a scenario, and prints it as it comes."""
    rows = []
    for scenario in SCENARIOS:
        row = {"scenario": scenario.name, "world": scenario.world, "n": scenario.n, "targets": scenario.targets}
        for method, confidence in (("guarantee", CONFIDENCE), ("plug_in", None)):
            found = asdict(simulate(scenario, confidence=confidence, draws=draws))
            row[method] = {name: value if np.isfinite(value) else None for name, value in found.items()}
        rows.append(row)
        cells = [
            f"{method}: exceeded {row[method]['exceeded']:.1%}, found {row[method]['found']:.0%}, coverage "
            f"{_share(row[method]['coverage'])}, remote {_share(row[method]['remote_rate'])}"
            for method in ("guarantee", "plug_in")
        ]
        print(scenario.name, *cells, sep=" | ", flush=True)
    return rows


def picture(rows: list[dict]) -> Figure:
    """Returns how often each method breaks its word, one line a scenario."""
    figure = Figure(figsize=(8.4, 5.2), layout="constrained")
    figure.set_label("Broken promises\nShare of simulated calibrations whose true value exceeds the limit.")
    axes = figure.subplots()
    places = np.arange(len(rows))[::-1]
    draws = rows[0]["guarantee"]["draws"]
    for method, colour, marker, words in (
        ("plug_in", ORANGE, "s", "plug-in thresholds"),
        ("guarantee", BLUE, "o", f"confidence={CONFIDENCE:g}"),
    ):
        share = np.array([row[method]["exceeded"] for row in rows])
        error = 1.96 * np.sqrt(share * (1 - share) / draws)
        axes.errorbar(share, places, xerr=error, fmt=marker, color=colour, markersize=6, capsize=2, label=words)
    axes.axvline(1 - CONFIDENCE, color=GREY, linestyle="--", linewidth=1.2, label=f"{1 - CONFIDENCE:.0%}, as promised")
    axes.set_yticks(places, [_words(row) for row in rows], fontsize=8)
    axes.set_xlim(-0.02, 1.0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_xlabel(f"share of {draws:,} calibrations whose true value exceeds the limit")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#d9d9d9", linewidth=0.6)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _words(row: dict) -> str:
    limits = " and ".join(
        f"{TITLES[name]} ≤ {limit:g}" + (" per 1,000" if name == "budget" else "")
        for name, limit in row["targets"].items()
    )
    return f"{limits}\n{row['world']}, n = {row['n']:,}"


def command(description, run, picture, draws) -> None:
    """A command line: simulates with so many draws, or reads what was simulated, and draws the picture."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--draws", type=int, default=draws)
    parser.add_argument("--out", type=Path, help="the picture, .svg or .png")
    parser.add_argument("--table", type=Path, help="the figures as JSON")
    options = parser.parse_args()
    if options.table and options.table.exists():
        rows = json.loads(options.table.read_text())
    else:
        rows = run(options.draws)
        if options.table:
            options.table.write_text(json.dumps(rows, indent=1) + "\n")
    if options.out:
        save(picture(rows), options.out)


if __name__ == "__main__":
    command(__doc__, run, picture, 1000)
