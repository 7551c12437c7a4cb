"""From records to a chain: fitting, calibrating for what was fitted, and weighing recorded predictions."""

from __future__ import annotations

import random

import numpy as np
import pytest

from twosup_chain import (
    Answer,
    LearnedScorer,
    TwoSupervisorChain,
    calibrate,
    check,
    collect,
    fit_scorer,
    fit_supervisor,
)
from twosup_chain.errors import CalibrationMismatchError, ConfigurationError, InputError, RecordsError
from twosup_chain.outcomes.features import read_features
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.records.lines import read_records
from twosup_chain.text import squad
from twosup_chain.text.questions import LabelledQuestion

CONTEXTS = 40
PER_CONTEXT = 6


def _examples():
    rng = random.Random(1)  # noqa: S311  a drawing, not a secret
    for i in range(CONTEXTS):
        context = f"Person{i} built the mill in {1800 + i}, and sold it in {1900 + i}."
        for j in range(PER_CONTEXT):
            gold = (f"Person{i}",) if rng.random() < 0.6 else ()
            yield LabelledQuestion(
                id=f"{i}-{j}",
                question=f"Who built mill number {j}?",
                context=context,
                answers=gold,
                is_impossible=not gold,
            )


EXAMPLES = list(_examples())
GOLD = {(e.question, e.context): e.answers for e in EXAMPLES}


def _local(question):
    """Mostly right, and its answerability tells."""
    rng = random.Random(f"local{question.question}{question.context}")  # noqa: S311
    gold = GOLD[question.question, question.context]
    sure = min(max(rng.gauss(0.7 if gold else 0.3, 0.2), 0.01), 0.99)
    name = question.context.split()[0]
    text = name if rng.random() < 0.8 else str(1800)
    scores = {"answerability": sure, "null_probability": 1 - sure, "span_probability": 0.9 * sure}
    return Answer(
        text if sure > 0.5 else None,
        scores=scores,
        model="small",
        candidates=({"text": text, "start": 0, "end": 1, "document": 0, "probability": 0.9 * sure},),
    )


def _remote(question):
    rng = random.Random(f"remote{question.question}{question.context}")  # noqa: S311
    text = question.context.split()[0] if rng.random() < 0.8 else "1900"
    return Answer(text, token_logprobs=[(text, -rng.random())], model="large")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "records.jsonl"
    collect(EXAMPLES, local=_local, remote=_remote, out=path, scorers=["in_context"], text=False)
    return path


@pytest.fixture(scope="module")
def pair(records):
    return {role: fit_scorer(records, role=role) for role in ("local", "remote")}


def test_features_are_recorded_without_texts_and_come_back_as_columns(records):
    found = read_features(records, "remote")
    assert len(found) == len(EXAMPLES)
    assert found.model == "large"
    assert len(set(found.passages.tolist())) == CONTEXTS
    assert {"token_min", "backed", "local_answerability", "agreement"} <= found.columns.keys()
    assert found.exact_match.mean() == pytest.approx(np.mean([r.remote.exact_match for r in read_records(records)]))
    assert "Person" not in records.read_text()


def test_a_fit_beats_chance_by_far_and_tells_on_what_it_was_fitted(pair):
    for role, scorer in pair.items():
        assert scorer.role == role
        assert scorer.model.fitness.auroc > 0.75
        assert scorer.model.fitness.groups == CONTEXTS
        assert "240 recorded predictions of" in scorer.model.fitted_on
    assert set(pair["local"].others) == {"unanswerable"}
    assert set(pair["remote"].others) == {"unanswerable", "local"}


def test_recorded_trust_is_what_the_scorer_says_live(records, pair):
    columns = read_columns(records, local_scorer=pair["local"], remote_scorer=pair["remote"])
    assert columns.provenance.remote_scorer == pair["remote"].name
    by_id = {e.id: e for e in EXAMPLES}
    for row in range(0, len(columns), 40):
        question = by_id[columns.record(row).id].as_input()
        local, remote = _local(question), _remote(question)
        assert columns.local.trust[row] == pytest.approx(pair["local"](question, local), abs=1e-5)
        assert columns.remote.trust[row] == pytest.approx(pair["remote"](question, remote, local=local), abs=1e-5)


@pytest.mark.parametrize("weigh", [False, True])
def test_a_chain_does_live_what_was_calibrated(records, pair, as_new, weigh, tmp_path):
    options = {"early_abstention": weigh, "reconcile": weigh}
    named = {f"{role}_scorer": scorer for role, scorer in pair.items()}
    with pytest.raises(CalibrationMismatchError, match=f"240 of these 240 .* that {pair['local'].name} was fitted on"):
        calibrate(records, risk=0.4, confidence=0.8, **named, **options)
    unseen = as_new(records, apart=True)
    made = calibrate(unseen, risk=0.4, confidence=0.8, **named, **options)
    made.save(tmp_path / "calibration.json")
    assert ("reconcile" in (tmp_path / "calibration.json").read_text()) == weigh
    scorers = {scorer.name: scorer for scorer in pair.values()}
    chain = TwoSupervisorChain.from_calibration(
        tmp_path / "calibration.json", local=_local, remote=_remote, scorers=scorers
    )
    assert (chain.early_abstention, chain.reconcile) == (weigh, weigh)
    results = chain.batch([e.as_input() for e in EXAMPLES])
    answered = [r.status != "untrusted" for r in results]
    wrong = [
        t and not squad.exact_match(r.answer, e.answers) for t, r, e in zip(answered, results, EXAMPLES, strict=True)
    ]
    with pytest.raises(CalibrationMismatchError, match="240 of these 240 .* that the calibration was made from"):
        check(made, unseen, scorers=scorers)
    held = check(made.model_copy(update={"made_from": None, "digest": "0" * 16}), unseen, scorers=scorers)
    assert held.targets[0].estimate.value == pytest.approx(sum(wrong) / sum(answered), abs=1e-9)
    with pytest.raises(CalibrationMismatchError, match=f"made for reconcile={weigh}"):
        TwoSupervisorChain.from_calibration(made, local=_local, remote=_remote, scorers=scorers, reconcile=not weigh)


def test_weighing_raises_the_share_of_right_predictions(records, pair):
    named = {f"{role}_scorer": scorer for role, scorer in pair.items()}
    plain = read_columns(records, **named).outcomes()
    weighed = read_columns(records, **named, early_abstention=True, reconcile=True).outcomes()
    assert weighed.remote_correct.mean() > plain.remote_correct.mean() + 0.1
    assert weighed.local_correct.mean() >= plain.local_correct.mean()
    assert (weighed.remote_score >= plain.remote_score).all()


def test_what_cannot_be_had_is_said(records, pair, tmp_path):
    with pytest.raises(ConfigurationError, match="role='somewhere'"):
        fit_scorer(records, role="somewhere")
    with pytest.raises(ConfigurationError, match="fitted on local predictions, and is to judge remote ones"):
        read_columns(records, local_scorer=pair["local"], remote_scorer=pair["local"])
    with pytest.raises(ConfigurationError, match="cannot weigh recorded predictions"):
        read_columns(records, local_scorer="in_context", remote_scorer="in_context", reconcile=True)
    with pytest.raises(InputError, match="groups says nothing of the question"):
        fit_scorer(records, role="local", groups={"0-0": "a"})
    old = tmp_path / "old.jsonl"
    lines = records.read_text().splitlines()
    old.write_text(lines[0].replace('"features"', '"scores"') + "\n")
    for read in (
        lambda: fit_scorer(old, role="local"),
        lambda: read_columns(old, local_scorer=pair["local"], remote_scorer="in_context"),
    ):
        with pytest.raises(RecordsError, match="line 1: the .*prediction was recorded without features"):
            read()


def test_the_former_name_and_option_fit_the_same(records, pair):
    assert fit_supervisor(records, place="local").name == fit_supervisor(records, role="local").name
    assert fit_supervisor(records, place="local").name == pair["local"].name


def test_a_saved_scorer_keeps_its_name_and_what_it_weighs(pair, tmp_path):
    pair["remote"].save(tmp_path / "remote.json")
    again = LearnedScorer.load(tmp_path / "remote.json")
    assert again.name == pair["remote"].name
    assert again.others.keys() == pair["remote"].others.keys()
