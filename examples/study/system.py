"""`System`: what a rule does with every question, and what comes of it; the same columns for every rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from study.columns import Columns, Flags, Floats, Predictions
    from study.estimates import Choice


@dataclass(frozen=True, eq=False, kw_only=True)
class System:
    """One rule on n questions.

    Args:
        name: The rule's name.
        called: How often the hosted model is asked, shape (n,): 0 or 1, or a probability.
        exact: Official exact match of what the rule says in the end; an abstention counts as "no answer".
        f1: Official token F1 of it.
        answered: Whether somebody was trusted (with "no answer", too).
        trust: The rule's own trust in what it says in the end; NaN where it has none.
        right: Exact match of what the rule would say if it had to, for risk and AUGRC.
    """

    name: str
    called: Floats
    exact: Floats
    f1: Floats
    answered: Flags
    trust: Floats
    right: Floats

    @classmethod
    def of(
        cls,
        name: str,
        columns: Columns,
        local: Predictions | Choice,
        remote: Predictions | Choice | None = None,
        *,
        escalated: Flags,
        local_trust: Floats,
        remote_trust: Floats,
        accepted: Flags | None = None,
    ) -> System:
        """Returns a cascade: the local prediction, or the other where escalated, or nothing where not accepted.

        The other is the hosted prediction unless it is given.
        """
        remote = columns.remote if remote is None else remote
        answered = np.ones(len(columns), dtype=bool) if accepted is None else ~escalated | accepted
        right = np.where(escalated, remote.exact, local.exact)
        return cls(
            name=name,
            called=escalated.astype(np.float64),
            exact=np.where(answered, right, columns.null),
            f1=np.where(answered, np.where(escalated, remote.f1, local.f1), columns.null),
            answered=answered,
            trust=np.where(escalated, remote_trust, local_trust),
            right=right,
        )

    @property
    def remote_rate(self) -> float:
        """The share of questions that the hosted model is asked."""
        return float(self.called.mean())

    def named(self, name: str) -> System:
        """Returns the same under another name."""
        return System(**{**self.__dict__, "name": name})


def joined(parts: list[tuple[Flags, System]], count: int) -> System:
    """Returns a system from its pieces on disjoint questions: the folds that it was fitted without.

    Args:
        parts: Which questions each piece holds, as flags, shape (count,), and the piece.
        count: How many questions there are.
    """
    columns: dict[str, Floats] = {}
    for held, piece in parts:
        for name in ("called", "exact", "f1", "answered", "trust", "right"):
            values = getattr(piece, name)
            columns.setdefault(name, np.full(count, False if values.dtype == bool else np.nan))[held] = values
    return System(name=parts[0][1].name, **columns)
