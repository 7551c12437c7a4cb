"""The rules that ours is measured against; each is fitted on the questions of other articles than it is judged on.

- `Pair`: BiSupervised (Weiss & Tonella, DOI 10.1145/3617593): the local span's softmax, the hosted answer's least token
  probability.
- `Cascade`: cascadeflow 1.2: the draft is kept where clamp(1.5 · exp(mean log-probability), 0.1, 1) ≥ 0.7.
- `Margin`: ucci-router 0.1 (arXiv 2605.18796): u = 1 − the mean difference of the likeliest two probabilities over the
  content tokens; isotonic regression makes it a probability of error, and the threshold is that with the fewest calls
  among those that reach a target accuracy on the fitting questions.
- `random_routing` and `oracle_router`: chance, and the best that any choice between both models could do.

cascadeflow and ucci-router route between generative models. Of a reader, local or hosted, which writes no tokens, their
scores are read off its distribution over spans: its probability takes the place of the tokens' mean probability,
and the difference of its likeliest two predictions that of the tokens' likeliest two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from scipy.optimize import isotonic_regression

from study.questions import splits
from study.system import System, joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from study.questions import Asked, Questions
    from twosup_chain.outcomes.outcomes import Flags, Floats

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

    def fitted(self, train: Questions, budget: float) -> Callable[[Questions], System]:
        """Returns the rule, fitted so that at most a share `budget` of the questions is sent to the hosted model."""


def crossfitted(rule: Rule, questions: Questions, budget: float = 1.0) -> System:
    """Returns what the rule does with every question, fitted on the articles of the other folds."""
    parts = splits(questions.article)
    return joined([(held, rule.fitted(questions.take(rest), budget)(questions.take(held))) for rest, held in parts])


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

    def fitted(self, train: Questions, budget: float) -> Callable[[Questions], System]:
        """Returns the pair with its thresholds."""
        score, local, remote = span_softmax(train), train.reader.made, train.remote.made
        if self.rule == "f1":
            thresholds = _best_pair(score, train, budget)
        else:
            first, _ = best_threshold(score, local.f1, remote.f1, budget)
            thresholds = first, 0.0 if self.rule == "none" else _for_fpr(score < first, train)
        return lambda questions: System.of(
            self.name,
            questions.answerable,
            questions.reader.trusted(span_softmax(questions)),
            questions.remote.trusted(least(questions.remote)),
            thresholds,
        )


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

    def fitted(self, train: Questions, budget: float) -> Callable[[Questions], System]:
        """Returns the rule; there is nothing to fit but, if wanted, the threshold."""
        threshold = QUALITY
        if not self.fixed:
            trust = mean_probability(train, self.local)
            threshold, _ = best_threshold(trust, local_of(train, self.local).made.f1, train.remote.made.f1, budget)

        def trust_in(probability: Floats) -> Floats:
            return np.clip(FACTOR * probability, LEAST, 1.0) if self.fixed else probability

        return lambda questions: System.of(
            self.name,
            questions.answerable,
            local_of(questions, self.local).trusted(trust_in(mean_probability(questions, self.local))),
            questions.remote.trusted(trust_in(mean(questions.remote))),
            (threshold, 0.0),
        )


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

    def fitted(self, train: Questions, budget: float) -> Callable[[Questions], System]:
        """Returns the rule with its isotonic regressions and its threshold."""
        local, remote = local_of(train, self.local).made, train.remote.made
        on_local = Isotonic(top_two_margin(train, self.local), local.exact_match)
        on_remote = Isotonic(margin(train.remote), remote.exact_match)
        trust = on_local(top_two_margin(train, self.local))
        if self.target:
            threshold = _cheapest(trust, local.exact_match, remote.exact_match, BELOW_BEST)
        else:
            threshold, _ = best_threshold(trust, local.f1, remote.f1, budget)
        return lambda questions: System.of(
            self.name,
            questions.answerable,
            local_of(questions, self.local).trusted(on_local(top_two_margin(questions, self.local))),
            questions.remote.trusted(on_remote(margin(questions.remote))),
            (threshold, 0.0),
        )


class Isotonic:
    """A non-decreasing map from a score to a rate, by least squares; linear between the fitted scores."""

    def __init__(self, score: Floats, happened: Floats) -> None:
        self._scores, place, times = np.unique(score, return_inverse=True, return_counts=True)
        rates = np.bincount(place, happened) / times
        self._rates = isotonic_regression(rates, weights=times.astype(np.float64)).x

    def __call__(self, score: Floats) -> Floats:
        """Returns the rate at each score."""
        return np.interp(score, self._scores, self._rates)


def least(asked: Asked) -> Floats:
    """Returns the least probability of a content token; 0 without any, as there is nothing to trust."""
    return np.nan_to_num(np.exp(asked.features["token_min"])) if "token_min" in asked.features else softmax(asked)


def mean(asked: Asked) -> Floats:
    """Returns the geometric mean of the content tokens' probabilities; 0 without any."""
    return np.nan_to_num(np.exp(asked.features["token_mean"])) if "token_mean" in asked.features else softmax(asked)


def margin(asked: Asked) -> Floats:
    """Returns the mean difference of the likeliest two probabilities over the content tokens; 0 without any."""
    found = asked.features
    return np.nan_to_num(found["token_margin_mean"]) if "token_margin_mean" in found else _reading_margin(asked)


def softmax(asked: Asked) -> Floats:
    """Returns a reader's probability of what it predicts: of its best span, or of the null span for "no answer"."""
    return np.where(asked.made.no_answer, asked.features["null_probability"], asked.features["span_probability"])


def span_softmax(questions: Questions) -> Floats:
    """Returns the local reader's probability of what it predicts."""
    return softmax(questions.reader)


def mean_probability(questions: Questions, local: Local) -> Floats:
    """Returns the geometric mean of the content tokens' probabilities, or what stands for it of the reader."""
    return mean(local_of(questions, local)) if local == "small" else span_softmax(questions)


def top_two_margin(questions: Questions, local: Local) -> Floats:
    """Returns the mean difference of the likeliest two probabilities, or what stands for it of the reader."""
    return margin(local_of(questions, local)) if local == "small" else _reading_margin(questions.reader)


def _reading_margin(asked: Asked) -> Floats:
    found = asked.features
    span, null = found["span_probability"], found["null_probability"]
    runner_up = span * np.exp(-np.maximum(found["runner_up_margin"], 0.0))
    ranked = np.sort(np.stack([span, null, runner_up]), axis=0)
    difference: Floats = ranked[2] - ranked[1]
    return difference


def local_of(questions: Questions, local: Local) -> Asked:
    """Returns what the local model predicts."""
    found = questions.small if local == "small" else questions.reader
    assert found is not None  # noqa: S101  these rules are run only where it was recorded
    return found


def random_routing(questions: Questions, rate: float) -> System:
    """Returns what sending a share of the questions to the hosted model at random brings, in expectation."""
    local, remote, n = questions.reader.made, questions.remote.made, len(questions)
    exact, f1 = (
        (1.0 - rate) * getattr(local, measure) + rate * getattr(remote, measure) for measure in ("exact_match", "f1")
    )
    return System(
        name="random routing",
        called=np.full(n, rate),
        exact_match=exact,
        f1=f1,
        answered=np.ones(n, dtype=bool),
        trust=np.full(n, np.nan),
        right=exact,
    )


def oracle_router(questions: Questions, budget: float = 1.0) -> System:
    """Returns the best choice between the reader's and the hosted prediction, by F1, within a budget of calls."""
    local, remote, n = questions.reader, questions.remote, len(questions)
    gain = remote.made.f1 - local.made.f1
    asked = np.zeros(n)
    asked[np.argsort(-gain, kind="stable")[: int(budget * n)]] = 1.0
    kept = 1.0 - asked * (gain > 0.0)
    found = System.of("oracle router", questions.answerable, local.trusted(kept), remote.trusted(kept), (1.0, 0.0))
    return replace(found, trust=np.full(n, np.nan))


_WORDS = {"reader": "reader", "small": "0.5B"}


def _best_pair(score: Floats, train: Questions, budget: float) -> tuple[float, float]:
    """Returns both thresholds with the highest mean F1."""
    remote, trust = train.remote.made, least(train.remote)
    seconds = np.unique(np.quantile(trust, np.linspace(0.0, 1.0, _THRESHOLDS)))
    best = (-np.inf, 0.0, 0.0)
    for second in (0.0, *seconds, 1.1):
        worth = np.where(trust >= second, remote.f1, train.null)
        first, mean_f1 = best_threshold(score, train.reader.made.f1, worth, budget)
        best = max(best, (mean_f1, first, float(second)))
    return best[1], best[2]


def _for_fpr(escalated: Flags, train: Questions) -> float:
    """Returns the first second threshold whose false-positive rate reaches 5 % (the paper's rule); else 0."""
    right, trust = train.remote.made.exact_match > 0, least(train.remote)
    kept = int((train.reader.made.exact_match[~escalated] > 0).sum())
    for threshold in np.sort(trust[escalated]):
        refused = int((escalated & right & (trust < threshold)).sum())
        trusted = kept + int((escalated & right & (trust >= threshold)).sum())
        if refused and refused / (refused + trusted) >= _FPR:
            return float(threshold)
    return 0.0


def _cheapest(trust: Floats, local: Floats, remote: Floats, below: float) -> float:
    """Returns the threshold with the fewest calls whose accuracy is at most `below` under the best attainable one."""
    thresholds = np.append(np.unique(trust), np.inf)
    accuracy = np.array([np.where(trust < threshold, remote, local).mean() for threshold in thresholds])
    return float(thresholds[np.argmax(accuracy >= accuracy.max() - below)])
