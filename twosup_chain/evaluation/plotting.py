"""Pictures of the curves: request–accuracy, cost–accuracy, risk–coverage, reliability.

Every picture shows the interval band beside the curve, and what chance and an oracle would do. Colours are told apart
by colour-blind readers (Okabe & Ito) and doubled by line styles. Figures are matplotlib's own objects, made without
pyplot, so that nothing is kept anywhere; matplotlib comes with the extra ``plot`` and is loaded on first use. What the
curves mean is in `curves`.
"""

from __future__ import annotations

import hashlib
import io
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from twosup_chain import curves
from twosup_chain.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    #: By name of the model: its trust scores and whether it was right, shape (n,) each.
    Models = Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]]

    Floats = npt.NDArray[np.float64]

    #: A point to mark: its name, x and y.
    Mark = tuple[str, float, float]

BLUE, _ORANGE, _GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#595959"
_MODEL_COLOURS = (BLUE, RED, _GREEN, _ORANGE)
_MARKERS = ("o", "s", "^", "D")
_RANDOM, _ORACLE = (0, (5, 3)), (0, (1, 1.5))
_BAND = 0.2
#: A band needs no more points than the eye can tell apart.
_BAND_STEPS = 200
#: Resamples of a band.
DRAWS = 200
_CONFIDENCE = 0.95
_SUFFIXES = (".svg", ".png", ".pdf")


def request_accuracy_figure(
    local_score: npt.ArrayLike,
    local_correct: npt.ArrayLike,
    remote_correct: npt.ArrayLike,
    *,
    steps: int = 1000,
    marks: Sequence[Mark] = (),
    draws: int = DRAWS,
) -> Figure:
    """Returns the request–accuracy curve: accuracy against the share of questions sent to the hosted model.

    Args:
        local_score: Trust in the local answers, shape (n,).
        local_correct: Whether, or how far in [0, 1], each local answer is right, shape (n,).
        remote_correct: The same of the hosted answers, shape (n,).
        steps: How fine the grid of cutoffs is.
        marks: Points to mark: name, cutoff, accuracy.
        draws: Resamples of the 95 % bootstrap band; 0 draws none.

    Raises:
        InputError: The columns do not fit together.
        MissingExtraError: matplotlib is not installed.
    """
    columns = (local_score, local_correct, remote_correct)
    curve = curves.request_accuracy(*columns, steps=steps)
    figure, axes = _blank(
        "Accuracy against hosted calls",
        f"Accuracy of the cascade against the share of questions that are sent to the hosted model: "
        f"{curve.accuracy[0]:.1%} with the local model alone, {curve.accuracy[-1]:.1%} where all are sent, at best "
        f"{curve.accuracy.max():.1%} with {curve.cutoff[curve.accuracy.argmax()]:.1%} sent.",
    )
    _escalation(axes, curve.cutoff, curve)
    _escalation_band(axes, curve.cutoff, curve, columns, draws)
    _mark(axes, marks)
    percent_axis(axes.xaxis, axes.yaxis)
    axes.set(xlabel="Questions sent to the hosted model", ylabel="Accuracy", xlim=(0, 1))
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
    """Returns accuracy against what the hosted calls cost.

    Args:
        local_score: Trust in the local answers, shape (n,).
        local_correct: Whether, or how far in [0, 1], each local answer is right, shape (n,).
        remote_correct: The same of the hosted answers, shape (n,).
        remote_cost: What each hosted call costs, in currency, shape (n,).
        currency: The currency's name.
        steps: How fine the grid of cutoffs is.
        marks: Points to mark: name, cost of 1,000 questions, accuracy.
        draws: Resamples of the 95 % bootstrap band, which holds at each cutoff; 0 draws none.

    Raises:
        InputError: The columns do not fit together, or every call is free.
        MissingExtraError: matplotlib is not installed.
    """
    columns = (local_score, local_correct, remote_correct)
    curve = curves.cost_accuracy(*columns, remote_cost, steps=steps)
    figure, axes = _blank(
        "Accuracy against cost",
        f"Accuracy of the cascade against the cost of 1,000 questions: {curve.accuracy[0]:.1%} for nothing, "
        f"{curve.accuracy[-1]:.1%} for {curve.spent[-1]:.3g} {currency}.",
    )
    _escalation(axes, curve.spent, curve)
    _escalation_band(axes, curve.spent, curve, columns, draws)
    _mark(axes, marks)
    percent_axis(axes.yaxis)
    axes.set(xlabel=f"Cost of 1,000 questions ({currency})", ylabel="Accuracy")
    axes.margins(x=0)
    return finished(figure)


def risk_coverage_figure(models: Models, *, steps: int = _BAND_STEPS, draws: int = DRAWS) -> Figure:
    """Returns the risk–coverage curves: the share of wrong answers against the share of questions that are answered.

    Args:
        models: By name, trust scores and correctness of each model, shape (n,).
        steps: How many coverages to draw.
        draws: Resamples of the 95 % bootstrap bands; 0 draws none.

    Raises:
        InputError: The columns do not fit together.
        MissingExtraError: matplotlib is not installed.
    """
    figure, axes = _blank("Risk against coverage", f"Share of wrong answers against coverage: {', '.join(models)}.")
    for index, (name, columns) in enumerate(models.items()):
        colour = _MODEL_COLOURS[index % len(_MODEL_COLOURS)]
        curve = curves.risk_coverage(*columns, steps=steps)
        if draws:
            band = curves.bootstrap(lambda s, c: curves.risk_coverage(s, c, steps=steps).risk, *columns, draws=draws)
            axes.fill_between(curve.coverage, band.low, band.high, color=colour, alpha=_BAND, linewidth=0)
        axes.plot(curve.coverage, curve.risk, color=colour, linewidth=2, label=name)
        axes.plot(curve.coverage, curve.random, color=colour, linewidth=1.2, linestyle=_RANDOM)
        axes.plot(curve.coverage, curve.oracle, color=colour, linewidth=1.6, linestyle=_ORACLE)
    axes.plot([], [], color=GREY, linewidth=1.2, linestyle=_RANDOM, label="random order")
    axes.plot([], [], color=GREY, linewidth=1.6, linestyle=_ORACLE, label="oracle order")
    if draws:
        axes.fill_between([], [], [], color=GREY, alpha=_BAND, linewidth=0, label=_band_label())
    percent_axis(axes.xaxis, axes.yaxis)
    axes.set(xlabel="Coverage: questions that are answered", ylabel="Risk: wrong among the answered", xlim=(0, 1))
    axes.set_ylim(bottom=0)
    return finished(figure)


def reliability_figure(models: Models, *, bins: int = curves.BINS, draws: int = DRAWS) -> Figure:
    """Returns the reliability diagram: how often predictions of each trust score are right, and how many there are.

    Args:
        models: By name, trust scores in [0, 1] and correctness of each model, shape (n,).
        bins: How many bins of equal width.
        draws: Resamples of the 95 % bootstrap intervals; 0 draws none.

    Raises:
        InputError: The columns do not fit together, or a score lies outside [0, 1].
        MissingExtraError: matplotlib is not installed.
    """
    figure, axes, below = blank_pair(
        "Reliability of the trust scores",
        f"Share of right answers against the trust score, in {bins} bins, and how many questions are in each: "
        f"{', '.join(models)}.",
    )
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, linestyle=_RANDOM, label="score = share right")
    width = 1 / bins / max(1, len(models))
    for index, (name, columns) in enumerate(models.items()):
        colour, marker = _MODEL_COLOURS[index % len(_MODEL_COLOURS)], _MARKERS[index % len(_MARKERS)]
        found = curves.reliability(*columns, bins=bins)
        error = curves.calibration_error(*columns, bins=bins)
        if draws:
            ends = curves.bootstrap(lambda p, h: curves.reliability(p, h, bins=bins).observed, *columns, draws=draws)
            axes.vlines(found.predicted, ends.low, ends.high, color=colour, linewidth=1.4)
        axes.plot(
            found.predicted,
            found.observed,
            color=colour,
            marker=marker,
            linewidth=1,
            clip_on=False,
            zorder=3,
            label=f"{name} (ECE {error:.1%})",
        )
        share = found.questions / found.questions.sum()
        below.bar(found.edges[:-1] + (index + 0.5) * width, share, width=0.9 * width, color=colour)
    if draws:
        axes.vlines([], 0, 0, color=GREY, linewidth=1.4, label=_band_label())
    percent_axis(axes.yaxis, below.yaxis)
    axes.set(ylabel="Right", xlim=(0, 1), ylim=(0, 1))
    below.set(xlabel="Trust score", ylabel="Questions")
    return finished(figure)


def svg(figure: Figure) -> str:
    """Returns the picture as an SVG element that can stand in an HTML page, several of them in one page too.

    Its words are text, its title and description are there for screen readers, and the same figure gives the same
    string.
    """
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "twosup_chain"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    mark = f"f{hashlib.sha256(text.encode()).hexdigest()[:8]}-"
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{mark}", text)
    title, _, description = escape(str(figure.get_label())).partition("\n")
    head = f'<svg role="img" aria-labelledby="{mark}title {mark}text"'
    words = f'<title id="{mark}title">{title}</title><desc id="{mark}text">{description}</desc>'
    end = text.index(">") + 1
    return (
        head + text[len("<svg") : end] + words + re.sub(r"\s*<metadata>.*?</metadata>", "", text[end:], flags=re.DOTALL)
    )


def save(figure: Figure, path: str | Path) -> None:
    """Writes the picture as .svg, .png or .pdf.

    Raises:
        InputError: The name ends otherwise.
    """
    path = Path(path)
    if path.suffix not in _SUFFIXES:
        message = f"{path}: a picture is saved as {', '.join(_SUFFIXES)}"
        raise InputError(message)
    if path.suffix == ".svg":
        path.write_text(svg(figure), encoding="utf-8")
    else:
        figure.savefig(path, dpi=160)


def _blank(title: str, description: str) -> tuple[Figure, Axes]:
    figure = _figure(title, description)
    axes = figure.subplots()
    _dress(axes)
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold")
    return figure, axes


def blank_pair(title: str, description: str) -> tuple[Figure, Axes, Axes]:
    """Returns an empty picture with large axes, and small ones below that share its x-axis."""
    figure = _figure(title, description)
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    for part in (axes, below):
        _dress(part)
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold")
    return figure, axes, below


def _figure(title: str, description: str) -> Figure:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("a picture", "matplotlib", "plot") from error
    figure = Figure(figsize=(7.2, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    figure.set_label(f"{title}\n{description}")  # not drawn: what `svg` tells screen readers
    return figure


def _dress(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#d9d9d9", linewidth=0.6)
    axes.set_axisbelow(True)


def _escalation(axes: Axes, x: Floats, curve: curves.EscalationCurve) -> None:
    axes.plot(x, curve.accuracy, color=BLUE, linewidth=2, zorder=3, label="least trusted first")
    axes.plot(x, curve.oracle, color=_GREEN, linewidth=1.6, linestyle=_ORACLE, label="oracle escalation")
    axes.plot(x, curve.random, color=GREY, linewidth=1.2, linestyle=_RANDOM, label="random escalation")


def _escalation_band(
    axes: Axes, x: Floats, curve: curves.EscalationCurve, columns: Sequence[npt.ArrayLike], draws: int
) -> None:
    if not draws:
        return
    some = np.unique(np.linspace(0, len(x) - 1, _BAND_STEPS + 1).astype(int))
    cutoffs = curve.cutoff[some]

    def accuracy(score: Floats, local: Floats, remote: Floats) -> Floats:
        return curves.accuracy_by_cutoff(score, local, remote, cutoffs)

    band = curves.bootstrap(accuracy, *columns, draws=draws)
    axes.fill_between(x[some], band.low, band.high, color=BLUE, alpha=_BAND, linewidth=0, label=_band_label())


def _mark(axes: Axes, marks: Sequence[Mark]) -> None:
    from matplotlib.patheffects import withStroke

    for name, x, y in marks:
        axes.plot([x], [y], color=RED, marker="o", markersize=6, linestyle="none", zorder=5, clip_on=False)
        axes.annotate(
            f"{name}: {y:.1%}",
            (x, y),
            xytext=(-4, 9),
            textcoords="offset points",
            horizontalalignment="right",
            color=RED,
            fontsize=9,
            zorder=6,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )


def percent_axis(*which: Any) -> None:
    """Writes the ticks of these axes (``axes.xaxis``, …) as percentages."""
    from matplotlib.ticker import PercentFormatter

    for axis in which:
        axis.set_major_formatter(PercentFormatter(xmax=1))


def _band_label() -> str:
    return f"{_CONFIDENCE:.0%} bootstrap interval"


def finished(figure: Figure) -> Figure:
    """Adds the legend and lays the figure out once and for all: every format and every call then shows the same."""
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9, handlelength=1.8, columnspacing=1.3)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure
