"""Risk–coverage, its areas, S_beta and AUROC, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import trapezoid

from twosup_chain.curves import augrc, aurc, auroc, risk_coverage, s_beta
from twosup_chain.errors import InputError

PAIRS = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=40)


def columns(pairs):
    score, correct = zip(*pairs, strict=True)
    return np.array(score, float), np.array(correct)


def slow_risks(score, correct):
    """Selective risk after 1, 2, …, n questions; among tied ones each is as likely to come first."""
    risks = []
    for i in range(1, len(score) + 1):
        least = sorted(score)[-i]
        above, at = score > least, score == least
        wrong = (~correct[above]).sum() + (i - above.sum()) * (~correct[at]).mean()
        risks.append(wrong / i)
    return np.array(risks)


def test_risk_falls_where_the_trusted_are_right():
    curve = risk_coverage([0.9, 0.8, 0.2, 0.1], [True, False, True, False])
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk.tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert curve.random.tolist() == [0.5] * 4
    assert curve.oracle.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 2])


@given(PAIRS)
def test_curve_and_areas_equal_their_definitions(pairs):
    score, correct = columns(pairs)
    n, risks = len(score), slow_risks(score, correct)
    assert risk_coverage(score, correct).risk == pytest.approx(risks)
    assert aurc(score, correct) == pytest.approx(risks.mean())
    generalised = np.concatenate([[0.0], risks * np.arange(1, n + 1) / n])
    assert augrc(score, correct) == pytest.approx(trapezoid(generalised, np.arange(n + 1) / n))


@given(PAIRS, st.randoms())
def test_areas_do_not_depend_on_the_order_of_the_rows(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    for figure in (aurc, augrc):
        assert figure(*columns(pairs)) == pytest.approx(figure(*columns(shuffled)))


@given(PAIRS.filter(lambda pairs: len({correct for _, correct in pairs}) == 2))
def test_augrc_follows_from_auroc_and_accuracy_as_traub_et_al_have_it(pairs):
    score, correct = columns(pairs)
    accuracy = correct.mean()
    closed = (1 - auroc(score, correct)) * accuracy * (1 - accuracy) + (1 - accuracy) ** 2 / 2
    assert augrc(score, correct) == pytest.approx(closed)


@given(PAIRS)
def test_auroc_is_the_share_of_ordered_pairs(pairs):
    positive = [s for s, label in pairs if label]
    negative = [s for s, label in pairs if not label]
    found = auroc(*columns(pairs))
    if not positive or not negative:
        assert np.isnan(found)
        return
    assert found == pytest.approx(np.mean([(p > n) + (p == n) / 2 for p in positive for n in negative]))


def test_fewer_steps_give_coverages_up_to_one():
    curve = risk_coverage(np.arange(10) / 10, np.arange(10) >= 5, steps=4)
    assert curve.coverage.tolist() == [0.3, 0.5, 0.8, 1.0]
    assert curve.risk.tolist() == pytest.approx([0, 0, 3 / 8, 1 / 2])


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("right", [True, False])
def test_one_class_only(n, right):
    score, correct = np.full(n, 0.5), np.full(n, right)
    assert aurc(score, correct) == 1 - right
    assert risk_coverage(score, correct).oracle.tolist() == [1 - right] * n
    assert np.isnan(auroc(score, correct))


def test_no_question_is_an_error_that_says_so():
    for figure in (aurc, augrc, risk_coverage):
        with pytest.raises(InputError, match="score is empty: pass at least one labelled question"):
            figure([], [])


def test_s_beta_is_the_weighted_harmonic_mean():
    assert s_beta(0.8, 0.5, 1) == pytest.approx(2 * 0.8 * 0.5 / 1.3)
    assert s_beta(0.8, 0.5, 2) == pytest.approx(1 / (0.2 / 0.8 + 0.8 / 0.5))
    assert s_beta([0.8, 0.3], [0.8, 0.3], 0.5) == pytest.approx([0.8, 0.3])
    assert np.isnan(s_beta(0.0, 0.0, 1))
    assert np.isnan(s_beta(np.nan, 0.5, 1))
