"""A recorded prediction: how it is measured, what it keeps, and what a failed call leaves."""

from __future__ import annotations

import pytest

from twosup_chain.errors import InputError, RefusalError
from twosup_chain.records.prediction import RecordedPrediction
from twosup_chain.schema import Answer

ANSWER = Answer(
    "Ada Byron",
    scores={"answerability": 0.9, "margin": float("inf")},
    token_logprobs=[("Ada", -0.1), (" Byron", float("-inf"))],
    usage={"input_tokens": 7, "output_tokens": 2, "total_tokens": 9},
    seconds=0.5,
    model="m-1",
)


def test_a_prediction_is_measured_by_the_official_rule_and_keeps_its_evidence():
    local = RecordedPrediction.of(ANSWER, answers=("Ada", "Ada L."), trust={}, text=True)
    assert (local.exact_match, local.f1, local.no_answer) == (0.0, pytest.approx(2 / 3), False)
    assert local.scores == {"answerability": 0.9, "margin": None}
    assert (local.logprobs, local.tokens) == ((-0.1, None), ("Ada", " Byron"))
    assert (local.usage.input_tokens, local.usage.output_tokens, local.seconds, local.model) == (7, 2, 0.5, "m-1")


def test_a_failed_call_has_neither_measure_nor_trust_and_no_key_in_its_message():
    usage = {"input_tokens": 5, "output_tokens": 1, "total_tokens": 6}
    error = RefusalError("no: Bearer sk-123456789abc\nreally", usage)
    failed = RecordedPrediction.failed(error, text=True)
    assert failed.error == "RefusalError: no: Bearer *** really"
    assert (failed.exact_match, failed.f1, failed.trust, failed.no_answer) == (None, None, {}, None)
    assert failed.usage.input_tokens == 5
    assert RecordedPrediction.failed(error, text=False).error == "RefusalError"


@pytest.mark.parametrize("field", ["exact_match", "f1"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_measure_outside_0_to_1_is_refused_by_name(field, value):
    with pytest.raises(InputError, match=f"RecordedPrediction: '?{field}"):
        RecordedPrediction(**{field: value})
