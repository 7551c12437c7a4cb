"""The tables are recomputed from the records, and say what the study claims."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from study.render import markdown
from study.tables import ELSEWHERE, MAIN, SMALL, Study, tables

from twosup_chain import ExtractiveReader

FOLDER = Path(__file__).parents[2] / "examples" / "study" / "data"
COMMITTED = json.loads((FOLDER / "tables.json").read_text(encoding="utf-8"))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    with Study.opened(FOLDER) as study:
        return tables(study, draws=200, families=("logistic",))


def rows(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in found["systems"]["rows"]}


def test_the_committed_tables_are_those_of_the_records(found: dict[str, Any]) -> None:
    committed = rows(COMMITTED)
    assert list(rows(found)) == list(committed)
    for name, row in rows(found).items():
        for figure in ("exact_match", "f1", "remote_rate", "coverage", "risk", "augrc"):
            if row[figure] is not None and committed[name][figure] is not None:
                assert row[figure][0] == pytest.approx(committed[name][figure][0], abs=0.004), (name, figure)
    for role in ("local", "remote"):
        value = found["features"][role]["learned"]["logistic"][0]
        assert value == pytest.approx(COMMITTED["features"][role]["learned"]["logistic"][0], abs=0.004)


def test_the_records_are_of_the_packaged_reader() -> None:
    assert COMMITTED["data"]["reader"] == ExtractiveReader().label


def test_a_learned_scorer_tells_whether_the_hosted_prediction_is_right(found: dict[str, Any]) -> None:
    table = found["features"]["remote"]
    assert table["learned"]["logistic"][0] >= 0.842
    assert table["learned"]["logistic"][0] > table["single"]["token_min"][0] + 0.15
    assert table["over_best_single"]["logistic"][0] > 0


def test_ours_has_a_higher_f1_than_every_rule_at_no_more_calls(found: dict[str, Any]) -> None:
    for name, difference in found["curves"]["ours_less_best_at_no_more_calls"].items():
        assert difference["f1"][0] > 0, name


def test_ours_loses_nothing_against_the_reader_and_gains_twenty_five_points_over_the_hosted_model(
    found: dict[str, Any],
) -> None:
    claims = found["claims"]["passages"]
    assert claims["remote_rate"][0] <= 0.4
    assert claims["f1_over_local_only"][0] >= 0.0
    assert claims["f1_over_local_only"][1] > -0.015
    assert claims["f1_over_remote_only"][0] >= 0.25


def test_check_says_which_promises_break_on_other_sources(found: dict[str, Any]) -> None:
    promises = found["shift"]["promises"].values()
    sources = [(promise["limit"], held) for promise in promises for held in promise["sources"].values()]
    assert len(sources) == 12
    for limit, held in sources:
        low, high = held["value"][1:]
        if low > limit:
            assert held["verdict"] == "broken"
        if high <= limit:
            assert held["verdict"] == "kept"


def test_every_table_is_on_the_page(found: dict[str, Any]) -> None:
    page = markdown(found)
    for row in found["systems"]["rows"]:
        assert row["name"] in page
    assert page.count("\n## ") == 6


@pytest.mark.parametrize("name", [MAIN, SMALL, ELSEWHERE])
def test_the_records_hold_no_text(name: str) -> None:
    path = FOLDER / name
    assert path.stat().st_size < 1_000_000
    raw = gzip.decompress(path.read_bytes())
    assert not any(f'"{key}":'.encode() in raw for key in ("question", "context", "answers", "text", "tokens"))
