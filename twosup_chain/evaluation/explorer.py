"""What the page lets a reader try: the columns of a decision at thresholds that move, and the questions one by one.

The page's script takes the same decision as `outcomes.decisions.decide`, on these columns.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from twosup_chain._options import shorten
from twosup_chain.calibration.record import CalibratedSupervisor
from twosup_chain.errors import InputError
from twosup_chain.outcomes.decisions import Decisions
from twosup_chain.outcomes.from_records import RecordColumns
from twosup_chain.outcomes.outcomes import Floats
from twosup_chain.records.question import QuestionRecord
from twosup_chain.text.questions import LabelledQuestion, digest

#: The most questions that the sliders count, and that the table lists.
_MOST_COUNTED, _MOST_LISTED = 20_000, 1_000
#: How a passage may be long on the page, in characters.
_LONGEST = 6_000


def explorer(
    columns: RecordColumns,
    decisions: Decisions,
    costs: Floats | None,
    settings: Mapping[str, CalibratedSupervisor],
    questions: Mapping[str, LabelledQuestion] | None,
) -> dict[str, Any]:
    """Returns the columns and the questions, ready for JSON: of many questions an even share of them.

    Args:
        columns: The records.
        decisions: What becomes of them at the thresholds of the `settings`, by role.
        costs: What each hosted call costs, in currency, shape (n,); ``None`` without a price.
        settings: The supervisors, by role.
        questions: The labelled questions that were recorded, by id, for their passages.

    Raises:
        InputError: A question is another one in `questions` than in the records.
    """
    o = decisions.outcomes
    rows = np.unique(np.linspace(0, len(columns) - 1, min(len(columns), _MOST_COUNTED)).astype(np.intp))
    none = np.zeros(len(columns), np.bool_)
    flags = (o.local_failed, o.remote_failed, o.local_correct, o.remote_correct, o.local_no_answer, o.remote_no_answer)
    bits = sum((none if flag is None else flag).astype(np.int64) << place for place, flag in enumerate(flags))
    listed = [_listed(columns.record(row), questions) for row in rows[:_MOST_LISTED].tolist()]
    return {
        "of": len(columns),
        "local": o.local_score[rows].tolist(),
        "remote": o.remote_score[rows].tolist(),
        "bits": np.asarray(bits)[rows].tolist(),
        "cost": None if costs is None else costs[rows].tolist(),
        "thresholds": {role: setting.threshold for role, setting in settings.items()},
        "no_answer_thresholds": {role: setting.no_answer_threshold for role, setting in settings.items()},
        "questions": listed,
        "passages": questions is not None,
    }


def _listed(record: QuestionRecord, questions: Mapping[str, LabelledQuestion] | None) -> dict[str, Any]:
    known = None if questions is None else questions.get(record.id)
    if known is not None and digest(known) != record.digest:
        raise InputError(f"question {shorten(record.id)} is another one in questions= than in the records: pass theirs")
    question = record.question if known is None else known.question
    answers = record.answers if known is None else known.answers
    return {
        "id": record.id,
        "question": question,
        "answers": None if question is None else list(dict.fromkeys(answers or ())),
        "passage": None if known is None else known.context[:_LONGEST],
        "local": _said(record, "local"),
        "remote": _said(record, "remote"),
    }


def _said(record: QuestionRecord, role: str) -> str | None:
    """Returns what a model said; ``None`` where its text was not kept."""
    made = record.local if role == "local" else record.remote
    if made.error is not None:
        return f"({made.error})"
    return "no answer" if made.no_answer else made.text
