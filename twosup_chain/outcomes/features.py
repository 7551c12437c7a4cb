"""The recorded features of one model's predictions as columns, with labels and groups, for fitting supervisors."""

import math
from array import array
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from twosup_chain._sketch import Digests
from twosup_chain.errors import RecordsError
from twosup_chain.outcomes.outcomes import Flags, Floats
from twosup_chain.outcomes.rows import read_rows
from twosup_chain.records.lines import Paths, Place, Places
from twosup_chain.records.prediction import features_of
from twosup_chain.records.question import QuestionRecord


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordedFeatures:
    """What was recorded of one model's predictions, one entry a question in every column, in the digests' order.

    Features are NaN where one is missing, and the other role's measures where that call failed; F1 is in [0, 1].
    `passages` are the digests of the contexts, `digests` those of the questions, ascending; `model` is ``None`` where
    the records do not tell one.
    """

    columns: dict[str, Floats]
    exact_match: Floats
    f1: Floats
    other_exact_match: Floats
    other_f1: Floats
    answerable: Flags
    passages: npt.NDArray[np.str_]
    ids: npt.NDArray[np.str_]
    digests: Digests
    model: str | None

    def __len__(self) -> int:
        return len(self.ids)


def read_features(paths: Paths, role: Literal["local", "remote"]) -> RecordedFeatures:
    """Returns the features of one model's predictions; failed calls are left out.

    `RecordsError` names the line that is no record, or was recorded without features.
    """
    other = "remote" if role == "local" else "local"
    columns: dict[str, array[float]] = {}
    numbers = array("d")
    ids: list[str] = []
    passages: list[str] = []
    models: set[str | None] = set()

    def take(entry: dict[str, Any], _: Places) -> None:
        prediction, others = entry[role], entry[other]
        found = features_of(prediction)
        if not found:
            raise KeyError("features")
        for name in found.keys() - columns.keys():
            columns[name] = array("d", [math.nan]) * len(ids)
        for name, column in columns.items():
            column.append(found.get(name, math.nan))
        numbers.extend((prediction["exact_match"], prediction["f1"]))
        numbers.extend((others.get("exact_match", math.nan), others.get("f1", math.nan)))
        numbers.append(entry["answerable"])
        passages.append(entry["passage"])
        ids.append(entry["id"])
        models.add(prediction.get("model"))

    rows = read_rows(paths, take, explain=partial(_explained, role), needed=(role,))
    order = rows.order
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
        digests=rows.digests,
        model=models.pop() if len(models) == 1 else None,
    )


def _explained(role: str, record: QuestionRecord, place: Place) -> RecordsError | None:
    if getattr(record, role).features and record.passage is not None:
        return None
    return RecordsError(
        f"{place}: the {role} prediction was recorded without features, by an earlier version or another program: "
        "collect the questions anew with twosup collect"
    )
