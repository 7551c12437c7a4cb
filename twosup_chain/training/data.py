"""Training material: questions read from SQuAD-format files, checked, with the place of every fault.

Versions 1.1 and 2.0 of the format, plain or gzipped. How questions become tensors is in `features`, how harder
unanswerable questions are made in `negatives`.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twosup_chain._atomic import write_atomically
from twosup_chain._options import shorten
from twosup_chain._packed import read_packed
from twosup_chain.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

#: How many faults of a file are listed before "and N more".
FAULTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """One question with its passage.

    Args:
        id: The question's id, unique in its file.
        question: The question.
        context: The passage.
        answers: The accepted answers as ``(text, start in characters)``; empty for an unanswerable question.
        origin: The article's ``source`` where the file names one, else the file's name; for a made negative its kind.
        join: The question's ``join`` field (how question and passage were brought together), ``""`` without one.
        weight: How much the example counts in the loss, in (0, 1].
    """

    id: str
    question: str
    context: str
    answers: tuple[tuple[str, int], ...]
    origin: str = ""
    join: str = ""
    weight: float = 1.0

    @property
    def answerable(self) -> bool:
        """Whether the passage holds an answer."""
        return bool(self.answers)


def read_squad(path: Path) -> list[TrainingExample]:
    """Returns the questions of a SQuAD-format file.

    Args:
        path: A JSON file, plain or gzipped (told by its content, not by its name).

    Raises:
        InputError: The file cannot be read, is not of the format, or holds faults: a wrong offset, an empty context or
            question, an id that occurs twice, an answerable question without answer. The message lists file, article,
            paragraph and id of each fault (at most `FAULTS_SHOWN`).
    """
    reader = _Reader(path.name)
    examples = list(reader.examples(_load(path)))
    if reader.faults:
        shown = reader.faults[:FAULTS_SHOWN]
        more = len(reader.faults) - len(shown)
        tail = [f"… and {more} more"] if more else []
        message = "\n".join([f"{path}: {len(reader.faults)} fault(s); correct or remove:", *shown, *tail])
        raise InputError(message)
    if not examples:
        message = f"{path} holds no question: a SQuAD file has data[…].paragraphs[…].qas[…]"
        raise InputError(message)
    return examples


def write_squad(path: Path, examples: Iterable[TrainingExample]) -> None:
    """Writes questions as a SQuAD v2 file, one paragraph a passage."""
    passages: dict[str, list[TrainingExample]] = {}
    for example in examples:
        passages.setdefault(example.context, []).append(example)
    paragraphs = [{"context": context, "qas": [_as_qa(e) for e in some]} for context, some in passages.items()]
    document = {"version": "v2.0", "data": [{"title": path.stem, "paragraphs": paragraphs}]}
    write_atomically(path, json.dumps(document))


def split_held_out(
    examples: Iterable[TrainingExample], share: float
) -> tuple[list[TrainingExample], list[TrainingExample]]:
    """Returns the examples to train on, and those held out.

    The side follows from a hash of the passage's letters and digits, so that all questions of a passage (and of its
    copies with other case or spacing) fall on the same side, in every run and whatever other files are read.

    Args:
        examples: The questions.
        share: The share of passages held out, in [0, 1).
    """
    train: list[TrainingExample] = []
    held_out: list[TrainingExample] = []
    for example in examples:
        (held_out if passage_hash(example.context) < share else train).append(example)
    return train, held_out


def passage_hash(context: str) -> float:
    """Returns a number in [0, 1) that depends on the passage's letters and digits only."""
    letters = re.sub(r"[\W_]+", "", context.casefold())
    digest = hashlib.blake2b(letters.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _as_qa(example: TrainingExample) -> dict[str, Any]:
    answers = [{"text": text, "answer_start": start} for text, start in example.answers]
    impossible = not example.answerable
    return {"id": example.id, "question": example.question, "answers": answers, "is_impossible": impossible}


def _load(path: Path) -> Any:
    raw = read_packed(path)
    try:
        return json.loads(raw)
    except ValueError as error:
        message = f"{path} is not JSON: {error}"
        raise InputError(message) from error


class _Reader:
    """Walks one file, and notes every fault with its place instead of stopping at the first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[str] = []
        self._seen: dict[str, str] = {}

    def examples(self, data: Any) -> Iterator[TrainingExample]:
        articles = data.get("data") if isinstance(data, dict) else None
        for i, article in enumerate(self._list(articles, "data", "the file")):
            title = article.get("title")
            place = f"article {i}" + (f" ({title!r})" if title else "")
            origin = str(article.get("source") or self.name)
            for j, paragraph in enumerate(self._list(article.get("paragraphs"), "paragraphs", place)):
                yield from self._paragraph(paragraph, f"{place}, paragraph {j}", origin)

    def _paragraph(self, paragraph: dict[str, Any], place: str, origin: str) -> Iterator[TrainingExample]:
        context = paragraph.get("context")
        if not isinstance(context, str) or not context.strip():
            self._fault(place, f"the context {shorten(context)} is empty or no text")
            return
        for item in self._list(paragraph.get("qas"), "qas", place):
            example = self._question(item, context, place, origin)
            if example is not None:
                yield example

    def _question(self, item: dict[str, Any], context: str, place: str, origin: str) -> TrainingExample | None:
        identity, question = item.get("id"), item.get("question")
        place = f"{place}, id {shorten(identity)}"
        known = len(self.faults)
        if not isinstance(identity, str) or not identity:
            self._fault(place, "the id is missing or no text")
        elif identity in self._seen:
            self._fault(place, f"the id occurs twice, first in {self._seen[identity]}")
        else:
            self._seen[identity] = place
        if not isinstance(question, str) or not question.strip():
            self._fault(place, f"the question {shorten(question)} is empty or no text")
        impossible = bool(item.get("is_impossible", False))
        answers = [] if impossible else self._answers(item, context, place)
        if not impossible and not answers and len(self.faults) == known:
            self._fault(place, "no answer, yet is_impossible is not true")
        if len(self.faults) > known:
            return None
        return TrainingExample(
            str(identity), str(question), context, tuple(answers), origin, str(item.get("join") or "")
        )

    def _answers(self, item: dict[str, Any], context: str, place: str) -> list[tuple[str, int]]:
        found: dict[tuple[str, int], None] = {}
        for answer in self._list(item.get("answers"), "answers", place):
            text, start = answer.get("text"), answer.get("answer_start")
            if not isinstance(text, str) or not text.strip() or not isinstance(start, int) or start < 0:
                self._fault(place, f"the answer {shorten(answer)} wants a text and an answer_start of at least 0")
            elif context[start : start + len(text)] != text:
                there = context[start : start + len(text)]
                self._fault(place, f"wrong offset: {shorten(text)} should start at {start}, where {shorten(there)} is")
            else:
                found[(text, start)] = None
        return list(found)

    def _list(self, value: Any, key: str, place: str) -> list[dict[str, Any]]:
        if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
            return value
        self._fault(place, f"{key}={shorten(value)} is no list of objects")
        return []

    def _fault(self, place: str, what: str) -> None:
        self.faults.append(f"  {place}: {what}")
