"""Records are frozen, checked, comparable, and survive JSON and pickle."""

from __future__ import annotations

import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from pydantic import ValidationError

from twosup_chain import Answer, Candidate, QAInput, TokenLogprob, TwoSupervisorResult, Verdict
from twosup_chain.errors import InputError, UnknownOptionError
from twosup_chain.schema import total_usage

USAGE = {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}
CANDIDATE = Candidate("a", 0, 1, 0, 0.5)
ANSWER = Answer("a", scores={"s": 0.5}, token_logprobs=[("a", -0.5)], candidates=[CANDIDATE], usage=USAGE)
VERDICT = Verdict(0.5, 0.4, trusted=True, scorer="s")
RESULT = TwoSupervisorResult("a", "answered", "local", local=ANSWER, local_verdict=VERDICT)


@pytest.mark.parametrize("record", [CANDIDATE, ANSWER, VERDICT, RESULT, QAInput(question="q", context=["a", "b"])])
def test_a_record_survives_json_and_pickle_and_cannot_be_changed(record) -> None:
    assert type(record).model_validate_json(record.model_dump_json()) == record
    assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301
    with pytest.raises(ValidationError, match="frozen"):
        setattr(record, next(iter(type(record).model_fields)), "other")


def test_log_probabilities_may_be_numbers_pairs_or_records() -> None:
    answer = Answer("a", token_logprobs=[-0.1, ("b", -0.2), ["c", -0.3], TokenLogprob(token="d", logprob=-0.4)])
    assert [(t.token, t.logprob) for t in answer.token_logprobs] == [
        (None, -0.1),
        ("b", -0.2),
        ("c", -0.3),
        ("d", -0.4),
    ]


@pytest.mark.parametrize("logprob", [math.nan, 0.5, "high", None])
def test_a_log_probability_is_at_most_zero(logprob) -> None:
    with pytest.raises(InputError, match="logprob"):
        TokenLogprob(token="a", logprob=logprob)


def test_rounding_above_zero_is_forgiven() -> None:
    assert TokenLogprob(token="a", logprob=1e-7).logprob == 0.0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Answer(7), "Answer: text=7"),
        (lambda: Answer("a", start="x"), "Answer: start='x'"),
        (lambda: Verdict(0.5, 0.4, True, "s", "answer", {}, "surplus"), "takes 6 fields"),  # noqa: FBT003
        (QAInput, "'question' is missing"),
        (lambda: QAInput(question=" "), "blank"),
        (lambda: QAInput(question="q", context={"a"}), "context={'a'} is a set"),
        (lambda: QAInput(question="q", context=b"bytes"), "is a bytes"),
    ],
)
def test_a_bad_field_is_named_with_its_value(make, said) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert said in str(caught.value)


def test_an_unknown_field_lists_the_good_ones() -> None:
    with pytest.raises(UnknownOptionError, match="'scored'.*Did you mean 'scores'"):
        Answer("a", scored={})


@given(st.text(alphabet=st.characters(codec=None, exclude_categories=())))
def test_replacing_surrogates_keeps_every_offset(text) -> None:
    (passage,) = QAInput(question="q", context=text).passages
    assert len(passage) == len(text)
    passage.encode()
    assert all(a == b or (b == "\ufffd" and "\ud800" <= a <= "\udfff") for a, b in zip(text, passage, strict=True))


def test_documents_keep_their_metadata() -> None:
    documents = [Document(page_content="a\ud800", metadata={"page": 3}), "b"]
    question = QAInput(question="q", context=documents)
    assert question.passages == ("a\ufffd", "b")
    assert question.context[0].metadata == {"page": 3}
    assert question.as_dict()["context"] == list(question.context)


def test_an_input_can_be_read_like_a_dict() -> None:
    question = QAInput(question="q", id="7")
    assert (question["question"], question["context"], question["id"]) == ("q", None, "7")
    with pytest.raises(KeyError):
        question["answer"]
    assert QAInput.coerce({**question.as_dict(), "result": RESULT}) == question


def test_usage_of_several_answers_is_summed_and_unknown_stays_unknown() -> None:
    assert total_usage(ANSWER, None, Answer("b"), ANSWER)["total_tokens"] == 8
    assert total_usage(None, Answer("b")) is None


def test_the_result_says_no_answer_in_the_callers_words() -> None:
    assert RESULT.as_text("nothing") == "a"
    assert TwoSupervisorResult(None, "untrusted", "none").as_text("nothing") == "nothing"


@pytest.mark.parametrize("context", [None, "Ada.", ["Ada."], [Document("Ada.", metadata={"page": 3}), "Bo."]])
def test_a_question_comes_back_from_a_checkpoint_as_what_it_was(context):
    serde = pytest.importorskip("langgraph.checkpoint.serde.jsonplus")
    asked = QAInput("Who?", context)
    keeper = serde.JsonPlusSerializer(allowed_msgpack_modules=[("twosup_chain.schema", "QAInput")])
    assert keeper.loads_typed(keeper.dumps_typed({"asked": asked}))["asked"] == asked


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        *((word, "question") for word in ("input", "query", "text", "Prompt", "questoin")),
        *((word, "context") for word in ("documents", "passage", "docs")),
    ],
)
def test_another_word_for_a_field_names_the_field(key, meant):
    with pytest.raises(InputError, match=f"'{key}' is no key of the input. Did you mean '{meant}'?"):
        QAInput.coerce({key: "Who?"})


def test_messages_without_a_question_name_what_answers_conversations():
    with pytest.raises(InputError, match="holds messages and no 'question': .* TwoSupervisorChatModel"):
        QAInput.coerce({"messages": [("user", "Who?")]})
    assert QAInput.coerce({"messages": [], "question": "Who?"}).question == "Who?"
