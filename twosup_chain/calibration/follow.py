"""`follow`: a `Monitor`, or one of each group, fed from a file of records that grows."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from twosup_chain.calibration.monitor import Monitor
from twosup_chain.calibration.settings import read_for
from twosup_chain.errors import CutOffError, RecordsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from twosup_chain.calibration.monitor import MonitorReport
    from twosup_chain.outcomes.from_records import RecordColumns
    from twosup_chain.outcomes.predictions import Correct
    from twosup_chain.outcomes.price import Price
    from twosup_chain.scoring.scorer import ScoreFunction, Scorer


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

    Questions count in the order of their lines, each once; a last line that is still being written is waited for.

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
    path, seen, size = Path(path), [-1] * len(watching), 0
    while True:
        before, size = size, _size(path)
        for place, monitor in enumerate(watching if size != before else ()):
            columns = _complete(partial(read_for, monitor.calibration, path, scorers))
            new = np.array([], np.intp) if columns is None else np.flatnonzero(columns.lines > seen[place])
            if columns is not None and len(new):
                new = new[np.argsort(columns.lines[new])]
                seen[place] = int(columns.lines[new[-1]])
                yield monitor.add(columns.outcomes(correct=correct, price=price).take(new))
        time.sleep(pause)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise RecordsError(f"cannot read the records {path}: {error.strerror or error}") from error


def _complete(read: Callable[[], RecordColumns]) -> RecordColumns | None:
    try:
        return read()
    except CutOffError:
        return None
