"""`System`: what a rule does with every question, and what comes of it; the same columns for every rule."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from twosup_chain.outcomes.decisions import decide
from twosup_chain.outcomes.outcomes import Outcomes

if TYPE_CHECKING:
    from twosup_chain.outcomes.outcomes import Flags, Floats
    from twosup_chain.outcomes.predictions import PredictionColumns


@dataclass(frozen=True, eq=False, kw_only=True)
class System:
    """One rule on n questions.

    Args:
        name: The rule's name.
        called: How often the hosted model is asked, shape (n,): 0 or 1, or a probability.
        exact_match: Official exact match of what the rule says in the end; leaving open counts as "no answer".
        f1: Official token F1 of it.
        answered: Whether somebody was trusted (with "no answer", too).
        trust: The rule's own trust in what it says in the end; NaN where it has none.
        right: Exact match of what the rule would say if it had to, for risk and AUGRC.
    """

    name: str
    called: Floats
    exact_match: Floats
    f1: Floats
    answered: Flags
    trust: Floats
    right: Floats

    @classmethod
    def of(
        cls,
        name: str,
        answerable: Flags,
        local: PredictionColumns,
        remote: PredictionColumns,
        thresholds: tuple[float, float],
    ) -> System:
        """Returns what comes of a decision.

        Args:
            name: The rule's name.
            answerable: Whether each question has an answer.
            local: What the first supervisor judges.
            remote: What the second one judges.
            thresholds: The least trust of either that is enough.
        """
        outcomes = Outcomes(
            local_score=local.trust,
            remote_score=remote.trust,
            local_correct=local.correct("exact_match"),
            remote_correct=remote.correct("exact_match"),
        )
        found, null = decide(outcomes, *thresholds), np.where(answerable, 0.0, 1.0)
        return cls(
            name=name,
            called=found.escalated.astype(np.float64),
            exact_match=found.pick(local.exact_match, remote.exact_match, otherwise=null),
            f1=found.pick(local.f1, remote.f1, otherwise=null),
            answered=found.answered,
            trust=np.where(found.escalated, remote.trust, local.trust),
            right=np.where(found.escalated, remote.exact_match, local.exact_match),
        )

    @property
    def remote_rate(self) -> float:
        """The share of questions that the hosted model is asked."""
        return float(self.called.mean())

    def named(self, name: str) -> System:
        """Returns the same under another name."""
        return replace(self, name=name)


def joined(parts: list[tuple[Flags, System]]) -> System:
    """Returns a system from its pieces on disjoint questions: the folds that it was fitted without.

    Args:
        parts: Which questions each piece holds, as flags, shape (n,), and the piece.
    """
    columns: dict[str, Floats] = {}
    for held, piece in parts:
        for field in fields(piece):
            if field.name != "name":
                values = getattr(piece, field.name)
                columns.setdefault(field.name, np.zeros(len(held), values.dtype))[held] = values
    return System(name=parts[0][1].name, **columns)
