"""The promise holds in the running system: what is calibrated on recorded questions, a live chain keeps.

The scorers are boosted trees that read self-consistency in thirds: a recorded feature that differs from the live one in
its last digit falls on the other side of a cut, and a promise of 15 % comes out as more.
``TWOSUP_LIVE_DRAWS=50 pytest tests/guarantee/test_live_promise.py -m slow`` is a quicker look.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace

import numpy as np
import pytest

from twosup_chain import Answer, TwoSupervisorChain, calibrate, collect, fit_scorer
from twosup_chain.errors import InfeasibleTargetError
from twosup_chain.outcomes.decisions import decide
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.records.lines import read_records
from twosup_chain.text import squad
from twosup_chain.text.questions import LabelledQuestion

DRAWS = int(os.environ.get("TWOSUP_LIVE_DRAWS", "300"))
POOL, FITTED, DRAWN = 6_000, 1_500, 1_500
RISK, CONFIDENCE = 0.15, 0.9
SAMPLES = 3
FEATURES = {"local": ["self_consistency", "answerability"], "remote": ["self_consistency", "local_self_consistency"]}


def _question(number):
    passage = f"Ada or Tom wrote note {number}."
    return LabelledQuestion(str(number), f"Who wrote note {number}?", passage, answers=("Ada",))


def _answer(question, role, least, most):
    """Right the more often the more samples agree, from `least` to `most`; the local model is sure besides."""
    rng = random.Random(f"{role} {question.question}")  # noqa: S311 (a drawing, not a secret)
    agreeing, sure = rng.randint(0, SAMPLES), rng.random()
    right = rng.random() < least + (most - least) * (agreeing / SAMPLES + sure) / 2
    scores = {"self_consistency": agreeing / SAMPLES} | ({"answerability": sure} if role == "local" else {})
    return Answer("Ada" if right else "Tom", scores=scores, model=role)


def _local(question):
    return _answer(question, "local", 0.45, 1.0)


def _remote(question):
    return _answer(question, "remote", 0.7, 1.0)


@pytest.fixture(scope="module")
def scorers(tmp_path_factory):
    path = tmp_path_factory.mktemp("fitted") / "records.jsonl"
    collect(map(_question, range(POOL, POOL + FITTED)), local=_local, remote=_remote, out=path, scorers=["in_context"])
    return {
        role: fit_scorer(path, role=role, model="boosted", features=features) for role, features in FEATURES.items()
    }


@pytest.fixture(scope="module")
def pool(scorers, tmp_path_factory):
    """The traffic: its records' columns, and the questions in their order."""
    path = tmp_path_factory.mktemp("pool") / "records.jsonl"
    collect(map(_question, range(POOL)), local=_local, remote=_remote, out=path, scorers=["in_context"])
    columns = read_columns(path, local_scorer=scorers["local"], remote_scorer=scorers["remote"])
    ordered = sorted(read_records(path), key=lambda record: record.digest)
    return columns.outcomes(), [_question(int(record.id)) for record in ordered]


@pytest.fixture(scope="module")
def live(pool, scorers):
    """The same traffic with the scores that the chain's supervisors give its models' answers."""
    recorded, questions = pool
    inputs = [question.as_input() for question in questions]
    answers = [(value, _local(value), _remote(value)) for value in inputs]
    return replace(
        recorded,
        local_score=np.array([scorers["local"](value, local) for value, local, _ in answers]),
        remote_score=np.array([scorers["remote"](value, remote, local=local) for value, local, remote in answers]),
        local_correct=np.array([local.text == "Ada" for _, local, _ in answers]),
        remote_correct=np.array([remote.text == "Ada" for _, _, remote in answers]),
    )


def _calibrated(recorded, scorers, draw):
    rows = np.random.default_rng(draw).integers(len(recorded), size=DRAWN)
    named = {f"{role}_scorer": scorer for role, scorer in scorers.items()}
    return calibrate(recorded.take(rows), risk=RISK, confidence=CONFIDENCE, **named)


@pytest.mark.slow
def test_the_live_chain_exceeds_the_promised_risk_in_at_most_one_calibration_of_ten(pool, live, scorers) -> None:
    recorded, _ = pool
    risks, coverages = [], []
    for draw in range(DRAWS):
        try:
            made = _calibrated(recorded, scorers, draw)
        except InfeasibleTargetError:
            continue
        decisions = decide(live, made.local.threshold, made.remote.threshold)
        risks.append(1.0 - decisions.right.sum() / decisions.answered.sum())
        coverages.append(decisions.answered.mean())
    exceeded = sum(risk > RISK for risk in risks) / DRAWS
    print(f"\n{DRAWS} draws, {len(risks)} feasible: live risk {np.mean(risks):.3f}, exceeded {exceeded:.1%}, ", end="")
    print(f"coverage {np.mean(coverages):.3f}")
    assert len(risks) > 0.8 * DRAWS  # the others are refused: no thresholds are known to keep the limit
    assert exceeded <= 1.0 - CONFIDENCE
    assert np.mean(risks) > RISK - 0.05  # the promise is not kept by answering next to nothing


@pytest.mark.slow
def test_live_scores_are_the_recorded_ones_to_the_last_digit(pool, live) -> None:
    recorded, _ = pool
    for role in ("local", "remote"):
        scores = getattr(live, f"{role}_score")
        assert np.array_equal(scores, getattr(recorded, f"{role}_score"))
        assert len(np.unique(scores)) > SAMPLES


@pytest.mark.slow
def test_the_chain_decides_as_the_live_scores_say(pool, live, scorers) -> None:
    recorded, questions = pool
    made = _calibrated(recorded, scorers, 0)
    by_name = {scorer.name: scorer for scorer in scorers.values()}
    chain = TwoSupervisorChain.from_calibration(made, local=_local, remote=_remote, scorers=by_name)
    decisions = decide(live, made.local.threshold, made.remote.threshold)
    some = range(0, len(questions), 16)
    results = chain.batch([questions[row].as_input() for row in some])
    for row, result in zip(some, results, strict=True):
        assert result.source == decisions.source[row]
        assert (result.status == "answered") == decisions.answered[row]
        right = result.status == "answered" and squad.exact_match(result.answer, questions[row].answers) == 1.0
        assert right == decisions.right[row]
