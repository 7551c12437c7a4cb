"""Multinomial logistic regression and its temperature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from twosup_chain.fitting.multinomial import fit_multinomial, fit_temperature


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    sparse, dense = rng.random((300, 12)) * (rng.random((300, 12)) < 0.3), rng.normal(size=(300, 4))
    classes = (sparse[:, 0] * 3 + dense[:, 0] + rng.normal(size=300) > 1).astype(int) + (dense[:, 1] > 1)
    return sparse, dense, classes, rng.random(300) + 0.5


def test_it_finds_what_scikit_learn_finds(rows):
    sparse, dense, classes, weights = rows
    found = fit_multinomial(csr_matrix(sparse), dense, classes, weights, 1.0 / (10.0 * weights.sum()))
    other = LogisticRegression(C=10.0, max_iter=1000, tol=1e-8).fit(np.hstack([sparse, dense]), classes, weights)
    ours, theirs = (logits - logits.mean(axis=1, keepdims=True) for logits in (
        found.logits(csr_matrix(sparse), dense), other.decision_function(np.hstack([sparse, dense]))
    ))  # fmt: skip
    np.testing.assert_allclose(ours, theirs, atol=0.05)


def test_the_temperature_is_what_the_logits_were_multiplied_with():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(20_000, 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = (rng.random((20_000, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(max=2)
    assert fit_temperature(4.0 * logits, classes, np.ones(20_000)) == pytest.approx(4.0, rel=0.05)
