"""`calibrate(…, order=…)`: other questions fix the order of the tests, and all labelled ones test."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from twosup_chain import Calibration, calibrate
from twosup_chain.errors import ConfigurationError, InfeasibleTargetError, InputError
from twosup_chain.outcomes.outcomes import Outcomes

if TYPE_CHECKING:
    from pathlib import Path


def drawn(n: int, seed: int = 0, **options) -> Outcomes:
    rng = np.random.default_rng(seed)
    local, remote = rng.random(n), rng.random(n)
    columns = {"local_correct": rng.random(n) < 0.4 + 0.6 * local, "remote_correct": rng.random(n) < 0.6 + 0.4 * remote}
    return Outcomes(**{"local_score": local, "remote_score": remote, **columns, **options})


def test_all_labelled_questions_test_and_the_evidence_says_who_ordered() -> None:
    labelled, others = drawn(600), drawn(900, seed=1)
    made = calibrate(labelled, order=others, risk=0.15, confidence=0.9)
    assert (made.questions, made.ordering, made.testing, made.order) == (600, 900, 600, others.digest)
    assert made.heading == "Guaranteed with 90% confidence, from 600 labelled questions (900 others ordered the search)"


def test_labels_of_the_others_change_the_order_and_not_what_a_pair_is_tested_on() -> None:
    labelled, others = drawn(600), drawn(900, seed=1)
    flipped = Outcomes(
        local_score=others.local_score,
        remote_score=others.remote_score,
        local_correct=~others.local_correct,
        remote_correct=~others.remote_correct,
    )
    by_pair = []
    for order in (others, flipped):
        try:
            trace = calibrate(labelled, order=order, risk=0.2, confidence=0.5).trace
        except InfeasibleTargetError:  # a bad order costs coverage
            continue
        by_pair.append(dict(zip(zip(trace.local, trace.remote, strict=True), trace.p_value, strict=True)))
    shared = set.intersection(*map(set, by_pair))
    assert shared
    assert all(len({found[pair] for found in by_pair}) == 1 for pair in shared)


def test_traffic_without_labels_orders_by_the_risk_that_its_scores_predict() -> None:
    def rated(outcomes: Outcomes) -> Outcomes:
        """Scores that are the probabilities of being right."""
        scores = {"local_score": 0.4 + 0.6 * outcomes.local_score, "remote_score": 0.6 + 0.4 * outcomes.remote_score}
        return replace(outcomes, **scores)

    coverage = {"split": [], "traffic": []}
    for draw in range(10):
        labelled, traffic = rated(drawn(300, seed=draw)), rated(drawn(900, seed=100 + draw))
        unlabelled = Outcomes.unlabelled(local_score=traffic.local_score, remote_score=traffic.remote_score)
        for name, order in (("split", None), ("traffic", unlabelled)):
            try:
                made = calibrate(labelled, order=order, risk=0.15, confidence=0.9, prefer="coverage")
                coverage[name].append(made.estimate("coverage").value)
            except InfeasibleTargetError:
                coverage[name].append(0.0)
    assert np.mean(coverage["traffic"]) > np.mean(coverage["split"]) + 0.05


def test_the_same_questions_cannot_order_and_test() -> None:
    with pytest.raises(ConfigurationError, match="the labelled questions themselves"):
        calibrate(drawn(600), order=drawn(600), risk=0.15, confidence=0.9)


def test_what_the_order_lacks_is_named() -> None:
    with pytest.raises(InputError, match="order holds no question"):
        calibrate(drawn(600), order=drawn(0), risk=0.15, confidence=0.9)
    with pytest.raises(ConfigurationError, match="without a confidence nothing is tested"):
        calibrate(drawn(600), order=drawn(600, seed=1), risk=0.15)
    with pytest.raises(ConfigurationError, match="of the questions in order, the hosted calls have no costs"):
        calibrate(drawn(600, remote_cost=np.ones(600)), order=drawn(9, seed=1), risk=0.15, budget=900.0, confidence=0.9)
    with pytest.raises(ConfigurationError, match="records are Outcomes, and order is not"):
        calibrate(drawn(600), order="records.jsonl", risk=0.15, confidence=0.9)


def test_a_file_says_who_ordered_and_one_without_is_as_before(tmp_path: Path) -> None:
    made = calibrate(drawn(600), order=drawn(900, seed=1), risk=0.15, confidence=0.9)
    made.save(tmp_path / "ordered.json")
    assert Calibration.load(tmp_path / "ordered.json") == made
    calibrate(drawn(600), risk=0.2, confidence=0.9).save(tmp_path / "split.json")
    assert '"order"' not in (tmp_path / "split.json").read_text()
