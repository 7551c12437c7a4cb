"""RAG over a whole corpus: a plain "retrieve and ask the LLM" chain against `TwoSupervisorChain` over the same LLM.

    python tests/benchmarks/rag_squad.py record DATA.gz OUT.jsonl --base-url http://127.0.0.1:8131/v1 --model-name M
    python tests/benchmarks/rag_squad.py table DATA.gz OUT.jsonl

The corpus is every paragraph of a SQuAD v2 file, in passages of some sentences; half of the questions have no answer in
it, as SQuAD's annotators saw it. Both chains get the same passages from the same retriever and the same replies to the
same prompt, which are recorded once (an interrupted recording goes on), so that the table needs no server. Both
thresholds are the demo's, fixed on other questions about other texts; nothing is fitted here.
"""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import bm25s
import numpy as np
import typer
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import PrivateAttr

from twosup_chain import ChatAnswerer, ExtractiveReader, QAInput, TwoSupervisorChain
from twosup_chain.answerers.prompt import qa_messages
from twosup_chain.curves.intervals import bootstrap
from twosup_chain.demo.recording import Header, digest, record
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.demo.run import THRESHOLDS, DemoThresholds
from twosup_chain.text import squad
from twosup_chain.text.questions import LabelledQuestion, load_questions

SEED = 20261125
PASSAGES = 3
PASSAGE_WORDS = 60
MAX_TOKENS = 24
HALF = 0.5

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


def corpus(examples: list[LabelledQuestion]) -> list[Document]:
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


def sample(examples: list[LabelledQuestion], questions: int) -> list[LabelledQuestion]:
    """Answerable and unanswerable questions in turn; a smaller sample is the beginning of a larger one."""
    shuffled = random.Random(SEED).sample(examples, len(examples))  # noqa: S311
    kinds = ([e for e in shuffled if not e.is_impossible], [e for e in shuffled if e.is_impossible])
    return [example for pair in zip(*kinds, strict=False) for example in pair][:questions]


def asked(data: Path, questions: int) -> tuple[list[LabelledQuestion], list[QAInput]]:
    """The sampled questions, and each with the passages that the retriever finds."""
    examples = load_questions(data)
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


class Columns(NamedTuple):
    """What a chain did, one entry a question; texts are judged by SQuAD v2's rule."""

    text: list[str | None]
    calls: list[int]
    tokens: list[int]

    def figures(self, examples: list[LabelledQuestion]) -> dict[str, list[float]]:
        """The columns of the table, by row."""
        answerable = [not example.is_impossible for example in examples]
        said = [text is not None for text in self.text]
        exact, near = (
            [measure(text, example.answers) for text, example in zip(self.text, examples, strict=True)]
            for measure in (squad.exact_match, squad.f1)
        )
        rows = {
            "wrong answer (not an exact match)": [s and e < 1 for s, e in zip(said, exact, strict=True)],
            "wrong answer (F1 below 0.5)": [s and f < HALF for s, f in zip(said, near, strict=True)],
            "right answer (exact match)": [s and a and e == 1 for s, a, e in zip(said, answerable, exact, strict=True)],
            "no answer, and there is none": [not s and not a for s, a in zip(said, answerable, strict=True)],
            "no answer, though there is one": [not s and a for s, a in zip(said, answerable, strict=True)],
            "calls of the LLM": self.calls,
            "tokens of the LLM": self.tokens,
        }
        return {name: [float(value) for value in row] for name, row in rows.items()}


def plain(llm: ReplayedAnswerer, inputs: list[QAInput]) -> Columns:
    answers = llm.batch(inputs)
    return Columns([a.text for a in answers], [1] * len(inputs), [a.usage["total_tokens"] for a in answers])


def supervised(llm: ReplayedAnswerer, inputs: list[QAInput], reader: str) -> Columns:
    thresholds = DemoThresholds.load(THRESHOLDS)
    chain = TwoSupervisorChain(local=ExtractiveReader(model=reader), remote=llm, **thresholds.supervisors)
    results = chain.batch(inputs)
    asked = [result.remote is not None for result in results]
    spent = [result.remote.usage["total_tokens"] if result.remote else 0 for result in results]
    return Columns([result.answer for result in results], [int(once) for once in asked], spent)


@app.command("table")
def table_command(
    data: Data,
    recording: Recording,
    *,
    questions: Questions = 200,
    reader: Annotated[str, typer.Option(help="small, base or a folder.")] = "small",
    json_out: Path | None = None,
) -> None:
    """Prints both chains' figures, with 95 % bootstrap intervals over the questions, and their paired differences."""
    llm = ReplayedAnswerer(recording=recording)
    examples, inputs = asked(data, questions)
    known = next((i for i, item in enumerate(inputs) if digest(item) not in llm.recording.answers), len(inputs))
    examples, inputs = examples[: known // 2 * 2], inputs[: known // 2 * 2]
    found = sum(any(a in p for a in e.answers for p in q.passages) for e, q in zip(examples, inputs, strict=True))
    print(
        f"{len(inputs)} questions, half of them unanswerable; {len(corpus(load_questions(data)))} passages, "
        f"{PASSAGES} read"
    )
    print(f"the retriever brought a passage with an accepted answer for {found} of {len(inputs) // 2}")
    print(f"LLM: {llm.recording.header.model}; thresholds: {DemoThresholds.load(THRESHOLDS).fixed_on}")
    sides = plain(llm, inputs).figures(examples), supervised(llm, inputs, reader).figures(examples)
    for name in sides[0]:
        one, other = (np.array(side[name]) for side in sides)
        cells = (_cell(one), _cell(other), _cell(other - one))
        print(f"{name:<36}" + "".join(f"{cell:>26}" for cell in cells))
    if json_out is not None:
        rows = [{"id": e.id, "plain": {}, "chain": {}} for e in examples]
        for row, index in zip(rows, range(len(rows)), strict=True):
            for side, kind in zip(sides, ("plain", "chain"), strict=True):
                row[kind] = {name: int(column[index]) for name, column in side.items()}
        json_out.write_text(json.dumps(rows, indent=0) + "\n", encoding="utf-8")


def _cell(column: np.ndarray) -> str:
    interval = bootstrap(np.mean, column)
    return "{:.3g} ({:.3g} to {:.3g})".format(*interval)


if __name__ == "__main__":
    app()
