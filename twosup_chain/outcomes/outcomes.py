"""`Outcomes`: what both models did on the same labelled questions, as plain columns.

Curves, calibration and evaluation work on these columns and know nothing of LangChain, files or texts. Where they come
from is the business of `records`; what follows from them is that of `curves`, `calibration` and `evaluation`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from twosup_chain._options import shorten
from twosup_chain.errors import ConfigurationError, InputError

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Choices = npt.NDArray[np.int8]


class Choice(IntEnum):
    """Which prediction a supervisor has judged in the end; the names, in lower case, are those of `Verdict.chosen`.

    The one that its model has made, the local one in its place, or "no answer" in its place.
    """

    ANSWER = 0
    LOCAL = 1
    UNANSWERABLE = 2


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcomes:
    """Both models' predictions on n labelled questions, one entry a question in every column.

    A prediction of "no answer" is one like any other: it is right where the question has no answer. Where predictions
    are weighed (`early_abstention`, `reconcile`), a supervisor's columns are about what it has chosen.

    Args:
        local_score: Trust in the local prediction, shape (n,), in [0, 1]; higher is more trustworthy.
        remote_score: Trust in the hosted prediction, or in what is chosen in its place, likewise.
        local_correct: Whether the local prediction, or what is chosen in its place, is right, shape (n,).
        remote_correct: Whether the hosted prediction, or what is chosen in its place, is right, shape (n,).
        answerable: Whether the question has an answer, shape (n,); ``None`` where the data do not tell.
        remote_cost: What the hosted call cost or would cost, in currency, shape (n,), at least 0; ``None``: no price.
        local_no_answer: Whether the local prediction (or choice) is that there is no answer, shape (n,); ``None`` where
            the data do not tell.
        remote_no_answer: Whether the hosted one is, likewise.
        local_chosen: What the first supervisor has chosen, by `Choice`, shape (n,); ``None``: always what was made.
        remote_chosen: What the second supervisor has chosen, likewise.
        local_failed: Whether the local call failed, shape (n,): such a prediction is neither trusted nor right;
            ``None`` where no call can fail.
        remote_failed: Whether the hosted call failed, likewise; it is paid for all the same.
        passage: A number that stands for what the question is about, shape (n,): questions with the same one are no
            independent draws; ``None`` where all are.
        remote_alone_correct: Whether the hosted model's own prediction is right, shape (n,), where others are chosen in
            its place; ``None``: as `remote_correct`.
        max_call_cost: The most that one hosted call can cost, in currency; ``None`` where nobody has stated it.

    Raises:
        InputError: A column has another length, a score is NaN or outside [0, 1], a cost is negative or not finite.
        ConfigurationError: A call has cost more than `max_call_cost`, or there are no costs.
    """

    local_score: Floats
    remote_score: Floats
    local_correct: Flags
    remote_correct: Flags
    answerable: Flags | None = None
    remote_cost: Floats | None = None
    local_no_answer: Flags | None = None
    remote_no_answer: Flags | None = None
    local_chosen: Choices | None = None
    remote_chosen: Choices | None = None
    local_failed: Flags | None = None
    remote_failed: Flags | None = None
    passage: npt.NDArray[np.uint64] | None = None
    remote_alone_correct: Flags | None = None
    max_call_cost: float | None = None

    def __post_init__(self) -> None:
        for name, column in self._columns():
            if column.shape != (len(self),):
                message = f"{name} has the shape {column.shape}, but local_score has {len(self)} entries: align them"
                raise InputError(message)
        for role in ("local", "remote"):
            failed = getattr(self, f"{role}_failed")
            if failed is not None and np.any(failed & getattr(self, f"{role}_correct")):
                raise InputError(
                    f"{role}_failed and {role}_correct are both true of a question: a failure is no answer"
                )
        for name in ("local_score", "remote_score"):
            _check(name, getattr(self, name), 1.0, "a trust score is a number in [0, 1]")
        if self.remote_cost is not None:
            _check("remote_cost", self.remote_cost, np.finfo(np.float64).max, "a cost is a finite number, at least 0")
        if self.max_call_cost is not None and self.remote_cost is None:
            message = "the hosted calls have no costs, and max_call_cost is given: pass a price, or remote_cost=…"
            raise ConfigurationError(message)
        if self.max_call_cost is not None and not self.dearest_seen <= self.max_call_cost < np.inf:
            raise ConfigurationError(
                f"max_call_cost={shorten(self.max_call_cost)}: a call in the data cost {self.dearest_seen:g}; pass the "
                "most that one can cost"
            )

    def __len__(self) -> int:
        return len(self.local_score)

    @property
    def hosted_correct(self) -> Flags:
        """Whether the hosted model's own prediction is right, whatever is chosen in its place, shape (n,)."""
        return self.remote_correct if self.remote_alone_correct is None else self.remote_alone_correct

    @property
    def weighed(self) -> dict[str, bool]:
        """Whether another prediction than the one that was made is chosen anywhere, by the chain's option for it."""
        chosen = {"early_abstention": self.local_chosen, "reconcile": self.remote_chosen}
        return {option: column is not None and bool(np.any(column)) for option, column in chosen.items()}

    @property
    def dearest_seen(self) -> float:
        """What the dearest hosted call has cost, in currency; 0 without costs."""
        return 0.0 if self.remote_cost is None else float(self.remote_cost.max(initial=0.0))

    @property
    def dearest(self) -> float:
        """The most that a hosted call can cost, in currency: as stated, else as seen."""
        return self.dearest_seen if self.max_call_cost is None else self.max_call_cost

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that stand for scores and labels (SHA-256)."""
        state = hashlib.sha256()
        for column in (self.local_score, self.remote_score):
            state.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
        for flags in (self.local_correct, self.remote_correct):
            state.update(np.packbits(flags).tobytes())
        return state.hexdigest()[:16]

    @classmethod
    def unlabelled(cls, *, local_score: Floats, remote_score: Floats, seed: int = 0, **columns: Any) -> Outcomes:
        """Returns questions without labels for ``calibrate(…, order=…)``: the scores are taken as probabilities.

        Each prediction is drawn right with the probability that its score says. What is promised does not rest on it.

        Args:
            local_score: The probability that the local prediction is right, shape (n,), in [0, 1].
            remote_score: Likewise of the hosted one.
            seed: The seed of the draw.
            **columns: Further columns, such as `remote_cost`.

        Raises:
            InputError: As `Outcomes`.
        """
        drawn = np.random.default_rng(seed).random((2, len(local_score)))
        right = {"local_correct": drawn[0] < local_score, "remote_correct": drawn[1] < remote_score}
        return cls(local_score=local_score, remote_score=remote_score, **right, **columns)

    def answering_failures_locally(self) -> Outcomes:
        """Returns the outcomes of a chain with ``on_remote_error="local"``.

        Where the hosted call failed, the local prediction is given whatever the trust in it, if there is one.
        """
        if self.remote_failed is None:
            return self
        both = np.zeros(len(self), np.bool_) if self.local_failed is None else self.local_failed & self.remote_failed
        chosen = self.local_chosen
        if chosen is not None:  # as seen from the second supervisor
            chosen = np.where(chosen == Choice.ANSWER, np.int8(Choice.LOCAL), chosen)
        instead = {"remote_no_answer": self.local_no_answer, "remote_chosen": chosen}
        given: dict[str, Any] = {
            name: np.where(self.remote_failed, column, getattr(self, name))
            for name, column in instead.items()
            if column is not None and getattr(self, name) is not None
        }
        return replace(
            self,
            remote_score=np.where(self.remote_failed, 1.0, self.remote_score),
            remote_correct=np.where(self.remote_failed, self.local_correct, self.remote_correct),
            remote_failed=both,
            remote_alone_correct=self.hosted_correct,
            **given,
        )

    def one_a_passage(self, seed: int) -> Outcomes:
        """Returns one question of each passage, drawn with this seed: independent draws of passages and questions."""
        return self.of_each_passage(seed, 1)

    def of_each_passage(self, seed: int, most: int) -> Outcomes:
        """Returns at most so many questions of each passage, drawn with this seed; all where passages are not told."""
        if self.passage is None:
            return self
        drawn = np.random.default_rng(seed).permutation(len(self))
        _, place, size = np.unique(self.passage[drawn], return_inverse=True, return_counts=True)
        by_passage = np.argsort(place, kind="stable")
        before = np.arange(len(self)) - np.repeat(np.cumsum(size) - size, size)
        chosen = drawn[by_passage[before < most]]
        return self if len(chosen) == len(self) else self.take(np.sort(chosen))

    def take(self, chosen: npt.NDArray[np.intp] | Flags) -> Outcomes:
        """Returns the chosen questions: indices (repeats allowed, as in a bootstrap), or one flag a question."""
        columns: dict[str, Any] = {name: column[chosen] for name, column in self._columns()}
        return replace(self, **columns)

    def _columns(self) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        for field in fields(self):
            column = getattr(self, field.name)
            if column is not None and field.name != "max_call_cost":
                yield field.name, column


def _check(name: str, column: Floats, highest: float, rule: str) -> None:
    wrong = np.flatnonzero(~((column >= 0) & (column <= highest)))
    if wrong.size:
        raise InputError(f"{name}[{wrong[0]}]={column[wrong[0]]!r} ({wrong.size} such value(s)): {rule}")
