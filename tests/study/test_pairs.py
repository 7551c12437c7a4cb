"""The tables of pairs are recomputed from the records, and say what the page claims."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from study.pairs import PAIRS, RULES, ModelPair, pairs_table
from study.records import restored
from study.render import pairs_markdown

from twosup_chain.records.lines import read_records

if TYPE_CHECKING:
    from study.questions import Questions

FOLDER = Path(__file__).parents[2] / "examples" / "study" / "data"
COMMITTED = json.loads((FOLDER / "pairs.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def made_up_table(records: Path, tmp_path_factory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("pair") / "pair.jsonl"
    shutil.copy(records, path)
    return ModelPair.of(path).table(20)


def test_every_rule_is_judged_at_every_budget_beside_ours_and_the_oracle(made_up_table: dict[str, Any]) -> None:
    for budget, rows in made_up_table["budgets"].items():
        assert len(rows) == len(RULES) + 3
        assert {rule.name for rule in RULES} < rows.keys()
        assert rows["oracle router"]["share_of_gain"][0] == pytest.approx(1.0)
        assert rows["oracle router"]["remote_rate"][0] <= float(budget)


def test_the_page_shows_every_row(made_up_table: dict[str, Any]) -> None:
    page = pairs_markdown({"one": made_up_table, "two": made_up_table})
    assert page.count("\n## ") == 2
    for rows in made_up_table["budgets"].values():
        assert all(f"| {rule} | " in page for rule in rows)


def test_the_hosted_models_own_figures_are_those_of_its_predictions(
    made_up_table: dict[str, Any], made_up: Questions
) -> None:
    assert made_up_table["hosted"]["f1"][0] == pytest.approx(made_up.remote.made.f1.mean())
    assert made_up_table["best"]["f1"][0] >= made_up_table["as_good"]["f1"][0]
    assert made_up_table["as_good"]["over_hosted"][0] >= 0.0


def test_the_records_are_whole_again_and_of_the_models_that_the_page_names(tmp_path: Path) -> None:
    whole = restored((FOLDER / name for name in PAIRS.values()), tmp_path)
    for table, path in zip(COMMITTED.values(), whole, strict=True):
        found = list(read_records(path))
        assert len(found) == table["questions"]
        assert {record.local.model for record in found} == {table["local"]["model"]}
        assert {record.remote.model for record in found} == {table["hosted"]["model"]}
        assert all("answerability" in record.local.features for record in found)
        assert all("local_answerability" in record.remote.features for record in found)


@pytest.mark.parametrize("name", PAIRS.values())
def test_the_records_hold_no_text(name: str) -> None:
    raw = gzip.decompress((FOLDER / name).read_bytes())
    assert not any(f'"{key}":'.encode() in raw for key in ("question", "context", "answers", "text", "tokens"))


@pytest.mark.slow
def test_the_committed_tables_are_those_of_the_records() -> None:
    for name, table in pairs_table(FOLDER, 20).items():
        committed = COMMITTED[name]
        for score, value in table["auroc"].items():
            assert value[0] == pytest.approx(committed["auroc"][score][0], abs=0.004)
        for budget, rows in table["budgets"].items():
            for rule, row in rows.items():
                for figure in ("f1", "exact_match", "remote_rate"):
                    expected = committed["budgets"][budget][rule][figure][0]
                    assert row[figure][0] == pytest.approx(expected, abs=0.004), (name, budget, rule, figure)
