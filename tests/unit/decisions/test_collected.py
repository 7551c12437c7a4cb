"""Labelled decisions are collected, calibrated and evaluated as questions are; what is recorded is scored live."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from twosup_chain import (
    Answer,
    Calibration,
    Supervisor,
    TwoSupervisorChain,
    calibrate,
    collect,
    evaluate,
    fit_scorer,
    load_decisions,
)
from twosup_chain.records import read_records
from twosup_chain.scoring.features import features
from twosup_chain.scoring.registry import SCORERS

LABELS = ["billing", "bug", "The"]  # to SQuAD's rule, "The" says nothing


def decide(skill: float, name: str) -> Any:
    """A classifier that is right as often as it says."""

    def chosen(question: Any) -> Answer:
        text = question.passages[0]
        dice = random.Random(f"{name}{text}")  # noqa: S311
        right, sure = text.split()[0], dice.uniform(0.4, 1.0) ** (1 - skill)
        label = right if dice.random() < sure and right in LABELS else dice.choice(LABELS)
        shares = dict.fromkeys(LABELS, (1 - sure) / 2) | {label: sure}
        return Answer(
            label, probabilities=shares, scores={"energy": 10 * sure - 5, "stated_confidence": 0.9}, model=name
        )

    return chosen


LOCAL, REMOTE = decide(0.4, "small"), decide(0.9, "large")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    dice = random.Random(0)  # noqa: S311
    path = tmp_path_factory.mktemp("decisions") / "inbox.jsonl"
    lines = [
        {"text": f"{(word := dice.choice([*LABELS, 'weather']))} {i}", "label": word if word in LABELS else None}
        for i in range(600)
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


@pytest.fixture(scope="module")
def records(data):
    out = data.with_name("records.jsonl")
    done = collect(data, local=LOCAL, remote=REMOTE, out=out)
    assert (done.recorded, done.failed) == (600, 0)
    return out


def test_a_decision_is_right_if_it_is_the_label_and_its_record_is_one_of_todays_format(records) -> None:
    found = list(read_records(records))
    asked = {q.id: q for q in load_decisions(records.with_name("inbox.jsonl"))}
    for record in found:
        labelled = asked[record.id]
        assert (record.version, record.question, record.answers) == (3, labelled.context, labelled.answers)
        assert record.answerable == bool(labelled.answers)
        for prediction in (record.local, record.remote):
            assert prediction.exact_match == prediction.f1 == float(prediction.text in labelled.answers)
            assert "probabilities" not in prediction.model_dump(exclude_defaults=True)
    assert {record.local.exact_match for record in found if record.answers == ("The",)} == {0.0, 1.0}


def test_the_live_score_of_every_scorer_equals_the_recorded_one_bit_for_bit(records, data) -> None:
    recorded = {record.id: record for record in read_records(records)}
    names = next(iter(recorded.values())).local.trust
    assert {"max_softmax", "softmax_margin", "softmax_entropy", "tempered_softmax", "energy", "label_agreement"} <= {
        *names
    }
    assert not {"grounded", "in_context", "answerability"} & {*names}
    for labelled in load_decisions(data)[:40]:
        asked, record = labelled.as_input(), recorded[labelled.id]
        local, remote = LOCAL(asked), REMOTE(asked)
        assert features(asked, local) == record.local.features
        assert features(asked, remote, local=local) == record.remote.features
        for name in names:
            judge = Supervisor(SCORERS[name], threshold=0.5)
            if record.local.trust[name] is not None:
                assert judge.judge(asked, local).score == record.local.trust[name]
            if record.remote.trust[name] is not None:
                assert judge.judge(asked, remote, local=local).score == record.remote.trust[name]


def test_thresholds_are_calibrated_kept_and_evaluated_as_those_of_questions_are(records, data, tmp_path) -> None:
    path = tmp_path / "calibration.json"
    made = calibrate(records, local_scorer="max_softmax", remote_scorer="max_softmax", risk=0.25)
    made.save(path)
    report = evaluate(records, calibration=made)
    page = report.save(tmp_path / "report").read_text(encoding="utf-8")
    mistakes = [mistake.question for kind in report.mistakes for mistake in kind.examples]
    assert len(set(mistakes)) > 1  # the texts, not the question that is the same for all
    assert all(text in page for text in mistakes)
    assert report.figures.decides
    assert "accuracy where a label is right" in page
    assert "SQuAD" not in page
    assert "xact match" not in page
    chain = TwoSupervisorChain.from_calibration(Calibration.load(path), local=LOCAL, remote=REMOTE)
    labelled = load_decisions(data)
    results = chain.batch([one.as_input() for one in labelled])
    asked = [result.remote is not None for result in results]
    assert sum(asked) / len(results) == pytest.approx(report.figures.escalation.remote_rate.value)
    wrong = [r.answer not in one.answers for r, one in zip(results, labelled, strict=True) if r.answer is not None]
    assert 0 < sum(wrong) / len(wrong) <= 0.25
    assert {result.source for result in results} >= {"local", "remote"}


def test_a_learned_scorer_reads_the_features_of_decisions(records) -> None:
    pytest.importorskip("sklearn")
    learned = fit_scorer(records, role="remote")
    assert {"max_softmax", "label_agreement", "local_softmax_margin", "energy"} <= {*learned.model.features}
