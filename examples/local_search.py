"""What the RAG examples search: a vector store in memory, with real embeddings that need no torch and no download.

    pip install wordllama

`WordLlama` averages word vectors that were taken from a large language model (19 MB, in its package). It is fast and
good enough for these examples; any other LangChain embeddings fit in its place.
"""

import logging
from pathlib import Path

import wordllama
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore, VectorStoreRetriever

from twosup_chain.demo.recording import SAMPLE
from twosup_chain.text.questions import load_questions

logging.getLogger().setLevel(logging.WARNING)  # wordllama's import makes every library talk


class WordLlamaEmbeddings(Embeddings):
    """The packaged WordLlama model."""

    def __init__(self) -> None:
        """Loads the model from its package: in release 0.4 the tokenizer is looked for in a cache, unless told so."""
        self.model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Returns a vector of length 1 for each text."""
        return [[float(x) for x in vector] for vector in self.model.embed(texts, norm=True)]

    def embed_query(self, text: str) -> list[float]:
        """Returns the vector of a question."""
        return self.embed_documents([text])[0]


def demo_documents() -> list[Document]:
    """Returns the demo's 16 passages, with their titles."""
    passages = {example.context: example.title for example in load_questions(SAMPLE)}
    return [Document(context, metadata={"title": title}) for context, title in passages.items()]


def demo_retriever(k: int = 3) -> VectorStoreRetriever:
    """Returns a retriever of the `k` nearest of the demo's passages."""
    store = InMemoryVectorStore.from_documents(demo_documents(), WordLlamaEmbeddings())
    return store.as_retriever(search_kwargs={"k": k})
