"""``twosup fit-scorer``: from records to a file, which the other commands take where they take a scorer's name."""

from __future__ import annotations

import json

import numpy as np
import pytest

from twosup_chain import Calibration, LearnedScorer, check, fit_scorer


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    rng = np.random.default_rng(0)

    def prediction(model):
        trust = float(rng.random())
        right = float(rng.random() < trust)
        return {
            "no_answer": False,
            "exact_match": right,
            "f1": right,
            "trust": {"s": trust},
            "features": {"answerability": trust, "noise": float(rng.random()), "no_answer": 0.0},
            "model": model,
        }

    path = tmp_path_factory.mktemp("records") / "records.jsonl"
    with path.open("w") as file:
        for number in range(300):
            line = {"version": 1, "id": str(number), "digest": f"{number:016x}", "passage": f"{number // 3:016x}"}
            line |= {"answerable": number % 3 > 0, "local": prediction("reader"), "remote": prediction("gpt")}
            file.write(json.dumps(line) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def fitted(records, tmp_path_factory):
    """The paths of a scorer for each role."""
    folder = tmp_path_factory.mktemp("fitted")
    paths = {role: str(folder / f"{role}.json") for role in ("local", "remote")}
    for role, path in paths.items():
        fit_scorer(records, role=role).save(path)
    return paths


def test_a_supervisor_is_shown_and_written(twosup, records, tmp_path):
    out = tmp_path / "remote.json"
    result = twosup("fit-scorer", records, "--role", "remote", "--out", str(out), "--described", "drawn ones")
    assert result.exit_code == 0
    scorer = LearnedScorer.load(out)
    assert result.stdout.startswith(f"{scorer.name}: logistic, 300 predictions on 100 passages")
    assert "AUROC" in result.stdout
    assert result.stdout.index("answerability") < result.stdout.index("noise")
    assert "--remote-scorer" in result.stderr
    assert (scorer.role, scorer.model.fitted_on) == ("remote", "drawn ones")


def test_json_holds_the_figures_and_nothing_else(twosup, records, tmp_path):
    arguments = ("--role", "local", "--model", "isotonic", "--feature", "answerability", "--folds", "3", "--f1", "0.5")
    result = twosup("fit-scorer", records, *arguments, "-o", str(tmp_path / "l.json"), "--json")
    found = json.loads(result.stdout)
    assert (found["role"], found["family"], found["importances"]) == ("local", "isotonic", {"answerability": 1.0})
    assert (found["fitness"]["rows"], found["fitness"]["folds"]) == (300, 3)
    assert found["fitness"]["auroc"] > 0.7


def test_the_words_of_former_times_still_do(twosup, records, tmp_path):
    today, former = (str(tmp_path / name) for name in ("today.json", "former.json"))
    assert twosup("fit-scorer", records, "--role", "local", "--feature", "answerability", "-o", today).exit_code == 0
    old = ("fit-supervisor", records, "--place=local", "--signal", "answerability", "-o", former)
    assert twosup(*old).exit_code == 0
    assert LearnedScorer.load(today).name == LearnedScorer.load(former).name  # which holds a digest of all
    assert "fit-supervisor" not in twosup("--help").stdout


def test_calibrate_check_and_evaluate_take_the_files_as_scorers(twosup, records, fitted, as_new, tmp_path):
    scorers = ("--local-scorer", fitted["local"], "--remote-scorer", fitted["remote"])
    out = str(tmp_path / "c.json")
    fit_on, records = records, str(as_new(records))
    flattered = twosup("calibrate", fit_on, "--remote-rate", "0.5", "--plug-in", *scorers, "-o", out)
    assert (flattered.exit_code, "was fitted on" in flattered.stderr) == (2, True)
    result = twosup("calibrate", records, "--remote-rate", "0.5", "--plug-in", *scorers, "-o", out)
    assert result.exit_code == 0
    records = str(as_new(records, bit=62))
    learned = {scorer.name: scorer for scorer in map(LearnedScorer.load, fitted.values())}
    assert f"--calibration {out} {' '.join(scorers)} answers by it" in result.stderr
    held = json.loads(twosup("calibrate", records, "--check", out, *scorers, "--json").stdout)
    assert held == json.loads(check(Calibration.load(out), records, scorers=learned).model_dump_json())
    promised = twosup("evaluate", records, "-c", out, *scorers, "--json")
    assert json.loads(promised.stdout)["promises"][0]["target"] == "remote_rate"
    assert twosup("evaluate", records, "-c", out, *scorers, "--local-threshold", "0.5").exit_code == 2
    shown = twosup("evaluate", records, *scorers, "--local-threshold", "0.5", "--remote-threshold", "0.4", "--json")
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["local"]["scorer"] in learned


def test_ask_takes_a_file_as_scorer(twosup, fitted, local, context):
    result = twosup("ask", "Who?", "-c", context, "--local-scorer", fitted["local"], "--local-threshold", "0", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["local_verdict"]["scorer"].startswith("learned_local@")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("fit-scorer", "RECORDS", "--role", "here"), "--role here: pass"),
        (("fit-scorer", "RECORDS", "--role", "local", "--model", "forest"), "'forest' is no model"),
        (("fit-scorer", "RECORDS", "--role", "local", "--feature", "answerabilty"), "Did you mean 'answerability'"),
        (("fit-scorer", "none.jsonl", "--role", "local"), "none.jsonl"),
        (("calibrate", "RECORDS", "--risk", "0.2", "--local-scorer", "none.json"), "cannot read none.json"),
        (("calibrate", "RECORDS", "--risk", "0.2", "--local-scorer", "REMOTE"), "it was fitted on remote answers"),
    ],
)
def test_what_is_wrong_is_one_line_with_exit_code_2(twosup, records, fitted, command, words, tmp_path):
    paths = {"RECORDS": records, "REMOTE": fitted["remote"]}
    out = ("--out", str(tmp_path / "out.json"))
    result = twosup(*(paths.get(word, word) for word in command), *out)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out.json").exists()
