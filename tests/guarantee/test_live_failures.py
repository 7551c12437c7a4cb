"""Remote rate and budget hold in the running system, where a fifth of all calls fails and failures are paid for.

The chain of a calibration runs on fresh questions, and does with them what the columns of these questions say; of 200
calibrations and 3,000 fresh questions each the columns tell. ``TWOSUP_LIVE=3000`` has the chain run on so many.
"""

from __future__ import annotations

import os
import random

import numpy as np
import pytest

from twosup_chain import Answer, TwoSupervisorChain, calibrate, collect
from twosup_chain.calibration.given import read_given
from twosup_chain.errors import AnswererError
from twosup_chain.outcomes.decisions import decide
from twosup_chain.outcomes.price import Price
from twosup_chain.text.questions import LabelledQuestion

DRAWS, POOL, LABELLED, FRESH = 200, 1_000, 600, 3_000
LIVE = int(os.environ.get("TWOSUP_LIVE", "600"))
LIMITS = {"remote_rate": 0.5, "budget": 0.4}
PRICE = Price(1.0, 4.0, context=1_000, max_tokens=50)
FAILING = 0.2


def _question(number):
    return LabelledQuestion(str(number), f"Who wrote note {number}?", f"Ada wrote note {number}.", answers=("Ada",))


def _drawn(question, role):
    return random.Random(f"{role} {question.question}")  # noqa: S311 (a drawing, not a secret)


def _local(question):
    rng = _drawn(question, "local")
    if rng.random() < FAILING:
        raise AnswererError("the reader stumbled")
    sure = rng.random()
    return Answer("Ada" if rng.random() < sure else "Tom", scores={"answerability": sure}, model="local")


def _remote(question):
    rng = _drawn(question, "remote")
    read, written = rng.randrange(200, 1_000), rng.randrange(1, 50)
    usage = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
    if rng.random() < FAILING:
        raise AnswererError("the server cut the reply short", usage=usage)
    return Answer("Ada" if rng.random() < 0.8 else "Bob", usage=usage, model="remote")


def _columns(folder, numbers):
    path = folder / "records.jsonl"
    names = ["answerability", "grounded"]
    collect(map(_question, numbers), local=_local, remote=_remote, out=path, scorers=names)
    return read_given(
        path,
        order=None,
        scorers=dict(zip(("local_scorer", "remote_scorer"), names, strict=True)),
        models={},
        correct="exact_match",
        price=PRICE,
        missing=0.0,
        weighing={},
        where=None,
        on_remote_error="no_answer",
    ).outcomes


@pytest.fixture(scope="module")
def traffic(tmp_path_factory):
    """The columns of recorded questions, failures included, from which labelled and fresh ones are drawn."""
    return _columns(tmp_path_factory.mktemp("traffic"), range(POOL))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Those of other questions, which a chain is asked."""
    return _columns(tmp_path_factory.mktemp("fresh"), range(POOL, POOL + LIVE))


def _calibrated(traffic, draw):
    rows = np.random.default_rng(draw).integers(len(traffic), size=LABELLED)
    names = {"local_scorer": "answerability", "remote_scorer": "grounded"}
    return calibrate(traffic.take(rows), **LIMITS, confidence=0.9, **names)


@pytest.mark.slow
def test_of_three_thousand_fresh_questions_both_limits_are_kept_in_nine_calibrations_of_ten(traffic) -> None:
    kept, rates = 0, []
    for draw in range(DRAWS):
        made = _calibrated(traffic, draw)
        some = traffic.take(np.random.default_rng(DRAWS + draw).integers(len(traffic), size=FRESH))
        asked = decide(some, made.local.threshold, made.remote.threshold).escalated
        rates.append(asked.mean())
        cost = 1_000 * (some.remote_cost * asked).mean()
        kept += asked.mean() <= LIMITS["remote_rate"] and cost <= LIMITS["budget"]
    print(f"\nkept in {kept} of {DRAWS}, mean remote rate {np.mean(rates):.3f}")
    assert kept >= 0.9 * DRAWS
    assert np.mean(rates) > 0.3  # not by asking nobody


@pytest.mark.slow
def test_a_chain_asks_and_pays_on_fresh_questions_as_their_columns_say(traffic, fresh) -> None:
    made = _calibrated(traffic, 0)
    chain = TwoSupervisorChain.from_calibration(made, local=_local, remote=_remote, on_remote_error="no_answer")
    results = chain.batch([_question(number).as_input() for number in range(POOL, POOL + LIVE)])
    asked = np.array([result.local_verdict is None or not result.local_verdict.trusted for result in results])
    tokens = [(r.usage["input_tokens"], r.usage["output_tokens"]) for r in results if r.usage is not None]
    paid = sum(PRICE.of(*pair) for pair in tokens)
    columns = decide(fresh, made.local.threshold, made.remote.threshold).escalated
    print(f"\nremote rate {asked.mean():.3f}, {1_000 * paid / LIVE:.3f} for 1,000 questions")
    assert asked.sum() == columns.sum()
    assert paid == pytest.approx((fresh.remote_cost * columns).sum())
