"""Where an answer stands in its documents."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document

from twosup_chain import Answer, Candidate, Citation, QAInput, Supervisor, TwoSupervisorChain, TwoSupervisorResult
from twosup_chain.text.citation import citations

HALL = "The town hall opened in 1911. Its clock was a gift of Zoë Müller."
BRIDGE = "The bridge was finished in 1911, two years late; the ferry stopped in 1911 too."
DOCUMENTS = (Document(HALL, metadata={"page": 4}), BRIDGE)


def places(text, context=DOCUMENTS, near=(), **span):
    found = citations(QAInput("Q?", context), Answer(text, **span), near)
    return [(c.document, c.text) for c in found]


def test_an_answer_that_tells_its_span_is_cited_there_and_nowhere_else():
    start = BRIDGE.rindex("1911")
    (cited,) = citations(QAInput("Q?", DOCUMENTS), Answer("1911", start=start, end=start + 4, document=1))
    assert cited == Citation(document=1, start=start, end=start + 4, text="1911", metadata={})


def test_a_text_without_a_span_is_cited_wherever_it_stands_with_the_documents_metadata():
    found = citations(QAInput("Q?", DOCUMENTS), Answer("1911"))
    assert [(c.document, c.start) for c in found] == [(0, 24), (1, 27), (1, 70)]
    assert [c.metadata for c in found] == [{"page": 4}, {}, {}]


def test_the_readers_candidates_say_which_place_comes_first():
    start = BRIDGE.rindex("1911")
    near = [Candidate("in 1911", start - 3, start + 4, 1, 0.6), Candidate("1911", 24, 28, 0, 0.1)]
    found = citations(QAInput("Q?", DOCUMENTS), Answer("1911"), near)
    assert [(c.document, c.start) for c in found] == [(1, start), (0, 24), (1, 27)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zoe muller", [(0, "Zoë Müller")]),
        ("Town Hall", [(0, "town hall")]),
        ("a ferry stopped", [(1, "ferry stopped")]),
        ("two years late, the ferry", [(1, "two years late; the ferry")]),
        ("191", []),
        ("It was Zoë Müller.", []),
        ("--", []),
    ],
)
def test_case_accents_articles_and_punctuation_do_not_matter_but_words_do(text, expected):
    assert places(text) == expected


def test_scripts_without_spaces_are_cited_too():
    assert places("東京", "首都は東京です。") == [(0, "東京")]


def test_no_answer_and_a_question_without_a_context_have_no_citation():
    assert places(None) == []
    assert places("1911", None) == []
    assert places("1911", []) == []


@pytest.mark.parametrize("span", [{"start": 0, "end": 3}, {"start": 24, "end": 28, "document": 7}])
def test_a_span_that_does_not_hold_the_answer_is_not_believed(span):
    assert places("1911", HALL, **span) == [(0, "1911")]


@given(st.lists(st.text(max_size=20), max_size=3), st.text(max_size=8))
def test_whatever_is_cited_stands_in_its_document(passages, text):
    for cited in citations(QAInput("Q?", passages), Answer(text)):
        assert QAInput("Q?", passages).passages[cited.document][cited.start : cited.end] == cited.text != ""


def test_a_chains_result_cites_the_answer_of_either_model_and_survives_json():
    chain = TwoSupervisorChain(
        local=lambda q: Answer(None, scores={"answerability": 0.5}, candidates=(Candidate("1911", 27, 31, 1, 0.4),)),
        local_supervisor=Supervisor("answerability", threshold=0.9),
        remote=lambda q: "1911" if "When" in q.question else "Otto",
        remote_supervisor=Supervisor("in_context", threshold=0.0),
    )
    when, who = chain.batch([{"question": q, "context": list(DOCUMENTS)} for q in ("When?", "Who?")])
    assert [(c.document, c.start) for c in when.citations] == [(1, 27), (0, 24), (1, 70)]
    assert (who.source, who.citations) == ("remote", ())
    assert TwoSupervisorResult(**json.loads(when.model_dump_json())) == when


def test_a_rejected_answer_is_not_cited():
    chain = TwoSupervisorChain(
        local=lambda q: Answer("1911", scores={"answerability": 0.5}),
        local_supervisor=Supervisor("answerability", threshold=0.9),
    )
    assert chain.invoke({"question": "When?", "context": HALL}).citations == ()
