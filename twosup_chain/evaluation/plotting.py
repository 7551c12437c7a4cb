"""Pictures of the curves: request–accuracy, cost–accuracy, risk–coverage, reliability.

Every picture shows the 95 % bootstrap band of `draws` resamples beside the curve (0 draws none; it holds point by
point), and what chance and an oracle would do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from twosup_chain import curves
from twosup_chain.evaluation.drawing import BLUE, GREEN, GREY, ORANGE, RED, blank, finished, in_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


Models = Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]]
Floats = npt.NDArray[np.float64]
Mark = tuple[str, float, float]

_MODEL_STYLES = ((BLUE, "o"), (RED, "s"), (GREEN, "^"), (ORANGE, "D"))
#: How the lines look that stand beside a curve.
_RANDOM: dict[str, Any] = {"linewidth": 1.2, "linestyle": (0, (5, 3))}
_ORACLE: dict[str, Any] = {"linewidth": 1.6, "linestyle": (0, (1, 1.5))}
_BAND: dict[str, Any] = {"alpha": 0.2, "linewidth": 0}
#: A band needs no more points than the eye can tell apart.
_BAND_STEPS = 200
#: Resamples of a band.
DRAWS = 200
_BAND_LABEL = "95% bootstrap interval"


def request_accuracy_figure(
    local_score: npt.ArrayLike,
    local_correct: npt.ArrayLike,
    remote_correct: npt.ArrayLike,
    *,
    steps: int = 1000,
    marks: Sequence[Mark] = (),
    draws: int = DRAWS,
) -> Figure:
    """Returns the request–accuracy curve: accuracy against the share of questions sent to the hosted model."""
    columns = (local_score, local_correct, remote_correct)
    curve = curves.request_accuracy(*columns, steps=steps)
    figure, (axes,) = blank(
        "Accuracy against hosted calls",
        f"Accuracy of the cascade against the share of questions that are sent to the hosted model: "
        f"{curve.accuracy[0]:.1%} with the local model alone, {curve.accuracy[-1]:.1%} where all are sent, at best "
        f"{curve.accuracy.max():.1%} with {curve.cutoff[curve.accuracy.argmax()]:.1%} sent.",
    )
    _escalation(axes, curve.cutoff, curve, columns, draws)
    in_percent(axes.xaxis, axes.yaxis)
    axes.set(xlabel="Questions sent to the hosted model", ylabel="Accuracy", xlim=(0, 1))
    _mark(axes, marks)
    return finished(figure)


def cost_accuracy_figure(
    local_score: npt.ArrayLike,
    local_correct: npt.ArrayLike,
    remote_correct: npt.ArrayLike,
    remote_cost: npt.ArrayLike,
    *,
    currency: str = "USD",
    steps: int = 1000,
    marks: Sequence[Mark] = (),
    draws: int = DRAWS,
) -> Figure:
    """Returns accuracy against what the hosted calls cost; a mark's x is the cost of 1,000 questions."""
    columns = (local_score, local_correct, remote_correct)
    curve = curves.cost_accuracy(*columns, remote_cost, steps=steps)
    figure, (axes,) = blank(
        "Accuracy against cost",
        f"Accuracy of the cascade against the cost of 1,000 questions: {curve.accuracy[0]:.1%} for nothing, "
        f"{curve.accuracy[-1]:.1%} for {curve.spent[-1]:.3g} {currency}.",
    )
    _escalation(axes, curve.spent, curve, columns, draws)
    in_percent(axes.yaxis)
    axes.set(xlabel=f"Cost of 1,000 questions ({currency})", ylabel="Accuracy")
    axes.margins(x=0)
    _mark(axes, marks)
    return finished(figure)


def risk_coverage_figure(models: Models, *, steps: int = _BAND_STEPS, draws: int = DRAWS) -> Figure:
    """Returns the risk–coverage curves: the share of wrong answers against the share of questions that are answered."""
    figure, (axes,) = blank("Risk against coverage", f"Share of wrong answers against coverage: {', '.join(models)}.")
    for index, (name, columns) in enumerate(models.items()):
        colour, _ = _MODEL_STYLES[index % len(_MODEL_STYLES)]
        curve = curves.risk_coverage(*columns, steps=steps)
        if draws:
            band = curves.bootstrap(lambda s, c: curves.risk_coverage(s, c, steps=steps).risk, *columns, draws=draws)
            axes.fill_between(curve.coverage, band.low, band.high, color=colour, **_BAND)
        axes.plot(curve.coverage, curve.risk, color=colour, linewidth=2, label=name)
        axes.plot(curve.coverage, curve.random, color=colour, **_RANDOM)
        axes.plot(curve.coverage, curve.oracle, color=colour, **_ORACLE)
    axes.plot([], [], color=GREY, label="random order", **_RANDOM)
    axes.plot([], [], color=GREY, label="oracle order", **_ORACLE)
    if draws:
        axes.fill_between([], [], [], color=GREY, label=_BAND_LABEL, **_BAND)
    in_percent(axes.xaxis, axes.yaxis)
    axes.set(xlabel="Coverage: questions that are answered", ylabel="Risk: wrong among the answered", xlim=(0, 1))
    axes.set_ylim(bottom=0)
    return finished(figure)


def reliability_figure(models: Models, *, bins: int = curves.BINS, draws: int = DRAWS) -> Figure:
    """Returns the reliability diagram: how often predictions of each trust score are right, and how many there are."""
    figure, (axes, below) = blank(
        "Reliability of the trust scores",
        f"Share of right answers against the trust score, in {bins} bins, and how many questions are in each: "
        f"{', '.join(models)}.",
        rows=(4, 1),
    )
    axes.plot([0, 1], [0, 1], color=GREY, label="score = share right", **_RANDOM)
    width = 1 / bins / max(1, len(models))
    for index, (name, columns) in enumerate(models.items()):
        colour, marker = _MODEL_STYLES[index % len(_MODEL_STYLES)]
        found = curves.reliability(*columns, bins=bins)
        if draws:
            ends = curves.bootstrap(lambda p, h: curves.reliability(p, h, bins=bins).observed, *columns, draws=draws)
            axes.vlines(found.predicted, ends.low, ends.high, color=colour, linewidth=1.4)
        label = f"{name} (ECE {curves.calibration_error(*columns, bins=bins):.1%})"
        style: dict[str, Any] = {"color": colour, "marker": marker, "linewidth": 1, "clip_on": False, "zorder": 3}
        axes.plot(found.predicted, found.observed, label=label, **style)
        share = found.questions / found.questions.sum()
        below.bar(found.edges[:-1] + (index + 0.5) * width, share, width=0.9 * width, color=colour)
    if draws:
        axes.vlines([], 0, 0, color=GREY, linewidth=1.4, label=_BAND_LABEL)
    in_percent(axes.yaxis, below.yaxis)
    axes.set(ylabel="Right", xlim=(0, 1), ylim=(0, 1))
    below.set(xlabel="Trust score", ylabel="Questions")
    return finished(figure)


def _escalation(
    axes: Axes, x: Floats, curve: curves.EscalationCurve, columns: Sequence[npt.ArrayLike], draws: int
) -> None:
    axes.plot(x, curve.accuracy, color=BLUE, linewidth=2, zorder=3, label="least trusted first")
    axes.plot(x, curve.oracle, color=GREEN, label="oracle escalation", **_ORACLE)
    axes.plot(x, curve.random, color=GREY, label="random escalation", **_RANDOM)
    if not draws:
        return
    some = np.unique(np.linspace(0, len(x) - 1, _BAND_STEPS + 1).astype(int))
    cutoffs = curve.cutoff[some]
    band = curves.bootstrap(lambda s, a, b: curves.accuracy_by_cutoff(s, a, b, cutoffs), *columns, draws=draws)
    axes.fill_between(x[some], band.low, band.high, color=BLUE, label=_BAND_LABEL, **_BAND)


def _mark(axes: Axes, marks: Sequence[Mark]) -> None:
    """Marks points, their names below the curve, since the oracle's line is above it."""
    from matplotlib.patheffects import withStroke

    middle = sum(axes.get_xlim()) / 2
    for name, x, y in marks:
        axes.plot([x], [y], color=RED, marker="o", markersize=6, linestyle="none", zorder=5, clip_on=False)
        side, sign = ("right", -1) if x > middle else ("left", 1)
        axes.annotate(
            f"{name}: {y:.1%}",
            (x, y),
            xytext=(8 * sign, -15),
            textcoords="offset points",
            horizontalalignment=side,
            color=RED,
            fontsize=9,
            zorder=6,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )
