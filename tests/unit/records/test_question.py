"""One line of a records file: what it keeps, with texts and without, and that nothing is lost on the way to disk."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.errors import InputError
from twosup_chain.records.prediction import RecordedPrediction, features_of
from twosup_chain.records.question import QuestionRecord
from twosup_chain.schema import Answer
from twosup_chain.text.questions import LabelledQuestion, digest

LABELLED = LabelledQuestion(id="q", question="Who?", context="Ada wrote it.", answers=("Ada", "Ada L."))
ANSWER = Answer("Ada Byron", token_logprobs=[("Ada", -0.1), (" Byron", float("-inf"))], model="m-1")


def _record(*, text=True, local=None, remote=None):
    prediction = RecordedPrediction.of(ANSWER, answers=LABELLED.answers, trust={"a": 0.25, "b": None}, text=text)
    return QuestionRecord.of(LABELLED, local=local or prediction, remote=remote or prediction, text=text)


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


def test_the_digest_changes_with_question_context_and_answers_but_not_with_the_id():
    changed = [{"question": "Whom?"}, {"context": "Ada."}, {"answers": ("Ada",)}]
    digests = {digest(LABELLED.model_copy(update=change)) for change in [{}, *changed]}
    assert len(digests) == 4
    assert digest(LABELLED.model_copy(update={"id": "other"})) == digest(LABELLED)


@pytest.mark.parametrize(("answers", "expected"), [((), False), (("the", "!"), False), (("the", "Ada"), True)])
def test_a_question_is_answerable_where_an_accepted_answer_holds_a_word(answers, expected):
    labelled = LABELLED.model_copy(update={"answers": answers})
    prediction = RecordedPrediction.of(ANSWER, answers=answers, trust={}, text=True)
    record = QuestionRecord.of(labelled, local=prediction, remote=prediction, text=True)
    assert record.answerable is expected


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
