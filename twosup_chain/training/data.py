"""Training material: questions read from SQuAD-format files, checked, with the place of every fault.

Versions 1.1 and 2.0 of the format, plain or gzipped.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twosup_chain._atomic import write_atomically
from twosup_chain._options import shorten
from twosup_chain._packed import read_packed
from twosup_chain.errors import InputError
from twosup_chain.text.questions import Entry, Fault, squad_entries

#: How many faults of a file are listed before "and N more".
FAULTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """One question with its passage."""

    id: str  # unique in its file
    question: str
    context: str
    answers: tuple[tuple[str, int], ...]  # text and start in characters; empty for an unanswerable question
    origin: str = ""  # the article's `source`, else the file's name; for a made negative its kind
    join: str = ""  # how question and passage were brought together, where the file tells
    weight: float = 1.0  # in the loss, in (0, 1]; 0: the labels do not count, only a teacher

    @property
    def answerable(self) -> bool:
        """Whether the passage holds an answer."""
        return bool(self.answers)


def read_squad(path: Path) -> list[TrainingExample]:
    """Returns the questions of a SQuAD-format file, plain or gzipped (told by its content, not by its name).

    Its faults are an InputError that lists the first `FAULTS_SHOWN` of them with their places.
    """
    faults: list[str] = []

    def fault(place: str, what: str) -> None:
        faults.append(f"  {place}: {what}")

    entries = squad_entries(read_packed(path), path, fault)
    found = [_example(entry, path.name, fault) for entry in _distinct(entries, fault)]
    if faults:
        shown = faults[:FAULTS_SHOWN]
        tail = [f"… and {len(faults) - len(shown)} more"] if len(faults) > len(shown) else []
        raise InputError("\n".join([f"{path}: {len(faults)} fault(s); correct or remove:", *shown, *tail]))
    if not found:
        raise InputError(f"{path} holds no question: a SQuAD file has data[…].paragraphs[…].qas[…]")
    return found


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
    """Returns the examples to train on, and those of the given share of passages.

    The side follows from a hash of the passage's letters and digits, so that all questions of a passage (and of its
    copies with other case or spacing) fall on the same side, in every run and whatever other files are read.
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


def _distinct(entries: Iterable[Entry], fault: Fault) -> Iterator[Entry]:
    """Yields the questions, and notes the ids that occur twice."""
    seen: dict[str, str] = {}
    for entry in entries:
        first = seen.setdefault(entry.fields["id"], entry.place)
        if first is not entry.place:
            fault(entry.place, f"the id occurs twice, first in {first}")
        yield entry


def _example(entry: Entry, name: str, fault: Fault) -> TrainingExample:
    fields, impossible = entry.fields, bool(entry.fields.get("is_impossible", False))
    answers: dict[tuple[str, int], None] = {}
    for answer in () if impossible else fields["answers"]:
        text, start = answer.get("text"), answer.get("answer_start")
        if not isinstance(text, str) or not text.strip() or not isinstance(start, int) or start < 0:
            fault(entry.place, f"the answer {shorten(answer)} wants a text and an answer_start of at least 0")
        elif (there := entry.context[start : start + len(text)]) != text:
            fault(entry.place, f"wrong offset: {shorten(text)} should start at {start}, where {shorten(there)} is")
        else:
            answers[(text, start)] = None
    if not impossible and not fields["answers"]:
        fault(entry.place, "no answer, yet is_impossible is not true")
    origin, join = str(entry.article.get("source") or name), str(fields.get("join") or "")
    return TrainingExample(fields["id"], fields["question"], entry.context, tuple(answers), origin, join)
