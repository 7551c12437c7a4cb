"""RAG over a whole corpus: a plain "retrieve and ask the LLM" chain against `TwoSupervisorChain` over the same LLM.

    python tests/benchmarks/rag_squad.py record DATA.json.gz OUT.jsonl --base-url http://127.0.0.1:8131/v1 --model-name …
    python tests/benchmarks/rag_squad.py table DATA.json.gz OUT.jsonl

The corpus is every paragraph of a SQuAD v2 file, in passages of some sentences; half of the questions have no answer in it. Both chains get the same
passages from the same retriever and the same replies to the same prompt, which are recorded once, so that the table
needs no server. The thresholds are those of the demo, fixed on other questions; nothing is fitted here.
"""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import bm25s
import typer
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import PrivateAttr

from twosup_chain import ChatAnswerer, QAInput, squad
from twosup_chain.answerers.prompt import qa_messages
from twosup_chain.demo.recording import Header, record

SEED = 20261125
PASSAGES = 3
PASSAGE_WORDS = 60
MAX_TOKENS = 24

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Data = Annotated[Path, typer.Argument(help="A SQuAD v2 file with at least 500 paragraphs.")]
Recording = Annotated[Path, typer.Argument(help="The LLM's replies, one JSON line each.")]
Questions = Annotated[int, typer.Option(min=2, help="How many questions; half of them unanswerable.")]


class BM25(BaseRetriever):
    """The passages that BM25 ranks first; no stop words, no stemming."""

    documents: list[Document]
    k: int = PASSAGES
    _index: bm25s.BM25 = PrivateAttr()

    def model_post_init(self, _: Any) -> None:
        self._index = bm25s.BM25()
        self._index.index([words(d.page_content) for d in self.documents], show_progress=False)

    def _get_relevant_documents(self, query: str, **_: Any) -> list[Document]:
        found, _scores = self._index.retrieve([words(query)], k=self.k, show_progress=False)
        return [self.documents[i] for i in found[0]]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def corpus(examples: list[squad.Example]) -> list[Document]:
    """Every paragraph of the file, cut at ends of sentences into passages of at most `PASSAGE_WORDS` words or so."""
    titles = {example.context: example.title for example in examples}
    return [Document(passage, metadata={"title": titles[text]}) for text in titles for passage in passages(text)]


def passages(paragraph: str) -> list[str]:
    found: list[str] = []
    for sentence in re.split(r'(?<=[.!?])\s+(?=[A-Z"“(])', paragraph):
        longer = f"{found[-1]} {sentence}" if found else sentence
        if found and len(longer.split()) <= PASSAGE_WORDS:
            found[-1] = longer
        else:
            found.append(sentence)
    return found


def sample(examples: list[squad.Example], questions: int) -> list[squad.Example]:
    """Answerable and unanswerable questions in turn; a smaller sample is the beginning of a larger one."""
    shuffled = random.Random(SEED).sample(examples, len(examples))
    kinds = ([e for e in shuffled if not e.is_impossible], [e for e in shuffled if e.is_impossible])
    return [example for pair in zip(*kinds, strict=False) for example in pair][:questions]


def asked(data: Path, questions: int) -> tuple[list[squad.Example], list[QAInput]]:
    """The sampled questions, and each with the passages that the retriever finds."""
    examples = squad.load(data)
    retriever = BM25(documents=corpus(examples))
    chosen = sample(examples, questions)
    return chosen, [QAInput(e.question, tuple(retriever.invoke(e.question)), id=e.id) for e in chosen]


@app.command("record")
def record_command(
    data: Data,
    recording: Recording,
    *,
    base_url: Annotated[str, typer.Option(help="Where the OpenAI-compatible server listens, up to and with /v1.")],
    model_name: Annotated[str, typer.Option(help="The model that it runs, in full.")],
    questions: Questions = 200,
) -> None:
    """Records the LLM's replies; an interrupted recording goes on where it stopped."""
    from langchain_openai import ChatOpenAI
    from rich.progress import track

    chat = ChatOpenAI(
        model="remote",
        base_url=base_url,
        api_key="none",
        temperature=0,
        logprobs=True,
        top_logprobs=5,
        timeout=600,
        extra_body={"max_tokens": MAX_TOKENS},
    )
    answerer = ChatAnswerer(chat)
    header = Header(
        model=model_name,
        server="llama_cpp.server",
        recorded=datetime.now(UTC).date().isoformat(),
        messages=tuple(qa_messages("{question}", ["{passage}"], answerer.instructions, answerer.examples)),
        sampling={"temperature": 0, "max_tokens": MAX_TOKENS, "top_logprobs": 5},
    )
    record(answerer, track(asked(data, questions)[1], "recording"), recording, header)


if __name__ == "__main__":
    app()
