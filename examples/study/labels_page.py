"""The tables of the studies of classification as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from study.render import interval, table_text

if TYPE_CHECKING:
    from collections.abc import Callable

    Cell = Callable[[dict[str, Any]], str]

_HEAD = """# Classification by two supervisors

Reviews (IMDB), issues of GitHub (bug, feature, question) and intents (CLINC150, with texts out of scope): the local
model is a `TextClassifier`, the hosted one Qwen2.5-Coder-1.5B-Instruct (Q4_K_M), by its label probabilities. The
paper's rows choose cutoffs on the texts that they are judged on; ours are fitted on one half and judged on the other.
The promised risk is calibrated {halves} times on a random half."""


def labels_markdown(found: dict[str, Any], halves: int) -> str:
    """Returns the figures of every study as one table, in Markdown."""
    lines: dict[str, Cell] = {
        "texts": lambda t: f"{t['texts']:,}",
        "local only, right": lambda t: interval(t["local"], 1, percent=True),
        "hosted only, right": lambda t: interval(t["remote"], 1, percent=True),
        "AUC-RAC (paper)": lambda t: f"{t['auc_rac']:.3f}",
        "as good as hosted only, in view (paper)": lambda t: _point(t, "even"),
        "best, in view (paper)": lambda t: _point(t, "best"),
        "ours, matched to hosted only elsewhere: calls": lambda t: interval(t["ours"]["calls"], 1, percent=True),
        "… right": lambda t: interval(t["ours"]["accuracy"], 1, percent=True),
        "… less hosted only": lambda t: interval(t["ours"]["over_remote"], 1, percent=True, sign=True),
        "… less local only": lambda t: interval(t["ours"]["over_local"], 1, percent=True, sign=True),
        "a promised risk is feasible": lambda t: _share(t, "feasible"),
        "… risk on the other half (mean)": lambda t: f"{_share(t, 'risk')} for {_share(t, 'promised')}",
        "… answered": lambda t: _share(t, "answered"),
        "… hosted calls": lambda t: _share(t, "calls"),
        "… out of scope refused": lambda t: _share(t, "outside_refused"),
    }
    rows = [[name, *(cell(study) for study in found.values())] for name, cell in lines.items()]
    return f"{_HEAD.format(halves=halves)}\n\n{table_text(['', *found], rows)}\n"


def _point(study: dict[str, Any], name: str) -> str:
    points = study["points"]
    if name not in points:
        return "as best" if name == "even" and "best" in points else "–"
    return f"{points[name][1]:.1%} at {points[name][0]:.1%} calls"


def _share(study: dict[str, Any], name: str) -> str:
    value = study["risk"][name]
    return "–" if value is None or value != value else f"{value:.1%}"  # noqa: PLR0124  NaN
