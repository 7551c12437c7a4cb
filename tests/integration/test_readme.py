"""What the README says is what the code does: its figures are the demo's, and its ten lines run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from twosup_chain.demo.run import run_demo

pytestmark = pytest.mark.integration

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_demos_figures_are_those_of_the_readme() -> None:
    summary = run_demo().summary
    rows = {row[0].split(" (")[0]: row[1:] for row in (line.strip("| ").split(" | ") for line in README.splitlines())}
    systems = (summary.chain, summary.local_only, summary.remote_only)
    for name, measure in (("exact match", "exact_match"), ("F1", "f1")):
        written = [float(cell.split(" %")[0]) for cell in rows[name]]
        # int8 arithmetic differs a little between processors
        assert written == pytest.approx([100 * getattr(system, measure) for system in systems], abs=1.5)
    asked = [int(cell) for cell in rows["questions sent to the hosted model"]]
    assert asked == [pytest.approx(summary.remote_calls, abs=4), 0, summary.questions]
    tokens = [int(cell.replace(",", "")) for cell in rows["tokens of the hosted model"]]
    assert tokens == [pytest.approx(summary.tokens.chain, rel=0.15), 0, summary.tokens.remote_only]


def test_the_ten_lines_answer_without_a_key(capsys) -> None:
    block, *_ = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(block.strip().splitlines()) <= 10
    names: dict[str, object] = {}
    exec(block, names)  # noqa: S102
    assert capsys.readouterr().out.startswith("Maud Ferris answered local ")
