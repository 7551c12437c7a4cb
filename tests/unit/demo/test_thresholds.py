"""Fixing the demo's thresholds: the best pair on the grid is found, and a call has its price."""

from __future__ import annotations

import numpy as np
import pytest

from twosup_chain.demo.thresholds import Outcomes, choose
from twosup_chain.errors import ConfigurationError


def outcomes(local, remote, nothing, local_scores, remote_scores) -> Outcomes:
    columns = (np.array(column, dtype=float) for column in (local, remote, nothing, local_scores, remote_scores))
    local, remote, nothing, local_scores, remote_scores = columns
    return Outcomes(local, remote, nothing, {"answerability": local_scores}, {"grounded": remote_scores})


def test_perfect_scores_give_the_oracle() -> None:
    found = outcomes([1, 0, 0], [1, 1, 0], [0, 0, 1], [0.9, 0.2, 0.1], [0.9, 0.9, 0.1])
    choice = choose(found, call_price=0.0)
    assert choice.f1 == 1.0
    assert choice.remote_rate == pytest.approx(2 / 3)
    assert 0.2 < choice.local.threshold <= 0.9
    assert 0.1 < choice.remote.threshold <= 0.9


def test_a_call_that_brings_less_than_its_price_is_not_made() -> None:
    found = outcomes([1, 0.5], [1, 0.6], [0, 0], [0.9, 0.2], [0.9, 0.9])
    assert choose(found, call_price=0.05).remote_rate == 0.5
    assert choose(found, call_price=0.2).remote_rate == 0.0


def test_the_better_scorer_is_chosen() -> None:
    good, bad = np.array([0.9, 0.1]), np.array([0.1, 0.9])
    found = Outcomes(
        local=np.array([1.0, 0.0]),
        remote=np.array([0.0, 1.0]),
        nothing=np.zeros(2),
        local_scores={"bad": bad, "good": good},
        remote_scores={"any": np.ones(2)},
    )
    assert choose(found, call_price=0.0).local.scorer == "good"


def test_of_settings_that_are_worth_the_same_the_one_that_abstains_most_is_chosen() -> None:
    found = outcomes([1, 0, 0], [1, 1, 0], [0, 0, 0], [0.9, 0.2, 0.1], [0.9, 0.9, 0.1])
    choice = choose(found, call_price=0.0)
    assert choice.abstention == pytest.approx(1 / 3)
    assert choice.f1 == pytest.approx(2 / 3)


def test_the_hosted_model_gets_the_share_that_it_is_to_answer_even_where_the_local_one_is_better() -> None:
    found = outcomes([1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0.9, 0.8, 0.7, 0.1], [0.9, 0.2, 0.2, 0.1])
    assert choose(found, call_price=0.05).remote_rate == 0.25
    choice = choose(found, call_price=0.05, remote_share=0.25)
    assert choice.remote_rate - choice.abstention >= 0.25
    with pytest.raises(ConfigurationError, match=r"remote_share=1\.5: no setting"):
        choose(found, call_price=0.05, remote_share=1.5)
