"""Questions that show where a supervisor errs: trusted and wrong, refused and right."""

from typing import Literal

import numpy as np

from twosup_chain._options import Record
from twosup_chain.outcomes.decisions import Decisions
from twosup_chain.outcomes.from_records import RecordColumns
from twosup_chain.outcomes.outcomes import Choice, Flags

Role = Literal["local", "remote"]


class Mistake(Record):
    """One question, as far as the records hold it; texts are ``None`` where they were not kept."""

    id: str
    score: float  # the trust in the prediction
    prediction: str | None  # what was predicted, or chosen by weighing; also None for "no answer"
    no_answer: bool  # whether the prediction is that there is no answer
    question: str | None
    answers: tuple[str, ...] | None  # the accepted ones; empty where there is none


class Mistakes(Record):
    """One kind of mistake of one supervisor, and the examples about which its score is most mistaken."""

    role: Role
    kind: Literal["trusted_wrong", "refused_right"]
    total: int
    examples: tuple[Mistake, ...]


def mistakes(columns: RecordColumns, decisions: Decisions, most: int) -> tuple[Mistakes, ...]:
    """Returns the mistakes of both supervisors, at most so many examples of each kind."""
    o, d = decisions.outcomes, decisions
    return (
        *_mistakes(columns, "local", d.kept, o.local_correct, ~columns.local.failed, most),
        *_mistakes(columns, "remote", d.accepted, o.remote_correct, d.escalated & ~columns.remote.failed, most),
    )


def _mistakes(
    columns: RecordColumns, role: Role, trusted: Flags, right: Flags, judged: Flags, most: int
) -> tuple[Mistakes, Mistakes]:
    score = (columns.local_judged if role == "local" else columns.remote_judged).trust
    wrong, lost = (np.flatnonzero(judged & which) for which in (trusted & ~right, ~trusted & right))
    wrong, lost = wrong[np.argsort(-score[wrong], kind="stable")], lost[np.argsort(score[lost], kind="stable")]
    examples = [tuple(_mistake(columns, role, row) for row in rows[:most].tolist()) for rows in (wrong, lost)]
    return (
        Mistakes(role=role, kind="trusted_wrong", total=len(wrong), examples=examples[0]),
        Mistakes(role=role, kind="refused_right", total=len(lost), examples=examples[1]),
    )


def _mistake(columns: RecordColumns, role: Role, row: int) -> Mistake:
    record = columns.record(row)
    judged = columns.local_judged if role == "local" else columns.remote_judged
    chosen = Choice(judged.chosen[row])
    made = record.local if role == "local" or chosen == Choice.LOCAL else record.remote
    return Mistake(
        id=record.id,
        score=float(judged.trust[row]),
        prediction=None if chosen == Choice.UNANSWERABLE else made.text,
        no_answer=bool(judged.no_answer[row]),
        question=record.question,
        answers=None if record.question is None else record.answers or (),
    )
