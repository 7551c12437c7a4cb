"""``twosup calibrate``: from records to a file for the chain, or to the word that there is none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from twosup_chain import Calibration


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "records.jsonl"
    rng = np.random.default_rng(0)

    def prediction(model, scorer):
        trust = rng.random()
        right = float(rng.random() < 0.5 + 0.5 * trust)
        usage = {"input_tokens": 500, "output_tokens": 10}
        return {
            "no_answer": False,
            "exact_match": right,
            "f1": right,
            "trust": {scorer: trust},
            "usage": usage,
            "model": model,
        }

    with path.open("w") as file:
        for number in range(500):
            local, remote = prediction("reader-1", "answerability"), prediction("gpt-1", "grounded")
            line = {"version": 1, "id": str(number), "digest": f"{number:x}", "answerable": True}
            file.write(json.dumps({**line, "local": local, "remote": remote}) + "\n")
    return str(path)


def test_a_calibration_is_shown_and_written(twosup, records, tmp_path) -> None:
    out = tmp_path / "c.json"
    result = twosup("calibrate", records, "--risk", "0.25", "--out", str(out))
    assert result.exit_code == 0
    assert result.stdout.startswith("Guaranteed with 90% confidence, from 500 labelled questions")
    assert "selective risk" in result.stdout
    assert f"twosup ask … --calibration {out} answers by it" in result.stderr
    made = Calibration.load(out)
    assert (made.confidence, made.remote.model) == (0.9, "gpt-1")


def test_without_a_file_it_is_said_that_nothing_is_saved(twosup, records) -> None:
    result = twosup("calibrate", records, "--risk", "0.25", "--confidence", "0.8", "--plug-in")
    assert "nothing is saved: --out FILE writes the calibration" in result.stderr
    assert "pass --confidence 0.9 for a guarantee" in " ".join(result.stdout.split())


def test_json_is_the_whole_calibration_and_nothing_else(twosup, records) -> None:
    result = twosup("calibrate", records, "--risk", "0.25", "--confidence", "0.8", "--json")
    made = Calibration(**json.loads(result.stdout))
    assert made.confidence == 0.8


@pytest.mark.parametrize(
    ("options", "target"),
    [
        (("--remote-rate", "0.5"), "remote_rate"),
        (("--fpr", "0.1"), "false_positive_rate"),
        (("--false-positive-rate", "0.1"), "false_positive_rate"),
        (
            ("--budget", "0.5", "--price-in", "1", "--price-out", "4", "--context", "1000", "--max-tokens", "99"),
            "budget",
        ),
        (("--match-remote", "0.1"), "match_remote"),
        (("--risk", "0.3", "--f1", "0.5", "--prefer", "coverage"), "risk"),
    ],
)
def test_every_target_has_an_option(twosup, records, options, target) -> None:
    result = twosup("calibrate", records, *options, "--json")
    assert [promise["target"] for promise in json.loads(result.stdout)["promises"]] == [target]


def test_the_plug_in_choice_says_what_it_is(twosup, records) -> None:
    result = twosup("calibrate", records, "--risk", "0.25", "--plug-in")
    assert result.stdout.startswith("No guarantee: plug-in thresholds")
    assert "Note: a plug-in choice" in result.stdout


def test_an_infeasible_target_is_one_line_with_exit_code_1_and_no_file(twosup, records, tmp_path) -> None:
    out = tmp_path / "c.json"
    result = twosup("calibrate", records, "--risk", "0.001", "--out", str(out))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: no thresholds are known to keep risk ≤ 0.001 with 90% confidence")
    assert result.stderr.count("\n") == 1
    assert not out.exists()


def test_an_old_calibration_is_checked_on_new_records_alone(twosup, records, as_new, tmp_path) -> None:
    out = tmp_path / "c.json"
    twosup("calibrate", records, "--risk", "0.25", "--out", str(out))
    again = twosup("calibrate", records, "--check", str(out))
    assert again.exit_code == 2
    assert "500 of these 500 questions" in again.stderr
    records = str(as_new(records))
    result = twosup("calibrate", records, "--check", str(out))
    assert result.exit_code == 0
    assert "500 new labelled questions" in result.stdout
    assert "holds with probability" in result.stdout
    (held,) = json.loads(twosup("calibrate", records, "--check", str(out), "--json").stdout)["targets"]
    assert 0.5 < held["probability"] <= 1.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "no target is given"),
        (("--risk", "5"), "--risk 5.0"),
        (
            ("--risk", "0.2", "--confidence", "2"),
            "--confidence 2.0: pass a number from 0.5 to less than 1, or --plug-in for no guarantee",
        ),
        (("--risk", "0.2", "--prefer", "quick"), "--prefer quick"),
        (("--risk", "0.2", "--abstention", "right"), "--abstention right"),
        (("--risk", "0.2", "--remote-scorer", "groundet"), "groundet"),
        (("--budget", "1"), "no costs"),
        (("--check", "c.json", "--risk", "0.1"), "--check asks about a calibration that there is"),
    ],
)
def test_a_wrong_option_is_one_line_with_exit_code_2(twosup, records, options, words) -> None:
    result = twosup("calibrate", records, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_file_that_is_no_calibration_and_one_that_is_no_records_are_named(twosup, records) -> None:
    result = twosup("calibrate", records, "--check", records)
    assert (result.exit_code, "records.jsonl" in result.stderr) == (2, True)
    assert twosup("calibrate", "none.jsonl", "--risk", "0.2").exit_code == 2


@pytest.mark.parametrize("command", ["calibrate", "evaluate"])
@pytest.mark.parametrize("json", [[], ["--json"]])
def test_the_name_of_a_model_cannot_drive_the_terminal(twosup, records, tmp_path, command, json) -> None:
    path = tmp_path / "hostile.jsonl"
    name = r"\u001b]0;owned\u0007\u009b2J\u202emodel\u2066"
    path.write_text(Path(records).read_text().replace("gpt-1", name).replace("reader-1", name))
    made = tmp_path / "made.json"
    result = twosup("calibrate", str(path), "--risk", "0.25", "--out", str(made))
    if command == "evaluate":
        result = twosup("evaluate", str(path), "--calibration", str(made), *json)
    assert result.exit_code == 0
    assert not set("\x1b\x07\x9b\u202e\u2066") & set(result.output)


def test_records_of_other_questions_order_the_tests(twosup, records, tmp_path) -> None:
    lines = Path(records).read_text().splitlines(keepends=True)
    others, labelled = tmp_path / "others.jsonl", tmp_path / "labelled.jsonl"
    others.write_text("".join(lines[::2]))
    labelled.write_text("".join(lines[1::2]))
    result = twosup("calibrate", str(labelled), "--order", str(others), "--risk", "0.3")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("Guaranteed with 90% confidence, from 250 labelled questions (250 others ordered")


def test_each_group_is_shown_and_written(twosup, records, tmp_path) -> None:
    rows = [json.loads(line) for line in Path(records).read_text().splitlines()]
    grouped, out = tmp_path / "grouped.jsonl", tmp_path / "c.json"
    lines = ({**row, "metadata": {"domain": "poems" if n < 5 else "law"}} for n, row in enumerate(rows))
    grouped.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = twosup("calibrate", str(grouped), "--risk", "0.25", "--groups", "domain", "--out", str(out))
    assert result.exit_code == 0, result.stderr
    assert "[domain: law]\nGuaranteed with 90% confidence, from 495 labelled questions" in result.stdout
    assert "[domain: poems]\nNo promise: not enough labels here" in result.stdout
    assert json.loads(out.read_text())["groups"]["law"]["where"] == {"domain": "law"}


def test_a_chain_that_is_better_than_the_hosted_model_is_said_to_be(twosup, records) -> None:
    shown = twosup("calibrate", records, "--match-remote", "0.4", "--plug-in").stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("worse than remote only")]
    assert (" % (better)" in line) == ("\N{MINUS SIGN}" in line.split("%")[0])
