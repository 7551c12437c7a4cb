"""What escalation brings: accuracy against the share of hosted calls, or against their price.

The request–accuracy curve (RAC), its area and its tie rules are those of Weiss & Tonella, *Adopting Two Supervisors for
Efficient Use of Large-Scale Remote Deep Neural Networks* (TOSEM 2023, DOI 10.1145/3617593). Beside every curve stand
two lines: random escalation, and an oracle that knows which questions only the hosted model gets right. The hosted
answer is always used here; rejecting it is the second supervisor's business (`paper`, `calibration`).

Columns have shape (n,): trust in the local answers, whether or how far in [0, 1] each answer is right. Where they do
not fit together, or a number is out of its range, `InputError` is raised.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twosup_chain.curves._columns import Floats, checked
from twosup_chain.errors import InputError

#: Costs are shown per this many questions.
_QUESTIONS = 1000
#: Below this difference of two accuracies there is nothing to gain but rounding.
_NO_ROOM = 1e-12


@dataclass(frozen=True, eq=False, kw_only=True)
class EscalationCurve:
    """Accuracy of a cascade at every cutoff, shape (m,) each, by ascending cutoff."""

    cutoff: Floats  # the share of questions that escalation aims at, in [0, 1]
    threshold: Floats  # the least local score that is trusted at that cutoff
    remote_rate: Floats  # the share that is escalated in fact: ties make it smaller than the cutoff
    spent: Floats  # what the escalated questions cost: `remote_rate` itself, or currency per 1,000 questions
    accuracy: Floats  # the cascade's, in [0, 1]
    random: Floats  # the mean accuracy of escalating questions at random for the same expense
    oracle: Floats  # the best accuracy that any choice of questions could reach for the same expense

    @property
    def share_of_oracle_gain(self) -> Floats:
        """How much of the oracle's gain over random escalation is reached: 1 is all, 0 none; NaN where it has none."""
        room = self.oracle - self.random
        share = np.full_like(room, np.nan)
        np.divide(self.accuracy - self.random, room, out=share, where=room > _NO_ROOM)
        return share


def cutoff_grid(n: int, steps: int = 1000) -> Floats:
    """Returns the paper's grid of cutoffs, ``arange(0, 1.0001, 1/steps)`` with at most n steps.

    The paper's curves have 1,000 steps, its table of supervisors 100.
    """
    for name, value in (("n", n), ("steps", steps)):
        if value < 1:
            raise InputError(f"{name}={value}: at least 1 is needed")
    steps = min(steps, n)
    return np.minimum(np.arange(steps + 1, dtype=np.float64) * (1 / steps), 1.0)


def thresholds_at(scores: npt.ArrayLike, cutoffs: npt.ArrayLike) -> Floats:
    """Returns the threshold of each cutoff: a question is rejected if and only if its score is strictly below it.

    With the scores in ascending order, a cutoff c gives the score at index int(n·c), and the last one for c = 1, which
    therefore still keeps the questions that are tied at the top.
    """
    (scores,) = checked(scores=scores)
    return _thresholds(np.sort(scores), cutoffs)


def accuracy_by_cutoff(
    local_score: npt.ArrayLike, local_correct: npt.ArrayLike, remote_correct: npt.ArrayLike, cutoffs: npt.ArrayLike
) -> Floats:
    """Returns the cascade's accuracy at each cutoff, shape (m,): the request–accuracy curve alone."""
    return _Ranking(local_score, local_correct, remote_correct).accuracy(cutoffs)


def request_accuracy(
    local_score: npt.ArrayLike, local_correct: npt.ArrayLike, remote_correct: npt.ArrayLike, *, steps: int = 1000
) -> EscalationCurve:
    """Returns the request–accuracy curve with its random and oracle lines; its x is the cutoff."""
    ranking = _Ranking(local_score, local_correct, remote_correct)
    return ranking.curve(cutoff_grid(ranking.n, steps), np.ones(ranking.n), unit=1.0)


def cost_accuracy(
    local_score: npt.ArrayLike,
    local_correct: npt.ArrayLike,
    remote_correct: npt.ArrayLike,
    remote_cost: npt.ArrayLike,
    *,
    steps: int = 1000,
) -> EscalationCurve:
    """Returns accuracy against expense: `remote_cost` is in currency a call, what is spent per 1,000 questions."""
    ranking = _Ranking(local_score, local_correct, remote_correct)
    _, cost = checked(local_score=local_score, remote_cost=remote_cost)
    if (cost < 0).any() or not cost.any():
        raise InputError(
            f"remote_cost: the least is {cost.min()}, the highest {cost.max()}: a price is at least 0, one above 0"
        )
    return ranking.curve(cutoff_grid(ranking.n, steps), cost, unit=float(_QUESTIONS))


def auc_rac(accuracy: npt.ArrayLike) -> float:
    """Returns the area under a request–accuracy curve, as the paper defines it; NaN where both ends are equal.

    It is the mean of the values over the grid, less the value at 0, over the value at 1 less the value at 0: 0.5 stands
    for random escalation, above 1 the cascade is better than the hosted model alone on average.
    """
    (values,) = checked(accuracy=accuracy)
    rise = values[-1] - values[0]
    return float((values.mean() - values[0]) / rise) if rise else float("nan")


def share_of_oracle_gain(
    local_score: npt.ArrayLike, local_correct: npt.ArrayLike, remote_correct: npt.ArrayLike, remote_rate: float
) -> float:
    """Returns how much of the oracle's gain over random escalation is reached with at most that share of hosted calls.

    At most 1; 0 for random escalation; NaN where the oracle gains nothing over it.
    """
    ranking = _Ranking(local_score, local_correct, remote_correct)
    curve = ranking.curve(np.array([remote_rate]), np.ones(ranking.n), unit=1.0)
    return float(curve.share_of_oracle_gain[0])


class _Ranking:
    """The questions by ascending trust in the local answer, and what escalating the first m of them gives."""

    def __init__(self, local_score: npt.ArrayLike, local_correct: npt.ArrayLike, remote_correct: npt.ArrayLike) -> None:
        score, local, remote = checked(
            local_score=local_score, local_correct=local_correct, remote_correct=remote_correct
        )
        self.n = len(score)
        self.order = np.argsort(score, kind="stable")
        self.score = score[self.order]
        self.gain = (remote - local)[self.order]
        self._remote = _cumulative(remote[self.order])
        self._local = _cumulative(local[self.order])

    def accuracy(self, cutoffs: npt.ArrayLike) -> Floats:
        return self._accuracy(self._rejected(_thresholds(self.score, cutoffs)))

    def curve(self, cutoffs: Floats, cost: Floats, unit: float) -> EscalationCurve:
        threshold = _thresholds(self.score, cutoffs)
        rejected = self._rejected(threshold)
        ordered = cost[self.order]
        spent = _cumulative(ordered)
        local, remote = self._local[-1] / self.n, self._remote[-1] / self.n
        return EscalationCurve(
            cutoff=cutoffs,
            threshold=threshold,
            remote_rate=rejected / self.n,
            spent=spent[rejected] * (unit / self.n),
            accuracy=self._accuracy(rejected),
            random=local + (remote - local) * spent[rejected] / spent[-1],
            oracle=local + _best_gain(self.gain, ordered, spent[rejected]) / self.n,
        )

    def _rejected(self, threshold: Floats) -> npt.NDArray[np.intp]:
        return np.searchsorted(self.score, threshold, side="left")

    def _accuracy(self, rejected: npt.NDArray[np.intp]) -> Floats:
        kept: Floats = self._local[-1] - self._local[rejected]
        return (self._remote[rejected] + kept) / self.n


def _thresholds(ascending: Floats, cutoffs: npt.ArrayLike) -> Floats:
    cutoffs = np.asarray(cutoffs, dtype=np.float64)
    wrong = cutoffs[~((cutoffs >= 0) & (cutoffs <= 1))]
    if wrong.size:
        raise InputError(f"cutoff {float(wrong.flat[0])!r}: a cutoff is a share of the questions, in [0, 1]")
    n = len(ascending)
    return ascending[np.minimum((n * cutoffs).astype(np.intp), n - 1)]


def _best_gain(gain: Floats, cost: Floats, budget: Floats) -> Floats:
    """Returns the highest sum of gains for each expense: the most gain for its cost first (a question may be split)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.where(gain == 0, 0.0, gain / cost)
    order = np.argsort(-worth, kind="stable")
    spent, gained = _cumulative(cost[order]), _cumulative(gain[order])
    last = np.minimum(np.searchsorted(spent, budget, side="right") - 1, len(cost) - 1)
    price = cost[order][last]
    part = np.divide(budget - spent[last], price, out=np.zeros_like(budget), where=price > 0)
    best: Floats = gained[last] + np.clip(part, 0.0, 1.0) * gain[order][last]
    return best


def _cumulative(values: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(values)])
