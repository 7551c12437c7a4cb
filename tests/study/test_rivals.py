"""The rivals do what their sources say, and are fitted as well as they can be."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study.rivals import (
    Cascade,
    Isotonic,
    Margin,
    Pair,
    best_threshold,
    crossfitted,
    margin,
    mean,
    oracle_router,
    random_routing,
    span_softmax,
)

if TYPE_CHECKING:
    from study.questions import Questions

scores = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=25)


@given(scores, st.sampled_from([0.0, 0.2, 0.5, 1.0]))
def test_the_best_threshold_is_the_best_of_all(rows: list[tuple[int, int, int]], budget: float) -> None:
    score, local, remote = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    allowed = [
        np.where(score < threshold, remote, local).mean()
        for threshold in (*np.unique(score), np.inf)
        if (score < threshold).sum() <= budget * len(score)
    ]
    threshold, value = best_threshold(score, local, remote, budget)
    assert value == pytest.approx(max(allowed))
    assert np.where(score < threshold, remote, local).mean() == pytest.approx(value)
    assert (score < threshold).sum() <= budget * len(score)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_isotonic_rates_never_fall_and_stay_in_range(rows: list[tuple[float, int]]) -> None:
    score, happened = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    rates = Isotonic(score, happened)(np.linspace(-1, 2, 50))
    assert (np.diff(rates) >= -1e-12).all()
    assert ((rates >= 0) & (rates <= 1)).all()


def test_cascadeflow_keeps_a_draft_from_a_mean_probability_of_seven_fifteenths_on(made_up: Questions) -> None:
    found = crossfitted(Cascade("small"), made_up)
    assert ((mean(made_up.small) >= 0.7 / 1.5) == (found.called == 0)).all()
    assert found.f1[found.called == 1] == pytest.approx(made_up.remote.made.f1[found.called == 1])


def test_ucci_calls_no_more_often_than_its_target_needs(made_up: Questions) -> None:
    route = Margin("small").fitted(made_up, 1.0)
    found = route(made_up)
    fewer = [
        np.where(found.trust < threshold, made_up.remote.made.exact_match, made_up.small.made.exact_match).mean()
        for threshold in np.unique(found.trust[found.called == 0])[:1]
    ]
    best = max(
        np.where(margin(made_up.small) < least, made_up.remote.made.exact_match, made_up.small.made.exact_match).mean()
        for least in np.append(margin(made_up.small), np.inf)
    )
    assert fewer
    assert found.exact_match.mean() >= best - 0.03


def test_the_papers_second_threshold_reaches_its_false_positive_rate(made_up: Questions) -> None:
    found = Pair("fpr").fitted(made_up, 0.5)(made_up)
    escalated, right = found.called == 1, made_up.remote.made.exact_match > 0
    refused = (escalated & ~found.answered & right).sum()
    trusted = (escalated & found.answered & right).sum() + ((made_up.reader.made.exact_match > 0) & ~escalated).sum()
    assert refused / (refused + trusted) == pytest.approx(0.05, abs=0.02)


def test_an_abstention_counts_as_no_answer(made_up: Questions) -> None:
    found = Pair("fpr").fitted(made_up, 0.5)(made_up)
    assert (~found.answered).any()
    assert (found.exact_match[~found.answered] == made_up.null[~found.answered]).all()


def test_both_thresholds_together_are_no_worse_than_the_first_alone(made_up: Questions) -> None:
    both, one = (Pair(rule).fitted(made_up, 0.4)(made_up).f1.mean() for rule in ("f1", "none"))
    assert both >= one


@pytest.mark.parametrize("budget", [0.0, 0.2, 1.0])
def test_no_choice_between_the_two_models_beats_the_oracle(made_up: Questions, budget: float) -> None:
    oracle = oracle_router(made_up, budget)
    assert oracle.remote_rate <= budget
    trust = span_softmax(made_up)
    escalated = trust <= np.quantile(trust, budget) - 1e-12
    assert oracle.f1.mean() >= np.where(escalated, made_up.remote.made.f1, made_up.reader.made.f1).mean()


def test_random_routing_is_the_mean_of_both_models(made_up: Questions) -> None:
    found = random_routing(made_up, 0.25)
    assert found.f1.mean() == pytest.approx(0.75 * made_up.reader.made.f1.mean() + 0.25 * made_up.remote.made.f1.mean())


def test_rules_are_judged_on_other_articles_than_they_are_fitted_on(made_up: Questions) -> None:
    held = made_up.article == "made up/article 0"
    remote = made_up.remote
    flipped = dataclasses.replace(remote.made, f1=np.where(held, 1 - remote.made.f1, remote.made.f1))
    changed = dataclasses.replace(made_up, remote=dataclasses.replace(remote, made=flipped))
    rule = Pair("f1")
    assert (crossfitted(rule, made_up, 0.4).called[held] == crossfitted(rule, changed, 0.4).called[held]).all()
