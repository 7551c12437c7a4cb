"""Labelled questions, from wherever they come: a SQuAD file, JSON lines, or `squad.Example`s.

What is checked here is what makes labels usable: every question has an id of its own, and says whether it has an
answer.
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twosup_chain._options import shorten
from twosup_chain.errors import InputError
from twosup_chain.records.question import digest
from twosup_chain.text import squad

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GZIP = b"\x1f\x8b"


def load_questions(data: str | Path | Iterable[squad.Example]) -> list[squad.Example]:
    """Returns labelled questions, in their order.

    Args:
        data: A file in SQuAD format or of JSON lines, plain or gzipped, or the questions themselves. A JSON line has
            the fields ``question``, ``context`` and ``answers`` (a list of accepted answers, empty for an unanswerable
            question; SQuAD's ``{"text": […]}`` is taken as well) and may have an ``id``; without one its digest is
            its id.

    Raises:
        InputError: The file cannot be read, a question is blank or not labelled, or two have the same id.
    """
    if isinstance(data, (str, Path)):
        path = Path(data)
        examples = list(_json_lines(path)) if _is_json_lines(path) else squad.load(path)
    else:
        examples = list(data)
    seen: dict[str, int] = {}
    for number, example in enumerate(examples, 1):
        _check(example)
        if example.id in seen:
            message = (
                f"the questions {seen[example.id]} and {number} have the same id {shorten(example.id)}: a question "
                "counts once, give each an id of its own"
            )
            raise InputError(message)
        seen[example.id] = number
    return examples


def _check(example: squad.Example) -> None:
    if not isinstance(example, squad.Example):
        message = f"{shorten(example)} is no labelled question: pass squad.Example(id=…, question=…, context=…, …)"
        raise InputError(message)
    try:
        example.as_input()
    except InputError as error:
        raise InputError(f"question {shorten(example.id)}: {error}") from error
    if example.is_impossible == bool(example.answers):
        labels = "has accepted answers and is" if example.answers else "has no accepted answer and is not"
        message = (
            f"question {shorten(example.id)} {labels} marked as unanswerable (is_impossible): label it the one way or "
            "the other"
        )
        raise InputError(message)


def _is_json_lines(path: Path) -> bool:
    """Returns whether the first line of a file is a whole JSON object that is a question."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
        with gzip.open(path) if packed else path.open("rb") as lines:
            first = json.loads(lines.readline())
    except (OSError, ValueError, EOFError, zlib.error, RecursionError):
        return False  # whatever it is, `squad.load` says what is wrong with it
    return isinstance(first, dict) and "data" not in first


def _json_lines(path: Path) -> Iterator[squad.Example]:
    raw = path.read_bytes()
    try:
        lines = (gzip.decompress(raw) if raw[:2] == _GZIP else raw).split(b"\n")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is a damaged archive: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _example(json.loads(line))
            except (InputError, ValueError, RecursionError) as error:
                raise InputError(f"{path}, line {number}: {error}") from error


def _example(fields: Any) -> squad.Example:
    if not isinstance(fields, dict) or not {"question", "context", "answers"} <= fields.keys():
        message = (
            f"{shorten(fields)} is no labelled question: write an object with 'question', 'context' and 'answers', the "
            "list of accepted answers ([] for an unanswerable question)"
        )
        raise InputError(message)
    answers = fields["answers"]
    if isinstance(answers, dict):
        answers = answers.get("text")
    if not isinstance(answers, list):
        message = f"answers={shorten(fields['answers'])}: list the accepted answers, none ([]) where there is no answer"
        raise InputError(message)
    example = squad.Example(
        id=str(fields.get("id", "")),
        question=fields["question"],
        context=fields["context"],
        answers=tuple(answers),
        is_impossible=fields.get("is_impossible", not answers),
    )
    return example if example.id else example.model_copy(update={"id": digest(example)})
