"""The picture of a `Calibration`: every pair of thresholds that was tried, and which of them passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twosup_chain.calibration.record import Calibration
from twosup_chain.evaluation.drawing import BLUE, GREY, RED, blank, finished, in_percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_TITLE = "Thresholds that were tried"


def calibration_figure(calibration: Calibration) -> Figure:
    """Returns the selective risk and the coverage of the pairs that were tried against their remote rate."""
    trace = calibration.trace
    sent, passed = np.array(trace.remote_rate), np.array(trace.accepted, dtype=np.bool_)
    promised = [(promise, calibration.estimate(promise.measure)) for promise in calibration.promises]
    limits = ", ".join(
        f"{found.label} ≤ {found.write(promise.limit, calibration.currency)}" for promise, found in promised
    )
    figure, (axes, below) = blank(_TITLE, f"{calibration.heading}: {limits}", rows=(4, 1))
    for part, name, values in ((axes, "risk", trace.risk), (below, "coverage", trace.coverage)):
        found = np.array(values, dtype=np.float64)  # NaN where nothing is answered
        for which, colour, marker, words in (
            (~passed, GREY, "x", "not accepted"),
            (passed, BLUE, "o", "keeps every limit"),
        ):
            part.plot(sent[which], found[which], marker, color=colour, markersize=5, label=words)
        chosen = np.array([[calibration.estimate(key).value] for key in ("remote_rate", name)], dtype=np.float64)
        part.plot(*chosen, marker="*", color=RED, markersize=15, linestyle="none", zorder=5, label="chosen")
        in_percent(part.xaxis, part.yaxis)
    for line in below.lines:
        line.set_label("_")  # the legend names each once
    for promise in calibration.promises:
        if promise.target == "risk":
            axes.axhline(promise.limit, color=RED, linewidth=1.2, linestyle="--", label="limit of the risk")
        if promise.target == "remote_rate":
            axes.axvline(promise.limit, color=RED, linewidth=1.2, linestyle=":", label="limit of the remote rate")
    axes.set_ylabel("selective risk")
    below.set(xlabel="share of questions sent to the hosted model", ylabel="coverage")
    axes.set_title(_TITLE, loc="left", fontsize=12, fontweight="bold", pad=32)
    words = f"{calibration.heading}\n{limits}"
    axes.annotate(words, (0, 1.02), xycoords="axes fraction", fontsize=8, color=GREY, va="bottom")
    return finished(figure)
