"""Labelled decisions: texts with the label that is right for each, as the fields of labelled questions.

A decision is a question with options: its instructions are the question, its text the passage, and its label the one
accepted answer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from twosup_chain._options import shorten
from twosup_chain.errors import InputError

#: What is asked where nobody says.
INSTRUCTIONS = "Which label fits the text?"

#: Labels, or labels with their descriptions.
Options = Iterable[str] | Mapping[str, Any]


def is_decision(fields: object) -> bool:
    """Whether the fields of a line are those of a labelled decision."""
    return isinstance(fields, Mapping) and {"text", "label"} <= fields.keys()


def missing(fields: Any, names: Sequence[str]) -> str:
    """Returns which of an object's fields are missing, in words; of what is no object, what it is; else nothing."""
    if not isinstance(fields, Mapping):
        return f"{shorten(fields)} is no object"
    lacked = [name for name in names if name not in fields]
    return f"{' and '.join(lacked)} {'is' if len(lacked) == 1 else 'are'} missing" if lacked else ""


def decision_fields(
    lines: Iterable[tuple[str, Any]], instructions: str, options: Options | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields each decision as the fields of a labelled question, with its place; equal ones without an id once.

    `lines` are objects with ``text`` and ``label``, and their places for messages. Without `options` there are those
    that occur as labels, in their alphabetical order.
    """
    found = [(place, _checked(fields, place)) for place, fields in lines]
    labels = sorted({fields["label"] for _, fields in found if fields["label"] is not None})
    known: dict[str, Any] = dict(options) if isinstance(options, Mapping) else dict.fromkeys(options or labels)
    seen: set[tuple[str, str | None]] = set()
    for place, fields in found:
        text, label, identity = fields["text"], fields["label"], fields.get("id")
        if label is not None and label not in known:
            raise InputError(f"{place}: label={shorten(label)} is none of the options {shorten(list(known), 200)}")
        if identity is None and (text, label) in seen:
            continue
        seen.add((text, label))
        asked: dict[str, Any] = {"question": instructions, "context": text, "answers": [] if label is None else [label]}
        asked |= {name: fields[name] for name in ("id", "metadata") if name in fields}
        yield place, {**asked, "options": known}


def _checked(fields: Any, place: str) -> dict[str, Any]:
    wrong = missing(fields, ("text", "label"))
    if not wrong and (not isinstance(fields["text"], str) or not fields["text"].strip()):
        wrong = f"text={shorten(fields['text'])} is blank or no text"
    if wrong:
        raise InputError(
            f"{place}: {wrong}; write a labelled decision as an object with 'text' and 'label' (null where no option "
            "is right)"
        )
    label = fields["label"]
    if label is not None and (not isinstance(label, (str, int)) or isinstance(label, bool) or label == ""):
        raise InputError(
            f"{place}: label={shorten(label)}: write the label as a text, or null where no option is right"
        )
    return {**fields, "label": None if label is None else str(label)}
