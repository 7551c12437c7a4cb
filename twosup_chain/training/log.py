"""The record of a training run: how far it is, and a log in JSON lines; its curves are drawn in `pictures`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twosup_chain._atomic import append_line


@dataclass
class Progress:
    """How far a run is: steps done, wall time, the best score of an evaluation so far, and evaluations since then."""

    step: int = 0
    seconds: float = 0.0
    best: float = float("-inf")
    since_best: int = 0


class RunLog:
    """``log.jsonl`` of a run: one JSON object a line with ``event``, ``step``, ``seconds`` and the event's values."""

    def __init__(self, folder: Path, progress: Progress, report: Callable[[dict[str, Any]], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "log.jsonl"
        self.progress = progress
        self.report = report

    def write(self, event: str, **values: Any) -> None:
        """Appends an entry."""
        entry = {"event": event, "step": self.progress.step, "seconds": round(self.progress.seconds, 1), **values}
        with self.path.open("ab") as log:
            append_line(log.fileno(), json.dumps(entry).encode() + b"\n", self.path)
        self.report(entry)


def read_log(path: Path) -> list[dict[str, Any]]:
    """Returns the entries of a log; what a resumed run did again counts once, as it went the last time."""
    entries: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["event"] == "start":
            entries = [old for old in entries if old["step"] <= entry["step"]]
        entries.append(entry)
    return entries
