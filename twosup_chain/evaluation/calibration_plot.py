"""The picture of a `Calibration`: every pair of thresholds that was tried, and which of them passed.

It needs matplotlib (extra ``plot``), loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twosup_chain.calibration.table import heading, label, percent_or_money
from twosup_chain.evaluation.plotting import BLUE, GREY, RED, blank_pair, finished, percent_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from twosup_chain.calibration.record import Calibration


def calibration_figure(calibration: Calibration) -> Figure:
    """Returns the selective risk and the coverage of the pairs that were tried against their remote rate.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    trace = calibration.trace
    remote_rate = np.array(trace.remote_rate)
    passed = np.array(trace.accepted, dtype=np.bool_)
    risk = np.array([np.nan if value is None else value for value in trace.risk])
    limits = ", ".join(f"{label(p.target)} ≤ {percent_or_money(p.target, p.limit)}" for p in calibration.promises)
    figure, axes, below = blank_pair("Thresholds that were tried", f"{heading(calibration)}: {limits}")
    kinds = ((~passed, GREY, "x", "not accepted"), (passed, BLUE, "o", "keeps every limit"))
    for part, values in ((axes, risk), (below, np.array(trace.coverage))):
        for which, colour, marker, words in kinds:
            part.plot(
                remote_rate[which],
                values[which],
                marker,
                color=colour,
                markersize=5,
                label=words if part is axes else "",
            )
        chosen = calibration.estimate("risk" if part is axes else "coverage").value
        place = calibration.estimate("remote_rate").value
        part.plot(
            [np.nan if place is None else place],
            [np.nan if chosen is None else chosen],
            marker="*",
            color=RED,
            markersize=15,
            linestyle="none",
            zorder=5,
            label="chosen" if part is axes else "",
        )
        percent_axis(part.xaxis, part.yaxis)
    for promise in calibration.promises:
        if promise.target == "risk":
            axes.axhline(promise.limit, color=RED, linewidth=1.2, linestyle="--", label="limit of the risk")
        if promise.target == "remote_rate":
            axes.axvline(promise.limit, color=RED, linewidth=1.2, linestyle=":", label="limit of the remote rate")
    axes.set_ylabel("selective risk")
    below.set_ylabel("coverage")
    below.set_xlabel("share of questions sent to the hosted model")
    axes.set_title("Thresholds that were tried", loc="left", fontsize=12, fontweight="bold", pad=32)
    words = f"{heading(calibration)}\n{limits}"
    axes.annotate(words, (0, 1.02), xycoords="axes fraction", fontsize=8, color=GREY, va="bottom")
    return finished(figure)
