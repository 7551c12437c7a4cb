"""Evaluators of single answers, as `langsmith.evaluate` and openevals take them: by ``outputs``, ``reference_outputs``.

``outputs`` is what was answered: a `TwoSupervisorResult`, a text, ``None`` or ``""`` for "no answer", or an object that
holds one of these as ``answer`` or ``output`` (LangSmith wraps what is no object so). ``reference_outputs`` holds the
accepted answers as ``answers`` (a list, empty where there is none) or ``answer`` (one, or ``None``).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from twosup_chain._options import Record, shorten
from twosup_chain.errors import InputError
from twosup_chain.schema import TwoSupervisorResult
from twosup_chain.text import squad

#: What became of a question: answered where there was an answer or ``missed``, ``invented`` where there was none or
#: ``abstained`` from.
Abstention = Literal["answered", "missed", "invented", "abstained"]


class AbstentionTable(Record):
    """The two-by-two table of abstention: what should have been answered, and what was, right or wrong."""

    answered: int
    missed: int
    invented: int
    abstained: int

    @property
    def precision(self) -> float:
        """Share of the abstentions that were right to be, in [0, 1]; NaN where there were none."""
        return _share(self.abstained, self.missed)

    @property
    def recall(self) -> float:
        """Share of the questions without an answer that were abstained from, in [0, 1]; NaN where there were none."""
        return _share(self.abstained, self.invented)


def exact_match(*, outputs: Any, reference_outputs: Mapping[str, Any], **_: Any) -> dict[str, Any]:
    """Returns SQuAD's exact match of an answer, 0 or 1, as ``{"key": "exact_match", "score": …}``.

    Raises:
        InputError: The outputs hold no answer, or the reference outputs do not say which are accepted.
    """
    return {"key": "exact_match", "score": squad.exact_match(_answer(outputs), _accepted(reference_outputs))}


def f1(*, outputs: Any, reference_outputs: Mapping[str, Any], **_: Any) -> dict[str, Any]:
    """Returns SQuAD's token F1 of an answer, in [0, 1], as ``{"key": "f1", "score": …}``.

    Raises:
        InputError: The outputs hold no answer, or the reference outputs do not say which are accepted.
    """
    return {"key": "f1", "score": squad.f1(_answer(outputs), _accepted(reference_outputs))}


def abstention(*, outputs: Any, reference_outputs: Mapping[str, Any], **_: Any) -> dict[str, Any]:
    """Returns whether it was right to answer, or to say "no answer", whatever the answer was.

    Returns:
        ``{"key": "abstention", "score": …, "value": …}``: 1 where there was an answer if and only if there is one, else
        0, and which cell of `AbstentionTable` that is.

    Raises:
        InputError: The outputs hold no answer, or the reference outputs do not say which are accepted.
    """
    cell = _cell(outputs, reference_outputs)
    return {"key": "abstention", "score": float(cell in {"answered", "abstained"}), "value": cell}


def abstention_table(
    *, outputs: Sequence[Any], reference_outputs: Sequence[Mapping[str, Any]], **_: Any
) -> AbstentionTable:
    """Returns the table of abstention of many answers, in the order of their references.

    Raises:
        InputError: As for one, or there are not as many answers as references.
    """
    if len(outputs) != len(reference_outputs):
        raise InputError(f"there are {len(outputs)} outputs and {len(reference_outputs)} references: pass one for each")
    cells = Counter(map(_cell, outputs, reference_outputs))
    return AbstentionTable(
        answered=cells["answered"], missed=cells["missed"], invented=cells["invented"], abstained=cells["abstained"]
    )


def _cell(outputs: Any, reference_outputs: Mapping[str, Any]) -> Abstention:
    did, should = squad.normalize_answer(_answer(outputs) or "") != "", _accepted(reference_outputs) != ()
    if should:
        return "answered" if did else "missed"
    return "invented" if did else "abstained"


def _answer(outputs: Any) -> str | None:
    if isinstance(outputs, Mapping):
        for key in ("answer", "output"):
            if key in outputs:
                return _answer(outputs[key])
    if isinstance(outputs, TwoSupervisorResult):
        return outputs.answer
    if outputs is None or isinstance(outputs, str):
        return outputs
    raise InputError(f"outputs={shorten(outputs)}: return the chain's result, or an object with the 'answer'")


def _accepted(reference_outputs: Any) -> tuple[str, ...]:
    if isinstance(reference_outputs, Mapping):
        for key in ("answers", "answer"):
            if key in reference_outputs:
                answers = reference_outputs[key]
                given = [answers] if answers is None or isinstance(answers, str) else answers
                if isinstance(given, Sequence) and all(answer is None or isinstance(answer, str) for answer in given):
                    return tuple(answer for answer in given if answer)
    message = f"reference_outputs={shorten(reference_outputs)}: give the accepted 'answers', [] where there is none"
    raise InputError(message)


def _share(part: int, rest: int) -> float:
    return part / (part + rest) if part + rest else float("nan")
