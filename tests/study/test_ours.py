"""Our rule is fitted on other articles, keeps its budget, and finds what can be found."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest
from study.estimates import Choice, Supervisors
from study.ours import WORTHS, Ours, routed, trust_without_asking

if TYPE_CHECKING:
    from study.columns import Columns


@pytest.fixture(scope="module")
def telling(made_up: Columns) -> Columns:
    """The made-up questions with signals that tell a part of the truth."""
    rng = np.random.default_rng(5)

    def hint(truth: np.ndarray) -> np.ndarray:
        return truth + rng.normal(scale=0.9, size=len(truth))

    local = {"answerability": hint(made_up.answerable), "span": hint(made_up.span.exact)}
    return dataclasses.replace(
        made_up, local_signals=local, remote_signals={**local, "remote": hint(made_up.remote.exact)}
    )


@pytest.fixture(scope="module")
def ours(telling: Columns) -> Ours:
    return Ours(telling)


def test_it_beats_both_models_where_the_signals_tell_something(ours: Ours, telling: Columns) -> None:
    found = ours.within(0.9)
    assert found.exact.mean() > max(telling.reader.exact.mean(), telling.remote.exact.mean()) + 0.05


@pytest.mark.parametrize("by", WORTHS)
def test_more_calls_are_made_where_more_are_allowed_and_never_too_many(ours: Ours, by: str) -> None:
    rates = [ours.within(rate, by).remote_rate for rate in (0.1, 0.3, 0.6)]
    assert rates == sorted(rates)
    assert all(found <= rate + 0.05 for found, rate in zip(rates, (0.1, 0.3, 0.6), strict=True))
    assert ours.without_calls().remote_rate == 0.0


def test_no_label_of_a_held_out_article_reaches_its_estimates(ours: Ours, telling: Columns) -> None:
    held = ours.folds[0].held
    flipped = dataclasses.replace(
        telling,
        answerable=np.where(held, ~telling.answerable, telling.answerable),
        remote=dataclasses.replace(
            telling.remote, exact=np.where(held, 1 - telling.remote.exact, telling.remote.exact)
        ),
    )
    found = Ours(flipped).folds[0].estimates
    assert found.gain == pytest.approx(ours.folds[0].estimates.gain)
    assert found.after.trust == pytest.approx(ours.folds[0].estimates.after.trust)


def test_the_estimates_before_a_call_are_fitted_on_what_the_reader_alone_was_asked(telling: Columns) -> None:
    rest, held = telling.article != "article 0", telling.article == "article 0"
    read = dataclasses.replace(
        telling,
        answerable=np.where(rest, ~telling.answerable, telling.answerable),
        span=dataclasses.replace(telling.span, f1=np.where(rest, 1 - telling.span.f1, telling.span.f1)),
    )
    train, asked = telling.take(rest), telling.take(held)
    alone, other = Supervisors(train).estimates(asked), Supervisors(train, read).estimates(asked)
    assert np.corrcoef(alone.before.trust, other.before.trust)[0, 1] < 0.5
    assert other.after.trust == pytest.approx(alone.after.trust)


def test_no_label_of_a_held_out_article_reaches_its_estimates_from_what_the_reader_was_asked(telling: Columns) -> None:
    held = telling.article == "article 0"
    flipped = dataclasses.replace(telling, answerable=np.where(held, ~telling.answerable, telling.answerable))
    train, asked = telling.take(~held), telling.take(held)
    found = [Supervisors(train, read).estimates(asked).before.trust for read in (telling, flipped)]
    assert found[0] == pytest.approx(found[1])


def test_the_likeliest_option_is_chosen() -> None:
    column = np.array
    found = Choice.of([(column([0.2, 0.6]), column([0.0, 1.0]), column([0.1, 1.0])), (column([0.5, 0.1]),) * 3])
    assert found.trust.tolist() == [0.5, 0.6]
    assert found.f1.tolist() == [0.5, 1.0]


def test_trust_without_asking_falls_with_the_gain_and_is_in_range(ours: Ours) -> None:
    estimates = ours.folds[0].estimates
    trust = trust_without_asking(estimates, "gain")
    assert ((trust >= 0) & (trust <= 1)).all()
    assert (np.argsort(trust, kind="stable") == np.argsort(-estimates.gain, kind="stable")).all()


def test_a_threshold_of_trust_leaves_open_what_is_below_it(ours: Ours) -> None:
    fold = ours.folds[0]
    found = routed("", fold.estimates, fold.columns, 1.1, 0.7)
    assert (found.answered == (fold.estimates.after.trust >= 0.7)).all()
    assert (found.exact[~found.answered] == fold.columns.null[~found.answered]).all()


def test_estimates_of_the_fitting_questions_are_out_of_fold(telling: Columns) -> None:
    noise = np.random.default_rng(7).random((40, len(telling)))
    useless = {f"noise {k}": column for k, column in enumerate(noise)}
    train = dataclasses.replace(telling, local_signals=useless, remote_signals=useless)
    before = Supervisors(train).train.before
    assert before.exact.mean() == pytest.approx(0.5, abs=0.1)
