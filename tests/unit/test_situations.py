"""The table of situations in `tests/README.md` names tests that are there, and neighbours of each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROWS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in (TESTS / "README.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|") and "test_" in line
]


@pytest.fixture(scope="module")
def there() -> set[str]:
    files = [file.read_text(encoding="utf-8") for file in TESTS.rglob("test_*.py")]
    return {name for text in files for name in re.findall(r"def (test_\w+)", text)}


def test_there_is_a_table() -> None:
    assert len(ROWS) > 40
    assert len({situation for situation, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("situation", "tests"), ROWS, ids=[row[0] for row in ROWS])
def test_every_situation_has_its_test_and_two_neighbours(there, situation, tests) -> None:
    named = tests.split(", ")
    assert len(set(named)) >= 3
    assert [name for name in named if name not in there] == []
