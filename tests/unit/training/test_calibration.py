"""Answerability as a probability."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.errors import ConfigurationError, ModelFileError
from twosup_chain.reader.folder import answerability, calibration_features
from twosup_chain.training.calibration import fit_answerability, fit_no_answer_below


def draw(n, share, rng):
    """Log-odds that are normal around +1 and -1 with variance 2: the true answerability is the logistic of them."""
    answerable = rng.random(n) < share
    margin = rng.normal(np.where(answerable, 1.0, -1.0), np.sqrt(2.0))
    return [{"null_margin": float(m), "noise": float(rng.normal())} for m in margin], answerable.tolist()


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_the_fit_finds_the_true_probabilities_of_a_balanced_population_from_any_shares(share):
    evidence, labels = draw(40_000, share, np.random.default_rng(0))
    weights = fit_answerability(evidence, labels, ("null_margin", "noise"))
    assert weights["null_margin"] == pytest.approx(1.0, abs=0.05)
    assert weights["noise"] == pytest.approx(0.0, abs=0.05)
    assert weights["intercept"] == pytest.approx(0.0, abs=0.05)


def test_classes_that_can_be_told_apart_fully_still_get_finite_weights():
    weights = fit_answerability([{"m": -1.0}, {"m": 1.0}], [False, True], ("m",))
    assert 0 < weights["m"] < 100
    assert weights["intercept"] == pytest.approx(0.0, abs=1e-6)


def test_a_feature_that_never_varies_does_no_harm():
    evidence = [{"m": float(i % 3), "same": 7.0} for i in range(30)]
    weights = fit_answerability(evidence, [i % 3 + i % 2 > 1 for i in range(30)], ("m", "same"))
    assert all(np.isfinite(value) for value in weights.values())


@pytest.mark.parametrize("labels", [[True, True], [False, False], []])
def test_one_class_alone_is_refused(labels):
    with pytest.raises(ConfigurationError, match="needs answerable and unanswerable questions"):
        fit_answerability([{"m": 1.0}] * len(labels), labels, ("m",))


@given(st.floats(-1e4, 1e4), st.floats(-3, 3))
def test_answerability_is_a_probability_that_grows_with_its_logit(value, weight):
    low, high = (answerability({"m": 1.0, "intercept": weight}, {"m": value + step}) for step in (0.0, 1.0))
    assert 0.0 <= low <= high <= 1.0
    assert answerability({"intercept": 0.0}, {}) == 0.5


def test_a_feature_of_another_version_is_named():
    with pytest.raises(ModelFileError, match="needs the feature 'charm'; this version has null_margin"):
        answerability({"charm": 1.0}, {"null_margin": 0.0})


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20))
def test_span_and_no_answer_earn_the_same_f1_at_the_threshold(forced_f1):
    threshold = fit_no_answer_below(forced_f1)
    assert 0.5 <= threshold <= 1.0
    assert threshold * np.mean(forced_f1) == pytest.approx(1.0 - threshold)


@given(st.lists(st.floats(-100.0, 100.0), min_size=1, max_size=20))
def test_the_best_spans_share_of_its_window_is_its_probability_among_all_spans_and_null(log_odds):
    best, total = max(log_odds), float(np.logaddexp.reduce(log_odds))
    found = calibration_features({"null_margin": best, "answer_log_odds": total})
    assert found["window_span_probability"] == pytest.approx(np.exp(best - np.logaddexp(0.0, total)))
    assert 0.0 <= found["window_span_probability"] <= 1.0
