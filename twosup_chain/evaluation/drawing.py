"""What every picture shares: an empty sheet, colours, axes in per cent, the legend, and how it is written out.

Colours are told apart by colour-blind readers (Okabe & Ito) and doubled by line styles. Figures are matplotlib's own
objects, made without pyplot, so that nothing is kept anywhere; matplotlib comes with the extra ``plot`` and is loaded
on first use.
"""

from __future__ import annotations

import hashlib
import io
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twosup_chain._atomic import write_atomically
from twosup_chain.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#595959"
_SUFFIXES = (".svg", ".png", ".pdf")


def blank(title: str, description: str, *, rows: tuple[int, ...] = (1,)) -> tuple[Figure, list[Axes]]:
    """Returns an empty picture with axes below each other, of relative heights `rows`, that share their x-axis.

    `svg` tells screen readers the title and the description, which is not drawn.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("a picture", "matplotlib", "plot") from error
    figure = Figure(figsize=(7.2, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    figure.set_label(f"{title}\n{description}")
    parts = list(figure.subplots(len(rows), 1, sharex=True, height_ratios=rows, squeeze=False).ravel())
    for axes in parts:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#d9d9d9", linewidth=0.6)
        axes.set_axisbelow(True)
    parts[0].set_title(title, loc="left", fontsize=12, fontweight="bold")
    return figure, parts


def in_percent(*axes: Any) -> None:
    """Writes the ticks of these axes (``axes.xaxis``, …) as percentages."""
    from matplotlib.ticker import PercentFormatter

    for axis in axes:
        axis.set_major_formatter(PercentFormatter(xmax=1))


def finished(figure: Figure) -> Figure:
    """Adds the legend and lays the figure out once and for all: every format and every call then shows the same."""
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9, handlelength=1.8, columnspacing=1.3)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


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
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    mark = f"f{hashlib.sha256(text.encode()).hexdigest()[:8]}-"
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{mark}", text)
    title, _, description = escape(str(figure.get_label())).partition("\n")
    head, _, drawn = text.removeprefix("<svg").partition(">")
    return (
        f'<svg role="img" aria-labelledby="{mark}title {mark}text"{head}>'
        f'<title id="{mark}title">{title}</title><desc id="{mark}text">{description}</desc>{drawn}'
    )


def save(figure: Figure, path: str | Path) -> None:
    """Writes the picture as .svg, .png or .pdf."""
    path = Path(path)
    try:
        write_atomically(path, drawn(figure, path.suffix))
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def drawn(figure: Figure, suffix: str) -> str | bytes:
    """Returns what a file with the picture holds."""
    if suffix not in _SUFFIXES:
        raise InputError(f"{suffix!r}: a picture is saved as {', '.join(_SUFFIXES)}")
    if suffix == ".svg":
        return svg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=suffix.removeprefix("."), dpi=160)
    return buffer.getvalue()
