"""Retrieval and the packaged reader over the demo's passages: real embeddings, a real vector store, no server."""

from __future__ import annotations

import pytest
from langchain_core.runnables import RunnableLambda, RunnablePassthrough

from twosup_chain import ExtractiveReader, QuestionCondenser, Supervisor, TwoSupervisorChain
from twosup_chain.demo.recording import SAMPLE
from twosup_chain.text.questions import load_questions

pytestmark = pytest.mark.integration

ANSWERABLE = [example for example in load_questions(SAMPLE) if not example.is_impossible][::2]


@pytest.fixture(scope="module")
def store():
    pytest.importorskip("wordllama")
    import sys
    from pathlib import Path

    examples = str(Path(__file__).parents[2] / "examples")
    sys.path.insert(0, examples)
    try:
        import local_search
    finally:
        sys.path.remove(examples)
    return local_search.demo_retriever(k=4).vectorstore


@pytest.fixture(scope="module")
def chain():
    return TwoSupervisorChain(local=ExtractiveReader(), local_supervisor=Supervisor("answerability", threshold=0.7))


@pytest.fixture(scope="module")
def found(store):
    """For each question the four nearest passages."""
    return store.as_retriever(search_kwargs={"k": 4}).batch([example.question for example in ANSWERABLE])


def ask(chain, contexts):
    return chain.batch([{"question": e.question, "context": c} for e, c in zip(ANSWERABLE, contexts, strict=True)])


def test_answers_cite_the_passage_that_holds_them(chain, found):
    results = ask(chain, [passages[:3] for passages in found])
    answered = [(r, e, c) for r, e, c in zip(results, ANSWERABLE, found, strict=True) if r.status == "answered"]
    assert len(answered) >= len(ANSWERABLE) / 2
    for result, _, passages in answered:
        (place,) = result.citations
        assert passages[place.document].page_content[place.start : place.end] == place.text == result.answer
        assert place.metadata == passages[place.document].metadata
    right_passage = [c[r.citations[0].document].page_content == e.context for r, e, c in answered]
    assert sum(right_passage) >= 0.95 * len(answered)


def test_where_retrieval_brings_only_wrong_passages_there_is_no_answer(chain, found):
    wrong = [
        [p for p in passages if p.page_content != example.context][:3]
        for passages, example in zip(found, ANSWERABLE, strict=True)
    ]
    results = ask(chain, wrong)
    assert sum(result.answer is not None for result in results) <= 0.05 * len(results)


async def test_a_conversation_a_retriever_and_the_chain_compose_in_lcel(chain, store):
    condenser = QuestionCondenser(RunnableLambda(lambda messages: "On which quay is Brennick's tide gauge?"))
    retriever = store.as_retriever(search_kwargs={"k": 3})
    rag = condenser | {"question": RunnablePassthrough(), "context": retriever} | chain
    asked = {
        "question": "And where is its tide gauge?",
        "history": [("user", "Who is the harbour master of Brennick?")],
    }
    results = [rag.invoke(asked), *rag.batch([asked]), await rag.ainvoke(asked)]
    assert {result.answer for result in results} == {"Custom House Quay"}
    assert {result.citations[0].metadata["title"] for result in results} == {"Tides at Brennick Harbour"}
