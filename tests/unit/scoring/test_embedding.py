"""Embedding similarity, with an embedding that counts words: what is compared with what, and what is missing."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from twosup_chain import Answer, EmbeddingSimilarity, QAInput, Supervisor
from twosup_chain.errors import ConfigurationError, MissingEvidenceError, MissingExtraError, ModelFileError

CONTEXT = "Ellen Marsh designed the tower. The harbour froze in 1931."
QUESTION = QAInput(question="Who designed the tower?", context=CONTEXT)


def _counts(text):
    words = text.lower().strip(".?").replace("?", "").replace(".", "").split()
    vocabulary = ["ellen", "marsh", "designed", "tower", "harbour", "froze", "1931", "who"]
    return [float(words.count(word)) for word in vocabulary]


class WordCounts(Embeddings):
    def __init__(self):
        self.asked = []

    def embed_documents(self, texts):
        self.asked.append(texts)
        return [_counts(text) for text in texts]

    def embed_query(self, text):
        return _counts(text)


def test_question_and_answer_are_compared_with_the_sentence_around_the_answer():
    model = WordCounts()
    scorer = EmbeddingSimilarity(model)
    near, far = (scorer(QUESTION, Answer(text)) for text in ("Ellen Marsh", "1931"))
    assert model.asked[0] == ["Who designed the tower? Ellen Marsh", "Ellen Marsh designed the tower."]
    assert model.asked[1] == ["Who designed the tower? 1931", "The harbour froze in 1931."]
    assert near == pytest.approx(4 / np.sqrt(5 * 4))
    assert far == pytest.approx(1 / np.sqrt(4 * 3))


def test_an_answer_in_other_words_is_compared_with_every_sentence():
    model = WordCounts()
    assert EmbeddingSimilarity(model)(QUESTION, Answer("Marsh, Ellen")) > 0.7
    assert len(model.asked[0]) == 3


def test_no_answer_is_trusted_where_no_sentence_is_like_the_question():
    scorer = EmbeddingSimilarity(WordCounts())
    asked, other = QUESTION, QAInput(question="Who paid?", context=CONTEXT)
    assert scorer(asked, Answer(None)) == pytest.approx(1 - 2 / np.sqrt(3 * 4))
    assert scorer(other, Answer(None)) == 1.0
    assert scorer(QAInput(question="Who?", context=""), Answer(None)) == 1.0
    assert scorer(QAInput(question="Who?", context=""), Answer("Ada")) == 0.0


def test_it_is_a_scorer_with_its_models_name_that_needs_a_context():
    supervisor = Supervisor(EmbeddingSimilarity(WordCounts()), threshold=0.5)
    assert supervisor.judge(QUESTION, Answer("Ellen Marsh")).scorer == "embedding_similarity@WordCounts"
    assert EmbeddingSimilarity("models/all-MiniLM").name == "embedding_similarity@all-MiniLM"
    assert supervisor.blocking
    with pytest.raises(MissingEvidenceError, match="pass 'context'"):
        supervisor.judge(QAInput(question="Who?"), Answer("Ada"))


def test_a_sentence_transformers_model_is_loaded_once_on_first_use(monkeypatch):
    loaded = []

    class SentenceTransformer:
        def __init__(self, name):
            if name == "nothing":
                raise OSError("nothing is not a folder")
            loaded.append(name)

        def encode(self, texts, **_):
            return np.array([_counts(text) for text in texts])

    module = types.SimpleNamespace(SentenceTransformer=SentenceTransformer)
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    scorer = EmbeddingSimilarity("a-model")
    assert loaded == []
    expected = EmbeddingSimilarity(WordCounts())(QUESTION, Answer("1931"))
    assert [scorer(QUESTION, Answer("1931")) for _ in range(2)] == [expected, expected]
    assert loaded == ["a-model"]
    with pytest.raises(ModelFileError, match="'nothing' is no sentence-transformers model"):
        EmbeddingSimilarity("nothing")(QUESTION, Answer("1931"))


def test_without_the_extra_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'twosup-chain\[embeddings\]'"):
        EmbeddingSimilarity("a-model")(QUESTION, Answer("1931"))


@pytest.mark.parametrize("model", [None, 3, ""])
def test_what_is_no_model_is_named(model):
    with pytest.raises(ConfigurationError, match="sentence-transformers"):
        EmbeddingSimilarity(model)
