"""The rules that ours is measured against; each is fitted on the questions of other articles than it is judged on.

- `Pair`: BiSupervised (Weiss & Tonella, DOI 10.1145/3617593): the local span's softmax, the hosted answer's least token
  probability.
- `Cascade`: cascadeflow 1.2: the draft is kept where clamp(1.5 · exp(mean log-probability), 0.1, 1) ≥ 0.7.
- `Margin`: ucci-router 0.1 (arXiv 2605.18796): u = 1 − the mean difference of the likeliest two probabilities over the
  content tokens; isotonic regression makes it a probability of error, and the threshold is that with the fewest calls
  among those that reach a target accuracy on the fitting questions.
- `random_routing` and `oracle_router`: chance, and the best that any choice between both models could do.

cascadeflow and ucci-router route between generative models. With the reader as the local model, which writes no tokens,
their scores are read off its distribution over spans: its probability takes the place of the tokens' mean probability,
and the difference of its likeliest two predictions that of the tokens' likeliest two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from scipy.optimize import isotonic_regression

from study.folds import splits
from study.system import System, joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from study.columns import Columns, Floats, Predictions

#: Whose predictions are the local ones.
Local = Literal["reader", "small"]
#: cascadeflow's constants.
FACTOR, LEAST, QUALITY = 1.5, 0.1, 0.7
#: How far below the best accuracy on the fitting questions ucci's target lies.
BELOW_BEST = 0.01
_THRESHOLDS = 64
_FPR = 0.05


class Rule(Protocol):
    """What a rule looks like: its name, and what fitting it gives."""

    name: str

    def fitted(self, train: Columns, budget: float) -> Callable[[Columns], System]:
        """Returns the rule, fitted so that at most a share `budget` of the questions is sent to the hosted model."""


def crossfitted(rule: Rule, columns: Columns, budget: float = 1.0) -> System:
    """Returns what the rule does with every question, fitted on the articles of the other folds."""
    pieces = [
        (held, rule.fitted(columns.take(train), budget)(columns.take(held))) for train, held in splits(columns.article)
    ]
    return joined(pieces, len(columns))


def best_threshold(score: Floats, local: Floats, remote: Floats, budget: float) -> tuple[float, float]:
    """Returns the threshold below which escalating brings the highest mean, and that mean.

    Args:
        score: Trust in the local prediction; a question is escalated if and only if it is below the threshold.
        local: What the local prediction is worth.
        remote: What is gained in its stead where the hosted model is asked.
        budget: The share of questions that may be escalated.
    """
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    gain = np.concatenate([[0.0], np.cumsum((remote - local)[order])])
    first = np.concatenate([[True], ordered[1:] != ordered[:-1], [True]])  # how many are escalated: not half a tie
    allowed = np.flatnonzero(first & (np.arange(len(score) + 1) <= budget * len(score)))
    count = allowed[np.argmax(gain[allowed])]
    threshold = np.inf if count == len(score) else ordered[count]
    return float(threshold), float(local.mean() + gain[count] / len(score))


@dataclass(frozen=True)
class Pair:
    """BiSupervised with the reader.

    Args:
        rule: How the second threshold is found: for the highest F1 of the whole system, jointly with the first one; as
            the paper does, for a false-positive rate of 5 %, after the first one; or not at all (every hosted answer
            counts).
    """

    rule: Literal["f1", "fpr", "none"] = "f1"

    @property
    def name(self) -> str:
        """The rule's name."""
        words = {"f1": "both thresholds for F1", "fpr": "second one for 5 % FPR", "none": "every hosted answer taken"}
        return f"paper's pair ({words[self.rule]})"

    def fitted(self, train: Columns, budget: float) -> Callable[[Columns], System]:
        """Returns the pair with its thresholds."""
        score, remote = span_softmax(train), train.remote
        if self.rule == "f1":
            first, second = _best_pair(score, train, budget)
        else:
            first, _ = best_threshold(score, train.reader.f1, remote.f1, budget)
            second = 0.0 if self.rule == "none" else _for_fpr(score < first, train)

        def route(columns: Columns) -> System:
            trust = span_softmax(columns)
            return System.of(
                self.name,
                columns,
                columns.reader,
                escalated=trust < first,
                accepted=columns.remote.least >= second,
                local_trust=trust,
                remote_trust=columns.remote.least,
            )

        return route


@dataclass(frozen=True)
class Cascade:
    """cascadeflow's rule.

    Args:
        local: Who drafts.
        fixed: Whether the threshold is its own 0.7; else it is fitted to the budget.
    """

    local: Local
    fixed: bool = True

    @property
    def name(self) -> str:
        """The rule's name."""
        return f"cascadeflow's rule ({_WORDS[self.local]}{'' if self.fixed else ', threshold fitted'})"

    def fitted(self, train: Columns, budget: float) -> Callable[[Columns], System]:
        """Returns the rule; there is nothing to fit but, if wanted, the threshold."""
        threshold = QUALITY
        if not self.fixed:
            local = predictions(train, self.local)
            threshold, _ = best_threshold(mean_probability(train, self.local), local.f1, train.remote.f1, budget)

        def route(columns: Columns) -> System:
            probability = mean_probability(columns, self.local)
            quality = np.clip(FACTOR * probability, LEAST, 1.0)
            return System.of(
                self.name,
                columns,
                predictions(columns, self.local),
                escalated=(quality if self.fixed else probability) < threshold,
                local_trust=probability,
                remote_trust=columns.remote.mean,
            )

        return route


@dataclass(frozen=True)
class Margin:
    """ucci-router's rule.

    Args:
        local: The small model.
        target: Whether the threshold is the cheapest one that reaches the target accuracy; else it is fitted to the
            budget.
    """

    local: Local
    target: bool = True

    @property
    def name(self) -> str:
        """The rule's name."""
        return f"ucci's rule ({_WORDS[self.local]}{'' if self.target else ', threshold fitted'})"

    def fitted(self, train: Columns, budget: float) -> Callable[[Columns], System]:
        """Returns the rule with its isotonic regressions and its threshold."""
        local, remote = predictions(train, self.local), train.remote
        on_local = Isotonic(top_two_margin(train, self.local), local.exact)
        on_remote = Isotonic(remote.margin, remote.exact)
        trust = on_local(top_two_margin(train, self.local))
        if self.target:
            threshold = _cheapest(trust, local.exact, remote.exact, BELOW_BEST)
        else:
            threshold, _ = best_threshold(trust, local.f1, remote.f1, budget)

        def route(columns: Columns) -> System:
            kept = on_local(top_two_margin(columns, self.local))
            return System.of(
                self.name,
                columns,
                predictions(columns, self.local),
                escalated=kept < threshold,
                local_trust=kept,
                remote_trust=on_remote(columns.remote.margin),
            )

        return route


class Isotonic:
    """A non-decreasing map from a score to a rate, by least squares; linear between the fitted scores."""

    def __init__(self, score: Floats, happened: Floats) -> None:
        self._scores, place, times = np.unique(score, return_inverse=True, return_counts=True)
        rates = np.bincount(place, happened) / times
        self._rates = isotonic_regression(rates, weights=times.astype(np.float64)).x

    def __call__(self, score: Floats) -> Floats:
        """Returns the rate at each score."""
        return np.interp(score, self._scores, self._rates)


def span_softmax(columns: Columns) -> Floats:
    """Returns the reader's probability of what it predicts: of its best span, or of the null span for "no answer"."""
    signals = columns.local_signals
    return np.where(columns.reader.no_answer, signals["null_probability"], signals["span_probability"])


def mean_probability(columns: Columns, local: Local) -> Floats:
    """Returns the geometric mean of the content tokens' probabilities, or what stands for it of the reader."""
    return columns.small.mean if local == "small" else span_softmax(columns)


def top_two_margin(columns: Columns, local: Local) -> Floats:
    """Returns the mean difference of the likeliest two probabilities, or what stands for it of the reader."""
    if local == "small":
        return columns.small.margin
    signals = columns.local_signals
    span, null = signals["span_probability"], signals["null_probability"]
    runner_up = span * np.exp(-np.maximum(signals["runner_up_margin"], 0.0))
    ranked = np.sort(np.stack([span, null, runner_up]), axis=0)
    margin: Floats = ranked[2] - ranked[1]
    return margin


def predictions(columns: Columns, local: Local) -> Predictions:
    """Returns the local model's predictions."""
    return columns.small if local == "small" else columns.reader


def random_routing(columns: Columns, rate: float) -> System:
    """Returns what sending a share of the questions to the hosted model at random brings, in expectation."""
    reader, remote = columns.reader, columns.remote
    exact = (1.0 - rate) * reader.exact + rate * remote.exact
    n = len(columns)
    return System(
        name="random routing",
        called=np.full(n, rate),
        exact=exact,
        f1=(1.0 - rate) * reader.f1 + rate * remote.f1,
        answered=np.ones(n, dtype=bool),
        trust=np.full(n, np.nan),
        right=exact,
    )


def oracle_router(columns: Columns, budget: float = 1.0) -> System:
    """Returns the best choice between the reader's and the hosted prediction, by F1, within a budget of calls."""
    gain = columns.remote.f1 - columns.reader.f1
    order = np.argsort(-gain, kind="stable")
    escalated = np.zeros(len(columns), dtype=bool)
    escalated[order[: int(budget * len(columns))]] = True
    escalated &= gain > 0.0
    nothing = np.full(len(columns), np.nan)
    return System.of(
        "oracle router", columns, columns.reader, escalated=escalated, local_trust=nothing, remote_trust=nothing
    )


_WORDS = {"reader": "reader", "small": "0.5B"}


def _best_pair(score: Floats, train: Columns, budget: float) -> tuple[float, float]:
    """Returns both thresholds with the highest mean F1."""
    remote = train.remote
    seconds = np.unique(np.quantile(remote.least, np.linspace(0.0, 1.0, _THRESHOLDS)))
    best = (-np.inf, 0.0, 0.0)
    for second in (0.0, *seconds, 1.1):
        worth = np.where(remote.least >= second, remote.f1, train.null)
        first, mean = best_threshold(score, train.reader.f1, worth, budget)
        best = max(best, (mean, first, float(second)))
    return best[1], best[2]


def _for_fpr(escalated: Floats, train: Columns) -> float:
    """Returns the first second threshold whose false-positive rate reaches 5 % (the paper's rule); else 0."""
    right = train.remote.exact > 0
    kept = int((train.reader.exact[~escalated] > 0).sum())
    scores = np.sort(train.remote.least[escalated])
    for threshold in scores:
        refused = int((escalated & right & (train.remote.least < threshold)).sum())
        trusted = kept + int((escalated & right & (train.remote.least >= threshold)).sum())
        if refused and refused / (refused + trusted) >= _FPR:
            return float(threshold)
    return 0.0


def _cheapest(trust: Floats, local: Floats, remote: Floats, below: float) -> float:
    """Returns the threshold with the fewest calls whose accuracy is at most `below` under the best attainable one."""
    thresholds = np.append(np.unique(trust), np.inf)
    accuracy = np.array([np.where(trust < threshold, remote, local).mean() for threshold in thresholds])
    return float(thresholds[np.argmax(accuracy >= accuracy.max() - below)])
