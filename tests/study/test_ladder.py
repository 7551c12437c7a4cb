"""The ladder certifies its threshold as its source does, and serves its best attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom
from study.ladder import FEWEST, Ladder, certified, gate
from study.rivals import crossfitted

if TYPE_CHECKING:
    from study.questions import Questions


def test_the_threshold_is_the_last_one_before_the_first_that_is_not_certified() -> None:
    score = np.linspace(1.0, 0.0, 400)
    failed = np.zeros(400, dtype=bool)
    failed[200:] = True
    count = int(np.flatnonzero(score == certified(score, failed, 0.1))[0]) + 1
    assert binom.cdf(failed[:count].sum(), count, 0.1) <= 0.1 < binom.cdf(failed[: count + 1].sum(), count + 1, 0.1)
    assert count > 200


def test_nothing_is_certified_where_the_strictest_attempts_fail() -> None:
    score = np.linspace(1.0, 0.0, 400)
    failed = np.arange(400) < FEWEST
    assert certified(score, failed, 0.1) == np.inf


def test_attempts_of_one_score_are_certified_together() -> None:
    score = np.repeat([0.9, 0.5], 100)
    failed = np.repeat([False, True], [120, 80])
    assert certified(score, failed, 0.1) == 0.9


def test_exhausted_it_serves_the_attempt_with_the_higher_score(made_up: Questions) -> None:
    found = crossfitted(Ladder(), made_up, 0.4)
    local, remote = gate(made_up, made_up.reader), gate(made_up, made_up.remote)
    called = found.called == 1
    assert 0 < called.mean() <= 0.5
    assert found.answered.all()
    np.testing.assert_array_equal(found.trust, np.where(called, np.maximum(local, remote), local))
    better = called & (remote > local)
    np.testing.assert_array_equal(found.f1, np.where(better, made_up.remote.made.f1, made_up.reader.made.f1))
