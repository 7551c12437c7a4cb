"""What other records hold is not kept again, and nothing is lost by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from study.known import Known

from twosup_chain.records.lines import read_records

if TYPE_CHECKING:
    from pathlib import Path

    from twosup_chain.records.question import QuestionRecord


@pytest.fixture
def record(records: Path) -> QuestionRecord:
    return next(iter(read_records(records)))


def changed(record: QuestionRecord, role: str, **updates: object) -> QuestionRecord:
    return record.model_copy(update={role: getattr(record, role).model_copy(update=updates)})


def test_only_what_differs_is_kept_and_the_rest_comes_back(records: Path, record: QuestionRecord) -> None:
    known = Known([records])
    other = changed(record, "remote", features={**record.remote.features, "backed": 0.25})
    lean = known.left_out(other)
    assert lean.local.features == {}
    assert lean.remote.features == {"backed": 0.25}
    assert known.restored(lean) == other


def test_what_a_hosted_prediction_repeats_of_the_local_one_comes_back(record: QuestionRecord, tmp_path: Path) -> None:
    repeated = {f"local_{name}": value for name, value in record.local.features.items()}
    whole = changed(record, "remote", features={**record.remote.features, **repeated})
    path = tmp_path / "whole.jsonl"
    path.write_bytes(whole.as_line())
    known = Known([path])
    lean = known.left_out(changed(whole, "remote", model="another"))
    assert not any(name.startswith("local_") for name in lean.remote.features)
    assert known.restored(lean) == changed(whole, "remote", model="another")


def test_a_record_that_would_not_come_back_as_it_was_is_kept_whole(records: Path, record: QuestionRecord) -> None:
    fewer = changed(record, "remote", features={"hint": 1.0})
    known = Known([records])
    assert known.restored(known.left_out(fewer)).remote.features == record.remote.features | {"hint": 1.0}
    assert known.left_out(fewer) == fewer
