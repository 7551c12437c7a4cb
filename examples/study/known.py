"""`Known`: the features that other records of the same questions hold, so that a file keeps only what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twosup_chain.records.lines import read_records
from twosup_chain.scoring.features import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from twosup_chain.records.prediction import RecordedPrediction
    from twosup_chain.records.question import QuestionRecord


class Known:
    """What records say of each model's prediction for each question.

    Left out of a record is what is the same there, and what a hosted prediction repeats of the local one.

    Args:
        paths: Files of whole records.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._features: dict[tuple[str | None, str], dict[str, float]] = {}
        self._repeated: set[str] = set()
        for record in (record for path in paths for record in read_records(path)):
            for made in (record.local, record.remote):
                own = {name: value for name, value in made.features.items() if not name.startswith(LOCAL)}
                self._repeated |= {name.removeprefix(LOCAL) for name in made.features.keys() - own.keys()}
                self._features.setdefault((made.model, record.digest), own)

    def left_out(self, record: QuestionRecord) -> QuestionRecord:
        """Returns a record without what `restored` finds again; with all of it where that would not be the same."""
        of_both = {role: self._new(record.digest, getattr(record, role)) for role in ("local", "remote")}
        lean = _with(record, of_both)
        return lean if self.restored(lean) == record else record

    def restored(self, record: QuestionRecord) -> QuestionRecord:
        """Returns the whole record."""
        of_both = {role: self._all(record.digest, getattr(record, role)) for role in ("local", "remote")}
        local = of_both["local"]
        of_both["remote"] |= {f"{LOCAL}{name}": local[name] for name in self._repeated if name in local}
        return _with(record, of_both)

    def _new(self, digest: str, made: RecordedPrediction) -> dict[str, float]:
        old = self._features.get((made.model, digest), {})
        return {k: v for k, v in made.features.items() if old.get(k) != v and not k.startswith(LOCAL)}

    def _all(self, digest: str, made: RecordedPrediction) -> dict[str, float]:
        return self._features.get((made.model, digest), {}) | made.features


def _with(record: QuestionRecord, features: dict[str, dict[str, float]]) -> QuestionRecord:
    of_both = {role: getattr(record, role).model_copy(update={"features": some}) for role, some in features.items()}
    return record.model_copy(update=of_both)
