"""``guarantee="mean"``: what it finds, and that it says what it does not promise."""

from __future__ import annotations

import numpy as np
import pytest

from twosup_chain import calibrate
from twosup_chain.errors import ConfigurationError, InfeasibleTargetError
from twosup_chain.outcomes.outcomes import Outcomes


def drawn(n: int, seed: int = 0) -> Outcomes:
    rng = np.random.default_rng(seed)
    local, remote = rng.random(n), rng.random(n)
    right = {"local_correct": rng.random(n) < 0.4 + 0.6 * local, "remote_correct": rng.random(n) < 0.6 + 0.4 * remote}
    return Outcomes(local_score=local, remote_score=remote, **right)


def test_the_least_remote_threshold_that_passes_is_taken() -> None:
    labelled = drawn(300)
    made = calibrate(labelled, order=drawn(900, seed=1), risk=0.15, guarantee="mean")
    assert (made.method, made.confidence, made.testing) == ("average", None, 300)
    escalated = labelled.local_score < made.local.threshold

    def passes(remote: float) -> bool:
        answered = ~escalated | (labelled.remote_score >= remote)
        wrong = answered & ~np.where(escalated, labelled.remote_correct, labelled.local_correct)
        return 1 + wrong.sum() <= 0.15 * answered.sum()

    assert passes(made.remote.threshold)
    lower = labelled.remote_score[escalated & (labelled.remote_score < made.remote.threshold)]
    assert not any(map(passes, lower))


def test_it_says_in_one_sentence_what_it_does_not_promise() -> None:
    made = calibrate(drawn(400), risk=0.15, guarantee="mean")
    assert made.heading.startswith("Kept on average over calibrations, from 400 labelled questions")
    assert "it is not promised that this calibration keeps it" in made.warnings[0]
    assert "Guaranteed" not in str(made)


def test_fewer_labels_answer_more_than_with_a_confidence() -> None:
    found = {"mean": [], "confidence": []}
    for seed in range(10):
        for name, options in (("mean", {"guarantee": "mean"}), ("confidence", {"confidence": 0.9})):
            try:
                made = calibrate(drawn(200, seed=seed), order=drawn(500, seed=50 + seed), risk=0.15, **options)
                found[name].append(made.estimate("coverage").value)
            except InfeasibleTargetError:
                found[name].append(0.0)
    assert np.mean(found["mean"]) > np.mean(found["confidence"]) + 0.1


def test_it_takes_risk_alone_and_no_confidence() -> None:
    with pytest.raises(ConfigurationError, match="is for risk alone, not for remote_rate ≤ 0.5, risk ≤ 0.1"):
        calibrate(drawn(100), risk=0.1, remote_rate=0.5, guarantee="mean")
    with pytest.raises(ConfigurationError, match="leave the confidence out"):
        calibrate(drawn(100), risk=0.1, guarantee="mean", confidence=0.9)
    with pytest.raises(ConfigurationError, match="guarantee='average': pass one of 'confidence', 'mean'"):
        calibrate(drawn(100), risk=0.1, guarantee="average")


def test_where_nothing_passes_there_is_none() -> None:
    with pytest.raises(InfeasibleTargetError, match="no thresholds keep risk ≤ 0.001"):
        calibrate(drawn(100), risk=0.001, guarantee="mean")
