"""A calibration for a chain that weighs, its evaluation, and a chain from it agree question by question."""

from __future__ import annotations

import json
from collections import Counter
from itertools import product

import pytest
from endings import ENDINGS
from typer.testing import CliRunner

from twosup_chain import Calibration, TwoSupervisorChain, calibrate
from twosup_chain.cli.app import app
from twosup_chain.records.lines import read_records
from twosup_chain.text import squad


def _twosup(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def scorers(notes, tmp_path_factory):
    """The options that name the fitted scorers' files."""
    folder = tmp_path_factory.mktemp("scorers")
    options = []
    for role, scorer in notes.scorers.items():
        scorer.save(folder / f"{role}.json")
        options += [f"--{role}-scorer", folder / f"{role}.json"]
    return options


def _live(notes, calibration):
    """Returns what the chain gives for every recorded question, by its id."""
    by_name = {scorer.name: scorer for scorer in notes.scorers.values()}
    chain = TwoSupervisorChain.from_calibration(
        calibration, local=notes.local, remote=notes.remote, scorers=by_name, on_remote_error="no_answer"
    )
    results = chain.batch([example.as_input() for example in notes.examples])
    return list(zip(notes.examples, results, strict=True))


def _mistakes(live, role):
    """Returns which questions a supervisor trusts wrongly, and which it refuses wrongly."""
    trusted_wrong, refused_right = set(), set()
    for example, result in live:
        verdict = getattr(result, f"{role}_verdict")
        if verdict is None:
            continue
        said = {"local": result.local, "unanswerable": None}.get(verdict.chosen, getattr(result, role))
        right = squad.exact_match(said if said is None else said.text, example.answers) == 1.0
        if verdict.trusted and not right:
            trusted_wrong.add(example.id)
        if right and not verdict.trusted:
            refused_right.add(example.id)
    return {"trusted_wrong": trusted_wrong, "refused_right": refused_right}


@pytest.mark.parametrize(("early_abstention", "reconcile"), list(product([False, True], repeat=2)))
def test_calibrate_evaluate_and_the_chain_agree_question_by_question(
    notes, scorers, tmp_path, early_abstention, reconcile
):
    out = tmp_path / "calibration.json"
    weighing = [*["--early-abstention"] * early_abstention, *["--reconcile"] * reconcile]
    made = _twosup("calibrate", notes.records, *scorers, *weighing, "--risk", 0.3, "--plug-in", "--out", out)
    report = _twosup("evaluate", notes.records, "--calibration", out, *scorers, "--examples", 1000)
    calibration = Calibration.load(out)
    assert (calibration.early_abstention, calibration.reconcile) == (early_abstention, reconcile)

    live = _live(notes, calibration)  # failed calls among them
    endings = Counter(ENDINGS[result.source, result.status] for _, result in live)
    assert {end["ending"]: end["questions"] for end in report["endings"] if end["questions"]} == endings
    estimates = {estimate["name"]: estimate["value"] for estimate in made["estimates"]}
    evaluated = {name: report[name]["value"] for name in ("risk", "coverage")}
    trusted = [(example, result) for example, result in live if result.status != "untrusted"]
    wrong = sum(not squad.exact_match(result.answer, example.answers) for example, result in trusted)
    for found in (estimates, evaluated):
        assert found["risk"] == pytest.approx(wrong / len(trusted))
        assert found["coverage"] == pytest.approx(len(trusted) / len(live))
    asked = sum(not result.local_verdict.trusted for _, result in live)
    assert estimates["remote_rate"] == pytest.approx(asked / len(live))
    for role in ("local", "remote"):
        expected = _mistakes(live, role)
        for found in report["mistakes"]:
            if found["role"] == role:
                assert {example["id"] for example in found["examples"]} == expected[found["kind"]]


def test_with_reconcile_the_chain_is_held_against_the_hosted_models_own_answers(notes):
    named = {f"{role}_scorer": scorer for role, scorer in notes.scorers.items()}
    made = calibrate(notes.records, match_remote=0.1, reconcile=True, prefer="accuracy", **named)
    live = _live(notes, made)
    alone = [record.remote.exact_match or 0.0 for record in read_records(notes.records)]
    well = [r.status != "untrusted" and squad.exact_match(r.answer, e.answers) for e, r in live]
    assert made.estimate("below_remote").value == pytest.approx((sum(alone) - sum(well)) / len(live))
    assert any(
        result.remote_verdict and result.remote_verdict.chosen in ("local", "unanswerable") for _, result in live
    )
