"""Metadata of any type can be written down, and nothing is lost that JSON can hold."""

from __future__ import annotations

import json
import math
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda

from twosup_chain import (
    Answer,
    ExtractiveReader,
    QAInput,
    Supervisor,
    TwoSupervisorChain,
    TwoSupervisorResult,
)
from twosup_chain._plain import plain
from twosup_chain.errors import InputError


class Foreign:
    def __str__(self) -> str:
        return "something foreign"


class Broken:
    def __str__(self) -> str:
        raise RuntimeError

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


@dataclass
class Place:
    page: int


ITSELF: dict = {"a": 1}
ITSELF["b"] = ITSELF["c"] = ITSELF
KINDS = {
    "a NumPy fraction": (np.float32(1.5), 1.5),
    "a NumPy count": (np.int64(7), 7),
    "a NumPy truth value": (np.array([1]) == 1, [True]),
    "a NumPy text": (np.str_("x"), "x"),
    "an array": (np.array([[1, 2]]), [[1, 2]]),
    "a day of NumPy": (np.datetime64("2024-02-03"), "2024-02-03"),
    "no number": (math.nan, None),
    "no number of NumPy": (np.float32("inf"), None),
    "a gigantic number": (2**80, 2**80),
    "a foreign object": (Foreign(), "something foreign"),
    "a broken object": (Broken(), "<Broken>"),
    "a path": (PurePosixPath("a/b"), "a/b"),
    "an id": (uuid.UUID(int=1), str(uuid.UUID(int=1))),
    "a moment": (datetime(2024, 2, 3, tzinfo=UTC), "2024-02-03T00:00:00+00:00"),
    "a day": (date(2024, 2, 3), "2024-02-03"),
    "a decimal": (Decimal("1.50"), "1.50"),
    "bytes": (b"x\xff", "x\ufffd"),
    "half a character": ("x\ud800", "x\ufffd"),
    "a member": (Colour.RED, "red"),
    "a numbered member": (Level.HIGH, 3),
    "a tuple in a dict with a number for a key": ({1: (2, {3})}, {"1": [2, [3]]}),
    "another dict": (OrderedDict(a=None), {"a": None}),
    "a dataclass": (Place(3), "Place(page=3)"),
    "a record": (Document(page_content="x"), {"id": None, "metadata": {}, "page_content": "x", "type": "Document"}),
}


@pytest.mark.parametrize(("value", "written"), KINDS.values(), ids=KINDS)
def test_a_value_is_written_as_json_holds_it(value, written):
    assert plain(value) == written
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == written


def test_what_holds_itself_and_what_is_deep_ends_somewhere():
    deep: list = []
    for _ in range(10_000):
        deep = [deep]
    for value in (ITSELF, deep):
        json.dumps(plain(value))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_json_can_hold_stays_as_it_is(value):
    assert plain(value) == value


def chain() -> TwoSupervisorChain:
    return TwoSupervisorChain(
        local=lambda _: Answer("Ellen Marsh", start=17, end=28, document=0),
        local_supervisor=Supervisor(lambda question, answer: 1.0, threshold=0.5),
    )


@pytest.mark.parametrize("value", [kind[0] for kind in KINDS.values()], ids=KINDS)
def test_a_result_with_such_metadata_can_be_written_and_read(value):
    document = Document(page_content="It was built by Ellen Marsh.", metadata={"x": value, "page": 3})
    result = chain().invoke({"question": "Who?", "context": [document]})
    (citation,) = result.citations
    assert citation.metadata == {"x": plain(value), "page": 3}
    assert TwoSupervisorResult.model_validate_json(result.model_dump_json()) == result
    assert document.metadata["x"] is value


@pytest.mark.parametrize("value", [kind[0] for kind in KINDS.values()], ids=KINDS)
def test_a_question_with_documents_goes_through_json_and_back(value):
    document = Document(page_content="Ada did.", metadata={"x": value}, id="7")
    asked = QAInput(question="Who?", context=[document, "A text."], id="q")
    read = QAInput.model_validate_json(asked.model_dump_json())
    assert read == QAInput(**asked.model_dump()) == QAInput.coerce(json.loads(asked.model_dump_json()))
    assert read.passages == asked.passages
    assert isinstance(read.context[0], Document)
    assert (read.context[0].metadata, read.context[0].id) == ({"x": plain(value)}, "7")
    assert QAInput.model_validate_json(read.model_dump_json()) == read


@pytest.mark.parametrize("context", [None, "a text", [], ["a", "b"], Document(page_content="x"), {"page_content": "x"}])
def test_a_question_with_any_context_goes_through_json_and_back(context):
    asked = QAInput(question="Who?", context=context)
    assert QAInput.model_validate_json(asked.model_dump_json()) == asked


@pytest.mark.parametrize("passage", [{}, {"page_content": 3}, {"text": "x"}, 7, None])
def test_a_dict_that_is_no_document_is_named(passage):
    with pytest.raises(InputError, match=r"context\[0\]"):
        QAInput(question="Who?", context=[passage])


def test_a_question_goes_through_a_checkpoint_of_langgraph_and_back():
    jsonplus = pytest.importorskip("langgraph.checkpoint.serde.jsonplus")
    serde = jsonplus.JsonPlusSerializer(allowed_msgpack_modules=[("twosup_chain.schema", "QAInput")])
    document = Document(page_content="x", metadata={"s": np.float32(0.5), "o": Foreign()})
    asked = QAInput(question="Who?", context=[document])
    read = serde.loads_typed(serde.dumps_typed(asked))
    assert read == QAInput.model_validate_json(asked.model_dump_json())
    assert read.passages == ("x",)


def test_a_retriever_of_scores_feeds_the_reader():
    found = RunnableLambda(
        lambda question: {
            "question": question,
            "context": [Document(page_content="It was built by Ellen Marsh.", metadata={"score": np.float32(0.5)})],
        }
    )
    reads = TwoSupervisorChain(local=ExtractiveReader(), local_supervisor=Supervisor("answerability", threshold=0.0))
    result = (found | reads).invoke("Who built it?")
    assert json.loads(result.model_dump_json())["citations"][0]["metadata"] == {"score": 0.5}
