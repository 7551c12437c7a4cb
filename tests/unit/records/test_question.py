"""One line of a records file: what it keeps, with texts and without, and that nothing is lost on the way to disk."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.errors import InputError, RefusalError
from twosup_chain.records.question import QuestionRecord, RecordedPrediction, features_of, is_answerable
from twosup_chain.schema import Answer
from twosup_chain.text.questions import LabelledQuestion, digest

EXAMPLE = LabelledQuestion(id="q", question="Who?", context="Ada wrote it.", answers=("Ada", "Ada L."))
ANSWER = Answer(
    "Ada Byron",
    scores={"answerability": 0.9, "margin": float("inf")},
    token_logprobs=[("Ada", -0.1), (" Byron", float("-inf"))],
    usage={"input_tokens": 7, "output_tokens": 2, "total_tokens": 9},
    seconds=0.5,
    model="m-1",
)


def _record(*, text=True, local=None, remote=None):
    prediction = RecordedPrediction.of(ANSWER, answers=EXAMPLE.answers, trust={"a": 0.25, "b": None}, text=text)
    return QuestionRecord(
        id="q",
        digest=digest(EXAMPLE),
        answerable=is_answerable(EXAMPLE),
        question=EXAMPLE.question if text else None,
        answers=EXAMPLE.answers if text else None,
        local=local or prediction,
        remote=remote or prediction,
    )


def test_a_prediction_is_measured_by_the_official_rule_and_keeps_its_evidence():
    local = _record().local
    assert (local.exact_match, local.f1, local.no_answer) == (0.0, pytest.approx(2 / 3), False)
    assert local.scores == {"answerability": 0.9, "margin": None}
    assert (local.logprobs, local.tokens) == ((-0.1, None), ("Ada", " Byron"))
    assert (local.usage.input_tokens, local.usage.output_tokens, local.seconds, local.model) == (7, 2, 0.5, "m-1")


def test_without_texts_no_text_of_question_answer_or_tokens_is_in_the_line():
    line = _record(text=False).as_line().decode()
    assert not any(word in line for word in ("Ada", "Byron", "Who"))
    assert '"logprobs":[-0.1,null]' in line


def test_a_line_is_json_with_the_version_first_and_comes_back_equal():
    record = _record(remote=RecordedPrediction.failed(TimeoutError("slow"), text=True, seconds=3.0))
    line = record.as_line()
    assert line.startswith(b'{"version":3,')
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert QuestionRecord(**json.loads(line)) == record


def test_a_failed_call_has_neither_measure_nor_trust_and_no_key_in_its_message():
    usage = {"input_tokens": 5, "output_tokens": 1, "total_tokens": 6}
    error = RefusalError("no: Bearer sk-123456789abc\nreally", usage)
    failed = RecordedPrediction.failed(error, text=True)
    assert failed.error == "RefusalError: no: Bearer *** really"
    assert (failed.exact_match, failed.f1, failed.trust, failed.no_answer) == (None, None, {}, None)
    assert failed.usage.input_tokens == 5
    assert RecordedPrediction.failed(error, text=False).error == "RefusalError"


def test_the_digest_changes_with_question_context_and_answers_but_not_with_the_id():
    changed = [{"question": "Whom?"}, {"context": "Ada."}, {"answers": ("Ada",)}]
    digests = {digest(EXAMPLE.model_copy(update=change)) for change in [{}, *changed]}
    assert len(digests) == 4
    assert digest(EXAMPLE.model_copy(update={"id": "other"})) == digest(EXAMPLE)


@pytest.mark.parametrize(("answers", "expected"), [((), False), (("the", "!"), False), (("the", "Ada"), True)])
def test_a_question_is_answerable_where_an_accepted_answer_holds_a_word(answers, expected):
    assert is_answerable(EXAMPLE.model_copy(update={"answers": answers})) is expected


@pytest.mark.parametrize("field", ["exact_match", "f1"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_measure_outside_0_to_1_is_refused_by_name(field, value):
    with pytest.raises(InputError, match=f"RecordedPrediction: '?{field}"):
        RecordedPrediction(**{field: value})


def test_a_record_of_another_version_is_refused():
    with pytest.raises(InputError, match="version=4"):
        QuestionRecord(**{**_record().model_dump(), "version": 4})


def test_the_features_of_version_2_are_read_by_their_name_now():
    old = {"no_answer": False, "exact_match": 1.0, "f1": 1.0, "signals": {"token_min": -0.5, "odd": None}}
    fields = {**json.loads(_record().as_line()), "version": 2, "local": old}
    assert QuestionRecord(**fields).local.features == features_of(old) == {"token_min": -0.5}


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_feature_comes_back_to_the_last_digit_however_the_line_is_read(number):
    local = RecordedPrediction.of(ANSWER, answers=["x"], trust={}, text=True, features={"x": number})
    line = _record(local=local).as_line()
    assert QuestionRecord(**json.loads(line)).local.features == {"x": number}
    assert orjson.loads(line)["local"]["features"] == {"x": number}


@given(question=st.text(min_size=1), answer=st.text(), logprob=st.floats(max_value=0, allow_nan=False))
def test_any_text_and_number_survive_the_way_through_a_line(question, answer, logprob):
    given = Answer(answer, token_logprobs=[(answer, logprob)])
    local = RecordedPrediction.of(given, answers=["x"], trust={"s": 0.1 + 0.2}, text=True)
    record = QuestionRecord(id="i", digest="0" * 16, answerable=True, question=question, local=local, remote=local)
    line = record.as_line()
    assert line.count(b"\n") == 1
    back = QuestionRecord(**json.loads(line))
    assert back.local == local
    assert back.question == question.encode("utf-8", "replace").decode()
