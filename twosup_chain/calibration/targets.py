"""What a calibration promises: limits on rates, on money and on the distance to the hosted model, and their tests.

A target reads the counts of a `Tally` and says, for every pair of thresholds, what its value is, how surprising the
counts would be if the limit were exceeded (a valid p-value), and on new data how probable it is that it holds. Which
pairs are tried is the business of `search`; the statistics are in `statistics`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from twosup_chain._options import shorten
from twosup_chain.calibration import statistics
from twosup_chain.errors import ConfigurationError

if TYPE_CHECKING:
    from twosup_chain.calibration.tally import Array, Tally

#: Budgets are stated per so many questions.
PER = 1_000


@dataclass(frozen=True)
class Target(ABC):
    """A limit on something that follows from a pair of thresholds.

    Args:
        limit: What is not to be exceeded, in the units of `value`.
    """

    limit: float
    #: The option of `calibrate` that asks for it.
    name: ClassVar[str]
    #: Whether it depends on the local threshold alone, and grows with it.
    nested: ClassVar[bool] = False

    @abstractmethod
    def value(self, tally: Tally) -> Array:
        """Returns the estimate at every pair; NaN where the counts say nothing."""

    @abstractmethod
    def p_value(self, tally: Tally, level: float) -> Array:
        """Returns, at every pair, a p-value of the hypothesis that the limit is exceeded there.

        Args:
            tally: The counts of independent questions that had no part in the choice of the pairs.
            level: The level that it will be held against.
        """

    @abstractmethod
    def interval(self, tally: Tally, confidence: float) -> tuple[float, float]:
        """Returns a two-sided interval of the value at the only pair of this tally."""

    @abstractmethod
    def posterior(self, tally: Tally) -> float:
        """Returns the probability that the limit is kept at the only pair of this tally, given its counts."""

    def met(self, tally: Tally) -> Array:
        """Returns where the estimate keeps the limit."""
        with np.errstate(invalid="ignore"):
            return self.value(tally) <= self.limit

    def __str__(self) -> str:
        return f"{self.name} ≤ {self.limit:g}"


class Rate(Target):
    """A limit on the rate of an event among trials; given the number of trials the events are binomial.

    The questions are independent, and at a fixed pair of thresholds each one is an event, a trial without it, or no
    trial; so the number of events given that of the trials is Binomial(trials, rate), exactly.
    """

    @abstractmethod
    def counts(self, tally: Tally) -> tuple[Array, Array]:
        """Returns the events and the trials at every pair."""

    def impossible(self, tally: Tally) -> Array:
        """Returns where there cannot be an event, whatever the data: a threshold of 0 trusts every score."""
        return np.zeros_like(tally.local, dtype=np.bool_)

    def value(self, tally: Tally) -> Array:
        """Returns events / trials."""
        events, trials = self.counts(tally)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.impossible(tally), 0.0, np.true_divide(events, trials))

    def p_value(self, tally: Tally, level: float) -> Array:
        """Returns the exact binomial p-value."""
        del level
        events, trials = self.counts(tally)
        return np.where(self.impossible(tally), 0.0, statistics.binomial_p_value(events, trials, self.limit))

    def interval(self, tally: Tally, confidence: float) -> tuple[float, float]:
        """Returns the interval of Clopper and Pearson."""
        if bool(np.all(self.impossible(tally))):
            return 0.0, 0.0
        low, high = statistics.clopper_pearson(*self.counts(tally), confidence)
        return low.item(), high.item()

    def posterior(self, tally: Tally) -> float:
        """Returns the probability under Jeffreys' prior."""
        if bool(np.all(self.impossible(tally))):
            return 1.0
        events, trials = self.counts(tally)
        return statistics.rate_posterior(events.item(), trials.item(), self.limit)


class RemoteRate(Rate):
    """The share of questions that are sent to the hosted model: P(local score < local threshold)."""

    name = "remote_rate"
    nested = True

    def counts(self, tally: Tally) -> tuple[Array, Array]:
        """Returns escalated questions and all questions."""
        return tally.escalated, np.asarray(tally.n)

    def impossible(self, tally: Tally) -> Array:
        """Returns where the local threshold is 0."""
        zero: Array = tally.local == 0.0
        return zero


class Risk(Rate):
    """The selective risk: the share of wrong answers among the questions that are answered."""

    name = "risk"

    def counts(self, tally: Tally) -> tuple[Array, Array]:
        """Returns wrong answers and answers."""
        return tally.wrong, tally.answered


class FalsePositiveRate(Rate):
    """The share of right predictions that are refused: FP / (FP + TN) of BiSupervised (DOI 10.1145/3617593).

    FP are escalated questions whose remote prediction is right and not trusted; TN those whose prediction is right and
    trusted, local or remote.
    """

    name = "false_positive_rate"

    def counts(self, tally: Tally) -> tuple[Array, Array]:
        """Returns refused right predictions and right predictions."""
        return tally.refused_right, np.broadcast_to(tally.right_predictions, tally.refused_right.shape)

    def impossible(self, tally: Tally) -> Array:
        """Returns where one of the thresholds is 0."""
        zero: Array = np.logical_or(tally.local == 0.0, tally.remote == 0.0)
        return zero


@dataclass(frozen=True)
class Budget(Target):
    """What the hosted model costs per 1,000 questions, in currency.

    Args:
        limit: The budget.
        max_call_cost: The most that a call can cost, in currency; no call may have cost more.
    """

    max_call_cost: float
    name = "budget"
    nested = True

    def value(self, tally: Tally) -> Array:
        """Returns the mean cost of 1,000 questions."""
        return np.where(tally.local == 0.0, 0.0, PER * tally.cost / max(tally.n, 1))

    def p_value(self, tally: Tally, level: float) -> Array:
        """Returns the p-value of Hoeffding and Bentkus, of costs as shares of the dearest call's."""
        del level
        mean, limit = self._shares(tally)
        p_value = statistics.hoeffding_bentkus_p_value(mean, tally.n, limit)
        return np.where((tally.local == 0.0) | (limit >= 1.0), 0.0, p_value)

    def interval(self, tally: Tally, confidence: float) -> tuple[float, float]:
        """Returns the interval of Hoeffding and Bentkus."""
        if tally.local.item() == 0.0 or self.max_call_cost == 0.0:
            return 0.0, 0.0
        mean, _ = self._shares(tally)
        low, high = statistics.bounded_mean_interval(mean.item(), tally.n, confidence)
        return low * PER * self.max_call_cost, high * PER * self.max_call_cost

    def posterior(self, tally: Tally) -> float:
        """Returns the probability under a Student-t posterior: see `statistics.mean_posterior`."""
        mean, limit = self._shares(tally)
        if tally.local.item() == 0.0 or limit >= 1.0:
            return 1.0
        squares = tally.cost_squares.item() / self.max_call_cost**2
        return statistics.mean_posterior(mean.item() * tally.n, squares, tally.n, limit)

    def _shares(self, tally: Tally) -> tuple[Array, float]:
        """Returns the mean cost and the budget of a question, as shares of the dearest call."""
        if self.max_call_cost == 0.0:  # free calls keep every budget
            return np.zeros_like(tally.cost, dtype=np.float64), 1.0
        mean = np.minimum(tally.cost / (max(tally.n, 1) * self.max_call_cost), 1.0)
        return mean, self.limit / (PER * self.max_call_cost)


class MatchRemote(Target):
    """The accuracy that the hosted model alone has over the chain's; the limit is how much of it may be lost."""

    name = "match_remote"

    def value(self, tally: Tally) -> Array:
        """Returns by how much the hosted model alone is more accurate; negative where the chain is."""
        return (tally.losses - tally.wins) / max(tally.n, 1)

    def p_value(self, tally: Tally, level: float) -> Array:
        """Returns the p-value of the paired test: with limit 0 the exact sign test."""
        nuisance = statistics.NUISANCE_SHARE * level
        return statistics.difference_p_value(tally.wins, tally.losses, tally.n, self.limit, nuisance=nuisance)

    def interval(self, tally: Tally, confidence: float) -> tuple[float, float]:
        """Returns the interval that inverts the paired test."""
        return statistics.difference_interval(tally.losses.item(), tally.wins.item(), tally.n, confidence)

    def posterior(self, tally: Tally) -> float:
        """Returns the probability under the prior Dirichlet(1/2, 1/2, 1/2) of wins, losses and ties."""
        return statistics.difference_posterior(tally.wins.item(), tally.losses.item(), tally.n, self.limit)

    def __str__(self) -> str:
        return f"accuracy ≥ remote only{f' − {self.limit:g}' if self.limit else ''}"


def make_targets(
    *,
    remote_rate: float | None = None,
    false_positive_rate: float | None = None,
    risk: float | None = None,
    budget: float | None = None,
    match_remote: bool | float | None = None,
    max_call_cost: float | None = None,
) -> tuple[Target, ...]:
    """Returns the targets that the options of `calibrate` ask for.

    Raises:
        ConfigurationError: There is none, or a limit is out of range.
    """
    targets: list[Target] = []
    if remote_rate is not None:
        targets.append(RemoteRate(_share("remote_rate", remote_rate)))
    if false_positive_rate is not None:
        targets.append(FalsePositiveRate(_share("false_positive_rate", false_positive_rate)))
    if risk is not None:
        targets.append(Risk(_share("risk", risk)))
    if budget is not None:
        targets.append(Budget(_amount("budget", budget), _amount("max_call_cost", max_call_cost)))
    if match_remote is not None and match_remote is not False:
        targets.append(MatchRemote(0.0 if match_remote is True else _share("match_remote", match_remote)))
    if not targets:
        message = (
            "no target is given: pass remote_rate=…, false_positive_rate=…, risk=…, budget=… or match_remote=…, "
            "or several, which then hold together"
        )
        raise ConfigurationError(message)
    return tuple(targets)


def _share(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value < 1.0:
        hint = "True or a margin" if name == "match_remote" else "a rate"
        message = f"{name}={shorten(value)}: pass {hint}, a number from 0 to less than 1 (0.05 for 5 %)"
        raise ConfigurationError(message)
    return float(value)


def _amount(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value < np.inf:
        message = f"{name}={shorten(value)}: pass an amount in currency, a finite number, at least 0"
        raise ConfigurationError(message)
    return float(value)
