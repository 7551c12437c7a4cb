"""Labelled questions, and the one loader for them: a SQuAD file, JSON lines or a table, or what a dataset yields.

What is checked is what makes labels usable: every question has an id of its own, and says whether it has an answer.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from twosup_chain._json_file import parse_json
from twosup_chain._options import Record, shorten
from twosup_chain._packed import read_packed
from twosup_chain.errors import InputError
from twosup_chain.schema import Labels, QAInput
from twosup_chain.text.csv_rows import csv_rows, is_csv
from twosup_chain.text.decisions import INSTRUCTIONS, Options, decision_fields, is_decision, missing

#: What a labelled question has in any case.
_NEEDED = ("question", "context", "answers")
Fault = Callable[[str, str], object]  # takes the place and what is wrong there


#: What is known of a question besides: texts, numbers and truth values by name.
MetadataValue = str | int | float | bool
Metadata = dict[str, MetadataValue]


class LabelledQuestion(Record):
    """A question with its passage and its accepted answers: none, if the passage does not hold one (`is_impossible`).

    A decision is a question with `options`, about a text that stands in the place of the passage (`decisions`). The id
    is unique in its file; the title is that of the article that the passage is from. Metadata (its domain, say) are
    what the call that asks the question in production has in its config, or its documents have.
    """

    id: str
    question: str
    context: str
    answers: tuple[str, ...] = ()
    is_impossible: bool = False
    title: str = ""
    metadata: Metadata = Field(default_factory=dict)
    options: Labels = Field(default_factory=dict)

    def as_input(self) -> QAInput:
        """Returns the question and its passage, as every answerer takes them."""
        return QAInput(question=self.question, context=self.context, id=self.id, options=self.options)


#: What labelled questions are read from: a file, or what yields them.
Questions = str | Path | Iterable[LabelledQuestion | Mapping[str, Any] | Any]


class Entry(NamedTuple):
    """A question as it stands in a SQuAD file, at a place (article, paragraph and id) for messages.

    Of the question's own fields ``id`` and ``question`` are texts, ``answers`` is a list of objects.
    """

    place: str
    article: dict[str, Any]
    context: str
    fields: dict[str, Any]


def load_questions(data: Questions) -> list[LabelledQuestion]:
    """Returns labelled questions, in their order.

    Args:
        data: A file in SQuAD format (v1.1 or v2.0), of JSON lines, or a table (``.csv``, ``.tsv``), plain or gzipped,
            or the questions themselves, as `LabelledQuestion`s, as mappings (the rows of a split of a Hugging Face
            dataset, say) or as LangSmith's examples (``Client().list_examples(…)``). A JSON line or a mapping has the
            fields ``question``, ``context`` and ``answers`` (a list of accepted answers, empty for an unanswerable
            question; SQuAD's ``{"text": […]}`` and one ``answer`` are taken as well) and may have a ``title``, an
            object of ``metadata`` and an ``id``; without one its digest is its id. A table has them as columns: see
            `csv_rows`. An example has question and context in its inputs, ``answer`` or ``answers`` in its outputs.
            With ``text`` and ``label`` in their place they are labelled decisions, as `load_decisions` reads them.

    Raises:
        InputError: The file cannot be read, a question is blank or not labelled, or two have the same id.
    """
    if not isinstance(data, (str, Path)):
        return _once(_labelled(_given(data)))
    if found := _once(_read(Path(data))):
        return found
    raise InputError(f"{data} holds no question")


def load_decisions(
    data: Questions, *, instructions: str = INSTRUCTIONS, options: Options | None = None
) -> list[LabelledQuestion]:
    """Returns labelled decisions as labelled questions with options, in their order.

    Args:
        data: A file of JSON lines or a table, plain or gzipped, or mappings; each has a ``text`` and its ``label``,
            ``None`` (null, an empty cell) where no option is right, and may have an ``id`` and ``metadata``. Equal ones
            without an id count once.
        instructions: What is asked of each text.
        options: The labels that there are, or a mapping of them to their descriptions, which hosted models are told; by
            default those that occur.

    Raises:
        InputError: The file cannot be read, an object is no labelled decision, or its label is none of the options.
    """
    rows = read_rows(Path(data), read_packed(Path(data))) if isinstance(data, (str, Path)) else _given(data)
    return _once(_placed(decision_fields(rows, instructions, options)))


def _once(found: Iterable[LabelledQuestion]) -> list[LabelledQuestion]:
    questions = list(found)
    seen: dict[str, int] = {}
    for number, question in enumerate(questions, 1):
        _check(question)
        if question.id in seen:
            raise InputError(
                f"the questions {seen[question.id]} and {number} have the same id {shorten(question.id)}: a question "
                "counts once, give each an id of its own"
            )
        seen[question.id] = number
    return questions


def digest(question: LabelledQuestion) -> str:
    """Returns 16 hexadecimal digits that stand for question, context, accepted answers and options (SHA-256)."""
    options = [question.options] if question.options else []
    labelled = json.dumps([question.question, question.context, *question.answers, *options])
    return hashlib.sha256(labelled.encode()).hexdigest()[:16]


def squad_entries(raw: bytes, path: Path, fault: Fault) -> Iterator[Entry]:
    """Yields the questions of an unpacked SQuAD file as they stand there, without those whose `fault` is told."""
    try:
        document = parse_json(raw)
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from error
    articles = document.get("data") if isinstance(document, dict) else None
    for i, article in enumerate(_objects(articles, "data", "the file", fault)):
        title = article.get("title")
        place = f"article {i}" + (f" ({title!r})" if title else "")
        for j, paragraph in enumerate(_objects(article.get("paragraphs"), "paragraphs", place, fault)):
            where, context = f"{place}, paragraph {j}", paragraph.get("context")
            if not isinstance(context, str) or not context.strip():
                fault(where, f"the context {shorten(context)} is empty or no text")
                continue
            for fields in _objects(paragraph.get("qas"), "qas", where, fault):
                identity, question = fields.get("id"), fields.get("question")
                at = f"{where}, id {shorten(identity)}"
                if not _is_id(identity) or identity == "":
                    fault(at, "the id is missing or no text")
                elif not isinstance(question, str) or not question.strip():
                    fault(at, f"the question {shorten(question)} is empty or no text")
                else:
                    answers = _objects(fields.get("answers", []), "answers", at, fault)
                    yield Entry(at, article, context, {**fields, "id": str(identity), "answers": answers})


def _objects(value: Any, key: str, place: str, fault: Fault) -> list[dict[str, Any]]:
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return value
    fault(place, f"{key}={shorten(value)} is no list of objects")
    return []


def _given(items: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Yields what was given for questions, with its place for messages."""
    for number, item in enumerate(items, 1):
        if hasattr(items, "keys"):
            rows = "of a dataset with splits pass one, of a data frame its rows: data.to_dict('records')"
            raise InputError(f"question {number}: {shorten(item)} is no labelled question: {rows}")
        yield f"question {number}", _example(item)


def _labelled(rows: Iterable[tuple[str, Any]]) -> Iterator[LabelledQuestion]:
    """Yields the labelled questions, or decisions, whose fields these are."""
    rows = iter(rows)
    first = list(islice(rows, 1))
    rows = chain(first, rows)
    decides = bool(first) and is_decision(first[0][1])
    return _placed(decision_fields(rows, INSTRUCTIONS, None) if decides else rows)


def _placed(rows: Iterable[tuple[str, Any]]) -> Iterator[LabelledQuestion]:
    for place, fields in rows:
        try:
            yield fields if isinstance(fields, LabelledQuestion) else _question(fields)
        except InputError as error:
            raise InputError(f"{place}: {error}") from error


def _example(item: Any) -> Any:
    """Returns the fields of a LangSmith example, which keeps them in two objects; anything else as it is."""
    inputs, outputs = getattr(item, "inputs", None), getattr(item, "outputs", None)
    if not isinstance(inputs, Mapping):
        return item
    names = ("answer", "answers", "is_impossible", "label")
    labels = {key: (outputs or {})[key] for key in names if key in (outputs or {})}
    told = (getattr(item, "metadata", None) or {}).items()
    metadata = {key: value for key, value in told if isinstance(value, (str, int, float))}
    return {**inputs, "id": str(item.id), "metadata": metadata, **labels}


def _read(path: Path) -> Iterator[LabelledQuestion]:
    raw = read_packed(path)
    if is_csv(path) or not raw.strip() or _is_json_line(raw.partition(b"\n")[0]):
        yield from _labelled(read_rows(path, raw))
        return

    def fault(place: str, what: str) -> None:
        raise InputError(f"{path} is not in SQuAD format ('data' → 'paragraphs' → 'qas'): {place}: {what}")

    for place, article, context, fields in squad_entries(raw, path, fault):
        answers = [answer.get("text") for answer in fields["answers"]]
        try:
            yield _question({**fields, "context": context, "answers": answers, "title": article.get("title", "")})
        except InputError as error:
            fault(place, str(error))


def _is_json_line(line: bytes) -> bool:
    try:
        first = parse_json(line)
    except ValueError:
        return False  # whatever it is, `squad_entries` says what is wrong with it
    return isinstance(first, dict) and "data" not in first


def read_rows(path: Path, raw: bytes, *, labelled: bool = True) -> Iterator[tuple[str, Any]]:
    """Yields the fields of each line of a table, or of JSON lines, with its place for messages.

    Raises:
        InputError: A line is no JSON, or the table cannot be read: see `csv_rows`, which takes `labelled` too.
    """
    if is_csv(path):
        found = csv_rows(raw, path, labelled=labelled) if raw.strip() else ()
        yield from ((f"{path}, line {line}", fields) for line, fields in found)
        return
    for number, line in enumerate(raw.split(b"\n"), 1):
        if line.strip():
            try:
                fields = parse_json(line)
            except ValueError as error:
                raise InputError(f"{path}, line {number}: {error}") from error
            yield f"{path}, line {number}", fields


def _question(fields: Any) -> LabelledQuestion:
    if isinstance(fields, Mapping) and "answers" not in fields and isinstance(fields.get("answer", 0), str | None):
        fields = {**fields, "answers": [fields["answer"]] if fields["answer"] else []}
    if lacked := missing(fields, _NEEDED):
        raise InputError(
            f"{lacked}; write a labelled question as an object with 'question', 'context' and 'answers', the list of "
            "accepted answers ([] for an unanswerable question)"
        )
    answers = fields["answers"]
    if isinstance(answers, Mapping):
        answers = answers.get("text")
    answers = answers.tolist() if hasattr(answers, "tolist") else answers  # an array of a data frame
    if not isinstance(answers, list):
        message = f"answers={shorten(fields['answers'])}: list the accepted answers, none ([]) where there is no answer"
        raise InputError(message)
    identity = fields.get("id")
    if identity is not None and not _is_id(identity):
        raise InputError(f"id={shorten(identity)}: give the question a text or a number as its id, or none")
    question = LabelledQuestion(
        id="" if identity is None else str(identity),
        question=fields["question"],
        context=fields["context"],
        answers=tuple(answers),
        is_impossible=fields.get("is_impossible", not answers),
        title=fields.get("title") or "",
        metadata=fields.get("metadata") or {},
        options=fields.get("options") or {},
    )
    return question if question.id else question.model_copy(update={"id": digest(question)})


def _is_id(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _check(question: LabelledQuestion) -> None:
    if not isinstance(question, LabelledQuestion):
        message = f"{shorten(question)} is no labelled question: pass LabelledQuestion(id=…, question=…, context=…, …)"
        raise InputError(message)
    try:
        question.as_input()
    except InputError as error:
        raise InputError(f"question {shorten(question.id)}: {error}") from error
    if question.is_impossible == bool(question.answers):
        labels = "has accepted answers and is" if question.answers else "has no accepted answer and is not"
        message = f"question {shorten(question.id)} {labels} marked as unanswerable (is_impossible): label it one way"
        raise InputError(message)
