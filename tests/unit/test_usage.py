"""What a provider tells of the cost is never an error, and never costs an answer that was paid for."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, ChatMessage
from langchain_core.outputs import ChatGenerationChunk

from twosup_chain import (
    Answer,
    Supervisor,
    TwoSupervisorChain,
    TwoSupervisorChatModel,
    TwoSupervisorResult,
    collect,
)
from twosup_chain._usage import clean_usage
from twosup_chain.answerers.message import answer_from_message
from twosup_chain.answerers.reply import as_answer
from twosup_chain.answerers.stated import StatedAnswer, answer_from_structured
from twosup_chain.errors import EmptyAnswerError, RecordsError
from twosup_chain.records.file import RecordFile
from twosup_chain.records.lines import read_records
from twosup_chain.records.prediction import RecordedPrediction
from twosup_chain.records.question import QuestionRecord
from twosup_chain.schema import total_usage
from twosup_chain.text.questions import LabelledQuestion

LIMIT = 2**63
ODD = {
    "Anthropic": {
        "input_tokens": 9,
        "output_tokens": 1,
        "total_tokens": 10,
        "input_token_details": {"cache_read": 0, "ephemeral_5m_input_tokens": 0},
    },
    "a service tier": {"input_tokens": 9, "output_tokens": 1, "total_tokens": 10, "output_token_details": {"flex": 2}},
    "LangChain's cache": {"input_tokens": 9, "output_tokens": 1, "total_tokens": 10, "total_cost": 0},
    "fractions and None": {"input_tokens": 9.5, "output_tokens": None, "total_tokens": float("nan")},
    "negative, huge": {"input_tokens": -4, "output_tokens": 2**70, "total_tokens": math.inf},
    "nothing but a total": {"total_tokens": 10},
    "details that are none": {"input_tokens": 9, "input_token_details": None, "output_token_details": {"x": "y"}},
    "OpenAI's own words": {"prompt_tokens": 9, "completion_tokens": 1, "cost": Decimal("0.1")},
    "numpy": {"input_tokens": np.int64(9), "output_tokens": np.float32(1), "total_tokens": np.array([1, 2])},
    "no names": {3: 4, None: {}},
    "no record": [9, 1],
    "a text": "ten tokens",
}


def message(usage: object, text: str = "Ada") -> AIMessage:
    """Returns a message that LangChain has not checked, as an integration makes it."""
    return AIMessage(text).model_copy(update={"usage_metadata": usage})


def well(usage: object) -> bool:
    """Whether every count is a whole number that 64 bits hold."""
    if isinstance(usage, dict):
        return all(map(well, usage.values()))
    return usage is None or (type(usage) is int and 0 <= usage < LIMIT)


@pytest.mark.parametrize("usage", ODD.values(), ids=ODD)
def test_an_odd_account_costs_no_answer(usage):
    answers = [
        Answer("Ada", usage=usage),
        answer_from_message(message(usage)),
        answer_from_message(AIMessage("Ada", response_metadata={"token_usage": usage})),
        as_answer({"text": "Ada", "usage": usage, "seconds": math.nan}),
        answer_from_structured({"raw": message(usage), "parsed": StatedAnswer(answer="Ada", confidence=1)}),
        as_answer(TwoSupervisorResult(answer="Ada", status="answered", source="local", usage=usage)),
    ]
    for answer in answers:
        assert answer.text == "Ada"
        assert well(answer.usage)
        assert Answer.model_validate_json(answer.model_dump_json()) == answer
    assert well(total_usage(*answers))


@pytest.mark.parametrize("usage", ODD.values(), ids=ODD)
async def test_it_costs_no_answer_of_a_chain_in_any_call_style(usage):
    class Remote(GenericFakeChatModel):
        def _generate(self, *args, **kwargs):
            result = super()._generate(*args, **kwargs)
            result.generations[0].message = message(usage)
            return result

    model = Remote(messages=iter(["Ada"] * 9))
    trusting = Supervisor(lambda question, answer: 1.0, threshold=0.5)
    chain = TwoSupervisorChain(
        local=lambda _: Answer(None, usage=usage),
        local_supervisor=Supervisor(lambda question, answer: 0.0, threshold=0.5),
        remote=model,
        remote_supervisor=trusting,
        on_remote_error="no_answer",
    )
    results = [chain.invoke("Who?"), await chain.ainvoke("Who?"), *chain.batch(["Who?"]), *await chain.abatch(["Who?"])]
    for result in results:
        assert (result.answer, result.error) == ("Ada", None)
        assert well(result.usage)
        assert TwoSupervisorResult.model_validate_json(result.model_dump_json()) == result
    chat = TwoSupervisorChatModel(local=model, local_supervisor=trusting)
    assert chat.invoke("Who?").text == "Ada"
    assert "".join(chunk.text for chunk in chat.stream("Who?")) == "Ada"


def test_known_counts_and_what_a_provider_adds_to_the_details_are_kept():
    assert clean_usage(ODD["Anthropic"]) == ODD["Anthropic"]
    assert clean_usage(ODD["a service tier"]) == ODD["a service tier"]
    assert clean_usage(ODD["OpenAI's own words"]) == {"input_tokens": 9, "output_tokens": 1, "total_tokens": 10}
    assert clean_usage(ODD["fractions and None"]) == {"input_tokens": 9, "output_tokens": 0, "total_tokens": 9}
    assert clean_usage(ODD["negative, huge"]) is None


def test_details_are_added_up_and_a_sum_stays_within_64_bits():
    most = {"input_tokens": LIMIT - 1, "output_tokens": 1, "total_tokens": LIMIT - 1, "input_token_details": {"x": 2}}
    assert total_usage(Answer("a", usage=most), None, Answer("b", usage=most), EmptyAnswerError("c", most)) == {
        "input_tokens": LIMIT - 1,
        "output_tokens": 3,
        "total_tokens": LIMIT - 1,
        "input_token_details": {"x": 6},
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text(max_size=3) | st.sampled_from([*ODD["Anthropic"]]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*ODD["Anthropic"], "prompt_tokens", "output_token_details"]), JSON) | JSON)
def test_whatever_is_told_becomes_counts(usage):
    assert well(clean_usage(usage))
    assert clean_usage(clean_usage(usage)) == clean_usage(usage)


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, -1.0, "long", True, object(), Decimal("NaN")])
def test_seconds_are_finite_or_unknown(seconds):
    assert Answer("Ada", seconds=seconds).seconds is None
    assert RecordedPrediction(seconds=seconds).seconds is None


@pytest.mark.parametrize("seconds", [0, 1.5, np.float32(1.5)])
def test_seconds_that_are_known_stay(seconds):
    assert Answer("Ada", seconds=seconds).seconds == seconds


def test_the_accounts_of_a_stream_are_added_up():
    chunks = [
        AIMessageChunk("A", usage_metadata=ODD["Anthropic"]),
        AIMessageChunk("da", usage_metadata=ODD["Anthropic"]),
    ]

    class Model(GenericFakeChatModel):
        def _stream(self, *_, **__):
            yield from (ChatGenerationChunk(message=chunk) for chunk in chunks)

    supervisor = Supervisor("min_token_probability", threshold=0.0, missing=1.0)
    chat = TwoSupervisorChatModel(local=Model(messages=iter([])), local_supervisor=supervisor)
    heard = list(chat.stream("Who?"))
    assert "".join(chunk.text for chunk in heard) == "Ada"
    assert heard[-1].usage_metadata["total_tokens"] == 20


@pytest.mark.parametrize("kind", [ChatMessage(content="Ada", role="assistant"), AIMessageChunk("Ada")])
def test_a_message_of_any_kind_is_an_answer(kind):
    assert as_answer(kind).text == "Ada"


@pytest.mark.parametrize("usage", ODD.values(), ids=ODD)
def test_what_is_collected_can_be_read_again_and_continued(usage, tmp_path):
    questions = [LabelledQuestion(id=str(i), question="Who?", context="Ada did.", answers=("Ada",)) for i in range(2)]
    for count in (1, 2, 2):
        done = collect(
            questions,
            local=lambda _: Answer("Ada", usage=usage, seconds=math.inf),
            remote=lambda _: message(usage),
            out=tmp_path / "r.jsonl",
            limit=count,
        )
        assert (done.recorded, done.failed) == (count, 0)
    assert [record.id for record in read_records(tmp_path / "r.jsonl")] == ["0", "1"]


def test_a_failed_call_keeps_what_can_be_read_of_its_cost():
    class ForeignError(Exception):
        usage = object()

    assert RecordedPrediction.failed(ForeignError("x"), text=True).usage is None
    failed = RecordedPrediction.failed(EmptyAnswerError("x", {"input_tokens": 3, "output_tokens": None}), text=True)
    assert failed.usage.input_tokens == 3


@pytest.mark.parametrize("broken", [{"f1": math.nan}, {"features": {"x": math.inf}}, {"exact_match": 2.0}])
def test_a_line_that_could_not_be_read_again_is_not_written(broken, tmp_path):
    prediction = RecordedPrediction(no_answer=False, exact_match=1.0, f1=1.0).model_copy(update=broken)
    record = QuestionRecord(id="1", digest="d", answerable=True, local=prediction, remote=prediction)
    with RecordFile(tmp_path / "r.jsonl") as file, pytest.raises(RecordsError):
        file.append(record)
    assert (tmp_path / "r.jsonl").read_bytes() == b""
