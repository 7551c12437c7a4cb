"""What the scorers of decisions make of the options' probabilities."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from twosup_chain import Answer, QAInput, Supervisor
from twosup_chain.errors import MissingEvidenceError
from twosup_chain.scoring.distribution import (
    energy,
    label_agreement,
    max_softmax,
    softmax_entropy,
    softmax_margin,
    tempered_softmax,
)
from twosup_chain.scoring.features import features

ASKED = QAInput(question="Which?", context="text", options=["a", "b", "c"])
SPLIT = Answer("a", probabilities={"a": 0.6, "b": 0.3, "c": 0.1})
SURE = Answer("b", probabilities={"a": 0.0, "b": 1.0, "c": 0.0})


def test_max_softmax_margin_and_entropy_of_a_distribution() -> None:
    assert max_softmax(ASKED, SPLIT) == 0.6
    assert softmax_margin(ASKED, SPLIT) == pytest.approx(0.3)
    shares = np.array([0.6, 0.3, 0.1])
    assert softmax_entropy(ASKED, SPLIT) == pytest.approx(1 + (shares * np.log(shares)).sum() / np.log(3))
    assert max_softmax(ASKED, SURE) == softmax_margin(ASKED, SURE) == 1.0
    assert softmax_entropy(ASKED, SURE) == pytest.approx(1.0)
    even = Answer("c", probabilities=dict.fromkeys("abc", 1 / 3))
    assert (softmax_margin(ASKED, even), softmax_entropy(ASKED, even)) == (0.0, pytest.approx(0.0))
    assert softmax_margin(ASKED, Answer("c", probabilities=SPLIT.probabilities)) == 0.0


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 50.0])
def test_tempered_softmax_is_that_of_the_logits_divided_by_the_temperature(temperature) -> None:
    logits = np.array([2.0, -1.0, 0.5])
    labels = dict(zip("abc", np.exp(logits) / np.exp(logits).sum(), strict=True))
    wanted = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
    judge = Supervisor(partial(tempered_softmax, temperature=temperature), threshold=0.5)
    assert judge.judge(ASKED, Answer("a", probabilities=labels)).score == pytest.approx(wanted[0])


def test_label_agreement_is_the_local_probability_of_the_hosted_label_or_whether_both_are_the_same() -> None:
    assert label_agreement(ASKED, Answer("b"), local=SPLIT) == 0.3
    assert label_agreement(ASKED, Answer("z"), local=SPLIT) == 0.0
    assert label_agreement(ASKED, Answer("b"), local=Answer("b")) == label_agreement(
        ASKED, Answer(None), local=Answer(None)
    )
    assert label_agreement(ASKED, Answer("b"), local=Answer("a")) == 0.0


def test_energy_rises_with_the_log_sum_exp_of_the_logits_and_never_saturates() -> None:
    found = [energy(ASKED, Answer("a", scores={"energy": e})) for e in (-1e6, -3.0, 0.0, 2.0, 40.0, 41.0, 1e6)]
    assert found == sorted(set(found))
    assert found[2] == 0.5
    assert 0.0 < found[0] < found[-1] < 1.0


@pytest.mark.parametrize("scorer", [max_softmax, softmax_margin, softmax_entropy, tempered_softmax, energy])
def test_what_carries_no_such_evidence_is_an_error_that_says_what_helps(scorer) -> None:
    for answer in (Answer("a"), Answer(None, probabilities={"a": 1.0})):
        with pytest.raises(MissingEvidenceError, match="decide|TextClassifier"):
            scorer(ASKED, answer)


def test_the_features_of_a_decision_are_those_of_its_probabilities_not_of_its_words() -> None:
    found = features(ASKED, SURE, local=SPLIT)
    assert found["max_softmax"] == 1.0
    assert found["label_agreement"] == 0.3
    assert found["local_softmax_margin"] == pytest.approx(0.3)
    assert not any(name.startswith(("overlap", "in_context", "question")) for name in found)
    free = features(QAInput(question="Which?", context="text"), Answer("text"))
    assert "max_softmax" not in free
    assert len(free) > 3
    assert all(map(math.isfinite, found.values()))
