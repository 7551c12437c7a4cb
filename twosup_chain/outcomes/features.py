"""The recorded features of one model's predictions as columns, with labels and groups, for fitting supervisors."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from twosup_chain.errors import RecordsError, TwosupError
from twosup_chain.records.lines import Paths, Places, check_record, read_entries
from twosup_chain.records.prediction import features_of
from twosup_chain.records.seen import Seen

if TYPE_CHECKING:
    from twosup_chain.outcomes.outcomes import Flags, Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordedFeatures:
    """What was recorded of one model's predictions, one entry a question in every column, in the digests' order.

    Args:
        columns: The features by name, each of shape (n,), NaN where one is missing.
        exact_match: Whether each prediction of this role is an exact match, shape (n,).
        f1: Their token F1, in [0, 1], shape (n,).
        other_exact_match: Whether the other role's prediction is one; NaN where that call failed.
        other_f1: Its token F1, likewise.
        answerable: Whether the question has an answer, shape (n,).
        passages: The digests of the contexts, shape (n,).
        ids: The questions' ids, shape (n,).
        model: Whose predictions they are; ``None`` where the records do not tell.
    """

    columns: dict[str, Floats]
    exact_match: Floats
    f1: Floats
    other_exact_match: Floats
    other_f1: Floats
    answerable: Flags
    passages: npt.NDArray[np.str_]
    ids: npt.NDArray[np.str_]
    model: str | None

    def __len__(self) -> int:
        return len(self.ids)


def read_features(paths: Paths, role: Literal["local", "remote"]) -> RecordedFeatures:
    """Returns the features of one model's predictions; failed calls are left out.

    Args:
        paths: The file of records, or several.
        role: Whose predictions.

    Raises:
        RecordsError: A file is missing or holds something else, or a prediction was recorded without features; the
            message names the line.
    """
    other = "remote" if role == "local" else "local"
    places, seen = Places(), Seen()
    columns: dict[str, array[float]] = {}
    numbers, digests = array("d"), array("Q")
    ids: list[str] = []
    passages: list[str] = []
    models: set[str | None] = set()
    for entry in read_entries(paths, places):
        try:
            prediction = entry[role]
            failed = "error" in prediction
            seen.add(entry["id"], places, failed=failed or "error" in entry[other])
            if failed:
                continue
            found = features_of(prediction)
            if not found:
                raise KeyError("features")  # noqa: TRY301  it is explained below
            _take(found, columns, len(ids))
            digests.append(int(entry["digest"], 16))
            numbers.extend((prediction["exact_match"], prediction["f1"]))
            numbers.extend((entry[other].get("exact_match", math.nan), entry[other].get("f1", math.nan)))
            numbers.append(entry["answerable"])
            ids.append(entry["id"])
            passages.append(entry["passage"])
            models.add(prediction.get("model"))
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise _explained(error, entry, places, role) from error
    order = np.argsort(np.array(digests, dtype="<u8"), kind="stable")
    exact_match, f1, other_exact_match, other_f1, answerable = np.array(numbers).reshape(len(ids), 5)[order].T
    return RecordedFeatures(
        columns={name: np.array(column)[order] for name, column in sorted(columns.items())},
        exact_match=exact_match,
        f1=f1,
        other_exact_match=other_exact_match,
        other_f1=other_f1,
        answerable=answerable == 1.0,
        passages=np.array(passages, dtype=np.str_)[order],
        ids=np.array(ids, dtype=np.str_)[order],
        model=models.pop() if len(models) == 1 else None,
    )


def _take(features: dict[str, float], columns: dict[str, array[float]], row: int) -> None:
    """Appends a row to the columns, whose names may be other ones than before."""
    for name in features.keys() - columns.keys():
        columns[name] = array("d", [math.nan]) * row
    for name, column in columns.items():
        column.append(features.get(name, math.nan))


def _explained(error: Exception, entry: dict[str, Any], places: Places, role: str) -> TwosupError:
    """Returns what is wrong with a record that could not be taken apart."""
    if isinstance(error, TwosupError):
        return error
    try:
        record = check_record(entry, places[-1])
    except RecordsError as found:
        return found
    if not getattr(record, role).features or record.passage is None:
        return RecordsError(
            f"{places[-1]}: the {role} prediction was recorded without features, by an earlier version or another "
            "program: collect the questions anew with twosup collect"
        )
    return RecordsError(f"{places[-1]}: {type(error).__name__}: {error}")
