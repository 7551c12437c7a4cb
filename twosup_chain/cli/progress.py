"""A progress bar on stderr for long work; nothing is shown where stderr is no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from twosup_chain.cli.console import clean, note, stderr
from twosup_chain.evaluation.words import duration

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: How long the work goes on before its speed is believed, in seconds.
_SETTLING = 1.0


class ProgressBar:
    """Takes how much is done, and how much there is; knows from that how long the rest takes."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar = bar
        self._task = task
        self._first: tuple[float, float] | None = None

    def __call__(self, done: float, total: float, *facts: str) -> None:
        """Moves the bar; behind it stand what is counted, the facts that are not empty, and the time left."""
        counted = f"{done:,}/{total:,}" if isinstance(total, int) else ""
        line = " · ".join(filter(None, (counted, *facts, self._left(done, total))))
        self._bar.update(self._task, completed=done, total=total, facts=clean(line))

    def say(self, line: str) -> None:
        """Prints a line above the bar, also where no bar is shown."""
        self._bar.console.print(clean(line))

    def _left(self, done: float, total: float) -> str:
        now = perf_counter()
        started, before = self._first = self._first or (now, done)
        if done <= before or now - started < _SETTLING:
            return ""
        return f"{duration((total - done) * (now - started) / (done - before))} left"


@contextmanager
def progress_bar(label: str, *, kept: Path | None = None) -> Iterator[ProgressBar]:
    """Shows a bar with a label while its block runs; what it yields moves it.

    Where the block is interrupted, it is said that what is done is `kept` in a file or folder, if it is.
    """
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn(label), BarColumn(), TextColumn("{task.fields[facts]}", markup=False))
    terminal = stderr()
    try:
        with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
            yield ProgressBar(bar, bar.add_task("", total=None, facts=""))
    except KeyboardInterrupt:
        if kept is not None and kept.exists():
            note(f"what is done is kept in {kept}: the same command goes on from there")
        raise
