"""The record of a training run: how far it is, a JSON-lines log, and the curves drawn from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: The figures of an evaluation that are drawn, with their labels.
_CURVES = {"exact": "forced EM", "f1": "forced F1", "auroc": "AUROC", "balanced_f1": "best balanced F1"}


@dataclass
class Progress:
    """How far a run is.

    Args:
        step: Steps done.
        seconds: Wall time spent, evaluations included.
        best: The best score of an evaluation so far.
        since_best: Evaluations since then.
    """

    step: int = 0
    seconds: float = 0.0
    best: float = float("-inf")
    since_best: int = 0


class RunLog:
    """``log.jsonl`` of a run: one JSON object a line with ``event``, ``step``, ``seconds`` and the event's values.

    Args:
        folder: The run's folder; made if missing.
        progress: The run's progress, read at each entry.
        report: Receives every entry as well.
    """

    def __init__(self, folder: Path, progress: Progress, report: Callable[[dict[str, Any]], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "log.jsonl"
        self.progress = progress
        self.report = report

    def write(self, event: str, **values: Any) -> None:
        """Appends an entry."""
        entry = {"event": event, "step": self.progress.step, "seconds": round(self.progress.seconds, 1), **values}
        with self.path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self.report(entry)

    def draw(self) -> None:
        """Draws ``curves.png`` beside the log, where matplotlib is installed."""
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError:
            return
        entries = read_log(self.path)
        figure = Figure(figsize=(10, 4), layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        steps = [entry for entry in entries if entry["event"] == "train"]
        left.plot([e["step"] for e in steps], [e["loss"] for e in steps], linewidth=0.8)
        left.set(xlabel="step", ylabel="training loss")
        evaluations = [entry for entry in entries if entry["event"] == "evaluation"]
        for name, label in _CURVES.items():
            right.plot([e["step"] for e in evaluations], [e[name] for e in evaluations], marker="o", label=label)
        right.set(xlabel="step", ylabel="held-out figure")
        if evaluations:
            right.legend()
        figure.savefig(self.path.with_name("curves.png"), dpi=120)


def read_log(path: Path) -> list[dict[str, Any]]:
    """Returns the entries of a log; what a resumed run did again counts once, as it went the last time."""
    entries: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["event"] == "start":
            entries = [old for old in entries if old["step"] <= entry["step"]]
        entries.append(entry)
    return entries
