"""Recorded predictions: which columns of two CSV files hold scores, correctness and times.

Columns are recognised by their names, never by a study's; where that leaves a doubt, an error names the columns and the
option that settles it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.paper.csv_columns import CsvColumns

#: How the columns are called where nobody says so.
_SCORE = re.compile(r"(.*_)?(confidence|score)", re.IGNORECASE)
_CORRECT = re.compile(r"exact_match|(is_)?correct", re.IGNORECASE)
_PREDICTION = re.compile(r"predict(ion|ed)", re.IGNORECASE)
_TRUTH = re.compile(r"(ground_)?truth|label", re.IGNORECASE)
_SECONDS = ("pred_time", "supervisor_time")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The names of the columns; ``None`` for what shall be recognised."""

    local_score: str | None = None  # trust in the local prediction; higher is more trustworthy
    remote_score: str | None = None
    correct: str | None = None  # whether the prediction is right, in both files
    prediction: str | None = None  # in both files: it is right where it equals `truth`
    truth: str | None = None
    seconds: tuple[str, ...] | None = None  # times that are added up, in both files where they have them

    def __post_init__(self) -> None:
        if self.correct is not None and (self.prediction, self.truth) != (None, None):
            raise ConfigurationError("--correct and --prediction/--truth say the same in two ways: give one of them")


@dataclass(frozen=True, eq=False, kw_only=True)
class Recording:
    """What one model did on n questions."""

    score: npt.NDArray[np.float64]  # trust in its predictions, shape (n,); only their order matters
    correct: npt.NDArray[np.bool_]  # shape (n,)
    seconds: npt.NDArray[np.float64] | None = None  # shape (n,), NaN where not recorded


@dataclass(frozen=True, eq=False, kw_only=True)
class Recordings:
    """What both models did on the same questions, row by row."""

    local: Recording
    remote: Recording
    remarks: tuple[str, ...] = ()  # what a reader of the figures should know of the files


def read_recordings(
    local: str | Path, remote: str | Path, *, columns: Columns | None = None, where: str | None = None
) -> Recordings:
    """Returns the recorded predictions of both models, from files .csv or .csv.gz, aligned by position.

    Where the lengths differ, the first rows that both have count. By default all columns are recognised. `where` is a
    column of True and False: only rows where it is true count. Whatever is missing, in doubt or wrong is an InputError.
    """
    columns = columns or Columns()
    files = {"local": CsvColumns(local), "remote": CsvColumns(remote)}
    rows = min(table.rows for table in files.values())
    chosen = np.ones(rows, dtype=np.bool_) if where is None else _selection(files, where, rows)
    if not chosen.any():
        raise InputError(
            f"{local} and {remote} share {rows} rows, and none of them counts: check the files and --where"
        )
    scores = {"local": columns.local_score, "remote": columns.remote_score}
    found = {role: _recording(table, role, scores[role], columns) for role, table in files.items()}
    return Recordings(
        **{role: _take(recording, rows, chosen) for role, recording in found.items()},
        remarks=tuple(_remarks(files, columns, rows)),
    )


def _recording(table: CsvColumns, role: str, score: str | None, columns: Columns) -> Recording:
    name = score or _the_one(table, _SCORE, "the trust score", f"--{role}-score")
    wanted = columns.seconds
    times = [name for name in (_SECONDS if wanted is None else wanted) if name in table.header]
    if wanted and not times:
        table.texts(wanted[0])  # says which columns there are
    return Recording(
        score=table.numbers(name),
        correct=_correct(table, columns),
        seconds=np.sum([table.numbers(name, blank=np.nan) for name in times], axis=0) if times else None,
    )


def _correct(table: CsvColumns, columns: Columns) -> npt.NDArray[np.bool_]:
    if columns.correct is not None:
        return table.flags(columns.correct)
    given = (columns.prediction, columns.truth) != (None, None)
    flags = [] if given else _like(table, _CORRECT)
    pairs = _like(table, _PREDICTION) and _like(table, _TRUTH)
    if given or (pairs and not flags):
        prediction = columns.prediction or _the_one(table, _PREDICTION, "the prediction", "--prediction")
        truth = columns.truth or _the_one(table, _TRUTH, "the label", "--truth")
        return np.array(_equal(table.texts(prediction), table.texts(truth)), dtype=np.bool_)
    if flags and pairs:
        raise InputError(
            f"{table.path}: correctness could be {flags[0]!r}, or {pairs[0]!r} against a prediction; it has: "
            f"{table.names}. Say which with --correct COL, or with --prediction COL --truth COL"
        )
    option = "--correct COL, or with --prediction COL --truth"
    return table.flags(_the_one(table, _CORRECT, "whether the prediction is right", option))


def _the_one(table: CsvColumns, pattern: re.Pattern[str], what: str, option: str) -> str:
    found = _like(table, pattern)
    if len(found) == 1:
        return found[0]
    doubt = "no column is recognised as" if not found else f"{' and '.join(map(repr, found))} could both be"
    raise InputError(f"{table.path}: {doubt} {what}; it has: {table.names}. Say which with {option} COL")


def _like(table: CsvColumns, pattern: re.Pattern[str]) -> list[str]:
    return [name for name in table.header if pattern.fullmatch(name.strip())]


def _equal(some: Sequence[str], others: Sequence[str]) -> list[bool]:
    """Returns row by row whether two columns hold the same label: the same text, or the same number ("1", "1.0")."""
    return [a == b or _same(a, b) for a, b in zip(some, others, strict=True)]


def _same(text: str, other: str) -> bool:
    try:
        return float(text) == float(other)
    except ValueError:
        return text.strip() == other.strip()


def _selection(files: dict[str, CsvColumns], where: str, rows: int) -> npt.NDArray[np.bool_]:
    having = [table for table in files.values() if where in table.header] or [files["local"]]
    flags = [table.flags(where)[:rows] for table in having]
    differing = np.flatnonzero(flags[0] != flags[-1])
    if differing.size:
        raise InputError(
            f"{files['local'].path} and {files['remote'].path} differ in {where!r} in {differing.size} of {rows} rows, "
            f"row {differing[0] + 1} first: both files must hold the same questions in the same order"
        )
    return flags[0]


def _take(recording: Recording, rows: int, chosen: npt.NDArray[np.bool_]) -> Recording:
    columns = {name: column[:rows][chosen] for name, column in vars(recording).items() if column is not None}
    return Recording(**columns)


def _remarks(files: dict[str, CsvColumns], columns: Columns, rows: int) -> list[str]:
    local, remote = files["local"], files["remote"]
    remarks = []
    if local.rows != remote.rows:
        remarks.append(
            f"{local.path} has {local.rows} rows and {remote.path} {remote.rows}: the first {rows} of both count"
        )
    shared = [columns.truth] if columns.truth else [name for name in _like(local, _TRUTH) if name in remote.header]
    for name in shared:
        differing = _equal(local.texts(name)[:rows], remote.texts(name)[:rows]).count(False)
        if differing:
            remarks.append(
                f"the files differ in {name!r} in {differing} of {rows} rows: do they hold the same questions in the "
                "same order?"
            )
    return remarks
