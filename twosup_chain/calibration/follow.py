"""`follow`: a `Monitor`, or one of each group, fed from a file of records that grows.

Only what is new is read. A file that was cut off or replaced (a rotation) is read from its start; questions that were
seen before do not count again.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from twosup_chain._packed import open_file
from twosup_chain.calibration.monitor import Monitor
from twosup_chain.calibration.settings import read_for
from twosup_chain.errors import RecordsError
from twosup_chain.records.lines import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from twosup_chain.calibration.monitor import MonitorReport
    from twosup_chain.outcomes.predictions import Correct
    from twosup_chain.outcomes.price import Price
    from twosup_chain.scoring.scorer import ScoreFunction, Scorer

#: By so many bytes before its end a file is known again.
_REMEMBERED = 256


def follow(
    monitors: Monitor | Iterable[Monitor],
    path: str | Path,
    *,
    correct: Correct = "exact_match",
    price: Price | None = None,
    scorers: Mapping[str, ScoreFunction | Scorer] | None = None,
    pause: float = 1.0,
) -> Iterator[MonitorReport]:
    """Yields a report on the records that are in a file, and one whenever there are more, without end.

    Of several monitors each that has new records reports.

    Questions count in the order of their lines, each once: as it was first recorded. A last line that is still being
    written is waited for.

    Args:
        monitors: Take the records that their calibrations are for: one, or those of `GroupedCalibration.monitors`.
        path: The file; it may not be there yet.
        correct: What counts as right, as in `calibrate`.
        price: What the hosted model's tokens cost.
        scorers: By name, the learned scorers of your own.
        pause: How long to wait before the file is looked at again, in seconds.

    Raises:
        RecordsError: A line is no record.
        CalibrationMismatchError: The records are of other models than the calibration.
    """
    watching = [monitors] if isinstance(monitors, Monitor) else list(monitors)
    seen: list[set[int]] = [set() for _ in watching]
    growing = _Growing(Path(path))
    while True:
        part = growing.grown()
        for known, monitor in zip(seen, watching, strict=True):
            if part is None:
                break
            columns = read_for(monitor.calibration, part, scorers)
            in_turn = np.argsort(columns.lines)
            new = in_turn[[digest not in known for digest in columns.digests[in_turn].tolist()]]
            known.update(columns.digests.tolist())
            if len(new):
                yield monitor.add(columns.outcomes(correct=correct, price=price).take(new))
        time.sleep(pause)


class _Growing:
    """A file that grows, and which part of it is new."""

    def __init__(self, path: Path) -> None:
        self._path, self._end, self._lines, self._before = path, 0, 0, b""

    def grown(self) -> Part | None:
        """Returns the whole lines that were not returned before; ``None`` where there are none."""
        try:
            with open_file(self._path) as file:
                file.seek(max(self._end - _REMEMBERED, 0))
                if file.read(len(self._before)) != self._before:  # it is another one
                    self._end, self._lines, self._before = 0, 0, b""
                start, before = self._end, self._lines
                file.seek(start)
                for line in file:
                    if line.endswith(b"\n"):
                        self._end, self._lines = self._end + len(line), self._lines + 1
                        self._before = (self._before + line)[-_REMEMBERED:]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RecordsError(f"cannot read the records {self._path}: {error.strerror or error}") from error
        return Part(self._path, start, self._end, before) if self._end > start else None
