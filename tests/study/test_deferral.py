"""The rejector asks where the hosted model is expected to cost less, and keeps its budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from study.deferral import Deferral
from study.rivals import crossfitted, random_routing

if TYPE_CHECKING:
    from study.questions import Questions


def test_it_asks_where_it_pays_and_so_beats_chance(made_up: Questions) -> None:
    found = crossfitted(Deferral(), made_up, 0.6)
    assert found.called.any()
    assert found.exact_match.mean() > random_routing(made_up, found.remote_rate).exact_match.mean() + 0.02


def test_every_answer_is_one_of_both_and_none_is_refused(made_up: Questions) -> None:
    found = crossfitted(Deferral(), made_up, 0.6)
    expected = np.where(found.called == 1, made_up.remote.made.f1, made_up.reader.made.f1)
    np.testing.assert_array_equal(found.f1, expected)
    assert found.answered.all()


def test_a_smaller_budget_means_fewer_calls_on_the_fitting_questions(made_up: Questions) -> None:
    rates = [Deferral().fitted(made_up, budget)(made_up).remote_rate for budget in (0.1, 0.3, 0.6)]
    assert rates == sorted(rates)
    assert all(rate <= budget for rate, budget in zip(rates, (0.1, 0.3, 0.6), strict=True))
