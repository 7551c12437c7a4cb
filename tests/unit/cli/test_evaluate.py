"""``twosup evaluate``: the figures in a few lines, as JSON, as a page; and what it says where something is missing."""

from __future__ import annotations

import json

import pytest

TRUST = ("--local-scorer", "s", "--local-threshold", "0.5", "--remote-scorer", "s", "--remote-threshold", "0.5")


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch):
    """Leaves the pictures out, which take most of the time."""
    monkeypatch.setattr("twosup_chain.evaluation.page.pictures", lambda _: iter(()))


@pytest.fixture
def records(tmp_path):
    def prediction(number, right):
        return {
            "no_answer": False,
            "exact_match": float(right),
            "f1": float(right),
            "trust": {"s": (number % 10) / 10},
            "usage": {"input_tokens": 1000, "output_tokens": 100},
            "model": "m",
        }

    path = tmp_path / "records.jsonl"
    lines = [
        {
            "version": 1,
            "id": str(i),
            "digest": f"{i:016x}",
            "answerable": True,
            "local": prediction(i, i % 10 > 2),
            "remote": prediction(i + 5, 1),
        }
        for i in range(300)
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    return str(path)


def test_a_few_lines_say_what_the_chain_does(twosup, records):
    result = twosup("evaluate", records, *TRUST, "--price-in", "1", "--price-out", "10", "--currency", "EUR")
    assert result.exit_code == 0
    lines = result.stdout.replace("\N{NO-BREAK SPACE}", " ").splitlines()
    assert lines[0] == "Official SQuAD v2 measures, 300 questions, 95 % bootstrap intervals"
    assert any(line.split() == ["Remote", "calls", "150", "0", "300"] for line in lines)
    assert any(line.split() == ["Remote", "cost", "0.30", "EUR", "0.00", "EUR", "0.60", "EUR"] for line in lines)
    assert "--out FOLDER" in result.stderr


def test_the_page_and_the_figures_are_written_and_json_is_the_same_document(twosup, records, tmp_path):
    result = twosup(
        "evaluate", records, *TRUST, "--out", str(tmp_path / "out"), "--json", "--examples", "1", "--f1", "0.5"
    )
    assert json.loads(result.stdout) == json.loads((tmp_path / "out" / "figures.json").read_text())
    assert (tmp_path / "out" / "report.html").read_text().startswith("<!doctype html>")
    assert "report.html is written" in result.stderr.replace("\n", "")


def test_a_calibration_is_evaluated_with_its_promises(twosup, records, tmp_path):
    out = str(tmp_path / "c.json")
    scorers = ("--local-scorer", "s", "--remote-scorer", "s")
    assert twosup("calibrate", records, "--risk", "0.2", *scorers, "-o", out).exit_code == 0
    result = twosup("evaluate", records, "-c", out)
    assert result.exit_code == 0
    assert "selective risk ≤ 20.0 %: kept with probability" in result.stdout.replace("\N{NO-BREAK SPACE}", " ")
    assert "These are the very questions" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "--local-scorer, --local-threshold, --remote-scorer, --remote-threshold missing: pass --calibration FILE"),
        (TRUST[:4], "--remote-scorer, --remote-threshold missing"),
        (("-c", "c.json", "--missing", "0"), "--calibration sets both supervisors: leave --missing out"),
        (("-c", "none.json"), "cannot read none.json"),
        ((*TRUST[:-1], "1.5"), "threshold=1.5"),
        (("--local-scorer", "x", *TRUST[2:]), "'x' is no scorer of the local predictions"),
        ((*TRUST, "--price-in", "1"), "--price-out is missing"),
        ((*TRUST, "--f1", "2"), "--f1 2.0: pass a number in (0, 1]"),
    ],
)
def test_what_is_missing_or_wrong_is_named_in_one_line(twosup, records, arguments, complaint):
    result = twosup("evaluate", records, *arguments)
    assert result.exit_code != 0
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
