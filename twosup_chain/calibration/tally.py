"""`Tally`: what a chain would do on labelled questions, counted for many pairs of thresholds at once.

Counting a million questions on a grid of 64 × 64 pairs takes one pass and cumulative sums. What the counts are held
against is in `targets`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from twosup_chain.errors import InputError
from twosup_chain.outcomes.decisions import decide

if TYPE_CHECKING:
    from twosup_chain.outcomes.outcomes import Outcomes

Array = npt.NDArray[Any]
#: What an abstention counts as: always wrong, or right where the question has no answer.
Abstention = Literal["wrong", "no_answer"]


#: To so many digits weights are summed up, so that differences of sums that are zero are zero.
_DIGITS = 6
#: What is one for all pairs.
_OF_ALL = ("n", "max_call_cost", "local_fails", "weighs")


@dataclass(frozen=True, eq=False, kw_only=True)
class Tally:
    """Counts of questions at pairs of thresholds; the arrays are broadcast against each other, one entry a pair.

    A prediction is trusted if and only if its score is at least the threshold. A question is *escalated* where the
    local prediction is not trusted, *answered* where it is, or where the remote one then is, and *wrong* where that
    answer is. The last prediction (the local one, or the remote one where escalated) may be right
    (`right_predictions`), and then be escalated and not trusted (`refused_right`). A question ends well (`successes`)
    if it is answered rightly, or left open where that counts as right; `wins` do so where the remote prediction is
    wrong, `losses` do not where it is right. Costs are those of the escalated questions, in currency, as are the sums
    of their squares and the most that one call can cost.
    """

    n: int
    max_call_cost: float
    #: Whether a local call can fail, so that the hosted model is asked even where every local score is trusted.
    local_fails: bool
    #: Whether the chain may give another prediction than the hosted model's own in its place.
    weighs: bool
    local: Array
    remote: Array
    escalated: Array
    answered: Array
    wrong: Array
    right_predictions: Array
    refused_right: Array
    successes: Array
    wins: Array
    losses: Array
    cost: Array
    cost_squares: Array

    @property
    def never_asks(self) -> Array:
        """Where the hosted model cannot be asked."""
        never: Array = (self.local == 0.0) & np.bool_(not self.local_fails)
        return never

    @property
    def only_asks(self) -> Array:
        """Where the chain is the hosted model alone."""
        only: Array = (self.local > 1.0) & (self.remote == 0.0) & np.bool_(not self.weighs)
        return only

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the pairs."""
        return np.broadcast_shapes(self.local.shape, self.remote.shape)

    def pairs(self, chosen: Array) -> Tally:
        """Returns the counts of the pairs at these flat indices, shape (len(chosen),)."""
        columns: dict[str, Any] = {
            name: np.broadcast_to(column, self.shape).ravel()[chosen] for name, column in self._columns()
        }
        return replace(self, **columns)

    def flat(self) -> Tally:
        """Returns the counts of all pairs in one dimension, the remote threshold running fastest."""
        return self.pairs(np.arange(np.prod(self.shape)))

    def times(self, factor: float) -> Tally:
        """Returns the counts as they would be expected of `factor` times as many questions."""
        columns = {name: column * factor for name, column in self._columns() if name not in ("local", "remote")}
        return replace(self, n=round(self.n * factor), **columns)

    def _columns(self) -> list[tuple[str, Any]]:
        return [(f.name, getattr(self, f.name)) for f in fields(self) if f.name not in _OF_ALL]


def count(
    outcomes: Outcomes,
    local: Array,
    remote: Array,
    *,
    abstention: Abstention = "wrong",
    weights: Array | None = None,
) -> Tally:
    """Returns the counts for every pair of these thresholds, with shapes that broadcast to (len(local), len(remote)).

    Both are ascending, without repeats. With weights, shape (n,), a question counts so much.
    """
    rows, columns = len(local), len(remote)
    row = place(local, outcomes.local_score, outcomes.local_failed)  # trusted at local[k] ⇔ row > k
    cell = row * (columns + 1) + place(remote, outcomes.remote_score, outcomes.remote_failed)
    local_right, remote_right = outcomes.local_correct, outcomes.remote_correct

    def total(places: Array, chosen: Array | None, size: int) -> Array:
        """How many of the chosen questions (or how much of their weight) are at each place, shape (size,)."""
        those = slice(None) if chosen is None else chosen
        return np.bincount(places[those], None if weights is None else weights[those], minlength=size)

    def escalated(chosen: Array | None = None) -> Array:
        """How many of the chosen questions are escalated, shape (rows, 1)."""
        return np.cumsum(total(row, chosen, rows + 1))[:rows, None]

    def kept(chosen: Array) -> Array:
        found: Array = total(row, chosen, rows + 1).sum() - escalated(chosen)
        return found

    def refused(chosen: Array | None = None) -> Array:
        """How many of the chosen questions are escalated and then not trusted, shape (rows, columns)."""
        counts = total(cell, chosen, (rows + 1) * (columns + 1)).reshape(rows + 1, columns + 1)
        return counts.cumsum(axis=0)[:rows].cumsum(axis=1)[:, :columns]

    def spent(costs: Array) -> Array:
        sums = np.bincount(row, costs if weights is None else costs * weights, minlength=rows + 1)
        return np.cumsum(sums)[:rows, None]

    all_escalated, kept_right, escalated_right = escalated(), kept(local_right), escalated(remote_right)
    refused_right = refused(remote_right)
    n = len(outcomes) if weights is None else round(float(weights.sum()))
    answered = n - refused()
    right_predictions = kept_right + escalated_right
    right = right_predictions - refused_right
    alone = _alone(outcomes, abstention)
    refused_alone, lost, won = refused(alone), alone & ~remote_right, ~alone & remote_right
    successes = right
    losses = kept(~local_right & alone) + refused_alone + escalated(lost) - refused(lost)
    wins: Array = kept(local_right & ~alone) + escalated(won) - refused(won)
    if abstention == "no_answer":
        if outcomes.answerable is None:
            raise InputError(
                "abstention='no_answer' counts an abstention as right where the question has no answer, and these "
                "outcomes do not tell which have: give Outcomes(answerable=…), or leave abstention='wrong'"
            )
        saved, both = refused(~outcomes.answerable), refused(~outcomes.answerable & alone)
        successes, losses, wins = right + saved, losses - both, wins + (saved - both)
    cost = np.zeros(len(outcomes)) if outcomes.remote_cost is None else outcomes.remote_cost
    counts: dict[str, Any] = {
        "escalated": all_escalated,
        "answered": answered,
        "wrong": answered - right,
        "right_predictions": right_predictions,
        "refused_right": refused_right,
        "successes": successes,
        "wins": wins,
        "losses": losses,
    }
    if weights is not None:
        counts = {name: np.round(column, _DIGITS) for name, column in counts.items()}
    return Tally(
        n=n,
        **_of_all(outcomes),
        local=np.asarray(local, np.float64)[:, None],
        remote=np.asarray(remote, np.float64)[None, :],
        **counts,
        cost=spent(cost),
        cost_squares=spent(cost**2),
    )


def count_each(outcomes: Outcomes, local: float, remote: float, *, abstention: Abstention = "wrong") -> Tally:
    """Returns the counts of each question by itself at one pair of thresholds, shape (n,); they sum up to `count`'s."""
    made, alone = decide(outcomes, local, remote), _alone(outcomes, abstention)
    predicted = np.where(made.kept, outcomes.local_correct, outcomes.remote_correct)
    successes = made.right
    if abstention == "no_answer" and outcomes.answerable is not None:
        successes = successes | ~(made.answered | outcomes.answerable)
    cost = np.zeros(len(outcomes)) if outcomes.remote_cost is None else outcomes.remote_cost * made.escalated
    flags = {
        "escalated": made.escalated,
        "answered": made.answered,
        "wrong": made.answered & ~made.right,
        "right_predictions": predicted,
        "refused_right": predicted & ~made.answered,
        "successes": successes,
        "wins": successes & ~alone,
        "losses": ~successes & alone,
    }
    columns: dict[str, Any] = {name: column.astype(np.int64) for name, column in flags.items()}
    columns |= {name: np.full(len(outcomes), value) for name, value in (("local", local), ("remote", remote))}
    return Tally(n=1, **_of_all(outcomes), **columns, cost=cost, cost_squares=cost**2)


def place(thresholds: Array, scores: Array, failed: Array | None) -> Array:
    """Returns how many of the thresholds each score reaches; none where the call failed."""
    reached = np.searchsorted(thresholds, scores, side="right")
    return reached if failed is None else np.where(failed, 0, reached)


def _alone(outcomes: Outcomes, abstention: Abstention) -> Array:
    """Returns where the hosted model alone, which the chain is held against, ends well."""
    alone = outcomes.hosted_correct
    if abstention == "wrong" or outcomes.remote_failed is None or outcomes.answerable is None:
        return alone
    return alone | (outcomes.remote_failed & ~outcomes.answerable)


def _of_all(outcomes: Outcomes) -> dict[str, Any]:
    return {
        "max_call_cost": outcomes.dearest,
        "local_fails": outcomes.local_failed is not None,
        "weighs": outcomes.remote_alone_correct is not None,
    }
