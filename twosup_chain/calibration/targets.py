"""What a calibration promises: limits on rates, on money and on the distance to the hosted model, and their tests.

A target reads the counts of a `Tally` and says, for every pair of thresholds, what its value is, how surprising the
counts would be if the limit were exceeded (a valid p-value), and on new data how probable it is that it holds. It also
knows what it is called, in which unit, and what it needs of the data: nothing else in the package asks which target it
has. A target of your own is a subclass of `Target`, or of `Rate`; it is handed to `calibrate` and `check` as it is.
Which pairs are tried is the business of `search`; the statistics are in `statistics`.
"""

from __future__ import annotations

import sys
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from twosup_chain._options import shorten
from twosup_chain.calibration import statistics
from twosup_chain.calibration.measures import Accuracy, Coverage, Measure, Share, Unit
from twosup_chain.errors import ConfigurationError, UnknownOptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twosup_chain.calibration.tally import Array, Tally
    from twosup_chain.outcomes.outcomes import Outcomes

#: Which pair to choose of those that keep the targets: see `calibrate`.
Prefer = Literal["cheapest", "coverage", "accuracy", "safest"]
#: How a pair was found: see `search`, and `average` for ``"average"``; ``"plug-in"`` promises nothing.
Method = Literal["plug-in", "nested", "from the top", "fixed sequence", "average"]
#: What is promised: with a confidence for each calibration, or the mean over calibrations.
Guarantee = Literal["confidence", "mean"]
#: Budgets are stated per so many questions.
PER = 1_000
#: What becomes of a question whose hosted call fails: it is left open, or the local answer is given as it stands.
OnRemoteError = Literal["no_answer", "local"]
#: Whose preference counts where several targets have one.
_PRECEDENCE: tuple[Prefer, ...] = ("cheapest", "coverage", "safest", "accuracy")
_BOUNDS: dict[Unit, tuple[float, float]] = {
    "share": (0.0, 1.0),
    "money": (0.0, np.inf),
    "number": (-sys.float_info.max, np.inf),
}
_WORDS: dict[Unit, str] = {
    "share": "a rate, a number from 0 to less than 1 (0.05 for 5 %)",
    "money": "an amount in currency, a finite number, at least 0",
    "number": "a finite number",
}


@dataclass(frozen=True)
class Target(Measure):
    """A limit on something that follows from a pair of thresholds.

    Args:
        limit: What is not to be exceeded, in the units of `value`: a share in [0, 1), an amount of currency.

    Raises:
        ConfigurationError: The limit is out of range.
    """

    limit: float
    #: What a calibration calls it; of the packaged ones also the option of `calibrate`.
    name: ClassVar[str]
    #: Whether it depends on the local threshold alone, and grows with it.
    nested: ClassVar[bool] = False
    #: Whether bets on single questions' values show more than its own p-value, which is exact elsewhere (see `sample`).
    bets: ClassVar[bool] = False
    #: Whether always asking the hosted model, and trusting whatever it says, keeps it.
    kept_by_asking: ClassVar[bool] = False
    #: Which of the pairs that keep it is chosen, unless the user says it.
    prefer: ClassVar[Prefer] = "accuracy"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" in vars(cls):
            cls.measure = vars(cls).get("measure", cls.name)
            cls.label = vars(cls).get("label", cls.name.replace("_", " "))

    def __post_init__(self) -> None:
        least, above = _BOUNDS[self.unit]
        limit: Any = self.limit
        if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not least <= limit < above:
            raise ConfigurationError(f"{self.name}={shorten(limit)}: pass {self.asks_for()}")
        object.__setattr__(self, "limit", float(limit))

    @classmethod
    def asks_for(cls) -> str:
        """Returns in words what its limit may be."""
        return _WORDS[cls.unit]

    @classmethod
    def of_option(cls, value: Any) -> Target | None:
        """Returns the target that its option of `calibrate` asks for by this value; ``None`` asks for none."""
        return None if value is None else cls(value)

    @abstractmethod
    def p_value(self, tally: Tally, level: float) -> Array:
        """Returns, at every pair, a p-value of the hypothesis that the limit is exceeded there, held against `level`.

        The counts are of independent questions that had no part in the choice of the pairs.
        """

    @abstractmethod
    def posterior(self, tally: Tally) -> float:
        """Returns the probability that the limit is kept at the only pair of this tally, given its counts."""

    def met(self, tally: Tally) -> Array:
        """Returns where the estimate keeps the limit."""
        with np.errstate(invalid="ignore"):
            return self.value(tally) <= self.limit

    def unfounded(self, outcomes: Outcomes) -> str:
        """Returns why the data allow no guarantee, with the cure; nothing where they do."""
        return ""

    def least_abstention(self, outcomes: Outcomes) -> float | None:
        """Returns the least share of questions that any thresholds leave open to keep the limit, by estimate."""
        return None

    def __str__(self) -> str:
        return f"{self.name} ≤ {self.limit:g}"


class Rate(Share, Target):
    """A limit on a `Share`: its tests are exact, since the events are binomial."""

    def p_value(self, tally: Tally, level: float) -> Array:
        """Returns the exact binomial p-value."""
        events, trials = self.counts(tally)
        return np.where(self.certain(tally), 0.0, statistics.binomial_p_value(events, trials, self.limit))

    def posterior(self, tally: Tally) -> float:
        """Returns the probability under Jeffreys' prior."""
        if bool(np.all(self.certain(tally))):
            return 1.0
        events, trials = self.counts(tally)
        return statistics.rate_posterior(events.item(), trials.item(), self.limit)


class RemoteRate(Rate):
    """The share of questions that are sent to the hosted model: P(local score < local threshold)."""

    name, label = "remote_rate", "remote rate"
    nested = True
    events, safe_at = "escalated", ("local",)


class Risk(Rate):
    """The selective risk: the share of wrong answers among the questions that are answered."""

    name, label = "risk", "selective risk"
    prefer = "cheapest"
    events, trials = "wrong", "answered"

    def least_abstention(self, outcomes: Outcomes) -> float | None:
        """Returns the least share of questions that any thresholds leave open, by estimate; ``None`` for no share.

        Of the questions of a predictor that is wrong with probability μ, abstaining on a share b takes away at most b
        of the errors; to be left with at most α among the 1 − b others takes b ≥ (μ − α)/(1 − α) (arXiv 2606.29054).
        μ is the least risk that any local threshold has without abstention.
        """
        if not len(outcomes):
            return None
        order = np.argsort(outcomes.local_score)
        right = np.cumsum(outcomes.remote_correct[order].astype(np.int64) - outcomes.local_correct[order])
        most_right = np.count_nonzero(outcomes.local_correct) + max(0, int(right.max()))
        share = (1.0 - most_right / len(outcomes) - self.limit) / (1.0 - self.limit)
        return share if share > 0.0 else None


class FalsePositiveRate(Rate):
    """The share of right predictions that are refused: FP / (FP + TN) of BiSupervised (DOI 10.1145/3617593).

    FP are escalated questions whose remote prediction is right and not trusted; TN those whose prediction is right and
    trusted, local or remote.
    """

    name, label = "false_positive_rate", "false positive rate"
    prefer = "safest"
    events, trials, safe_at = "refused_right", "right_predictions", ("local", "remote")


class Budget(Target):
    """What the hosted model costs per 1,000 questions, in currency.

    Its guarantee rests on the most that one call can cost (``Outcomes.max_call_cost``).
    """

    name, measure, label = "budget", "cost", "cost of 1,000 questions"
    unit = "money"
    nested = bets = True

    def value(self, tally: Tally) -> Array:
        """Returns the mean cost of 1,000 questions."""
        return np.where(tally.never_asks, 0.0, PER * tally.cost / max(tally.n, 1))

    def p_value(self, tally: Tally, level: float) -> Array:
        """Returns the p-value of Hoeffding and Bentkus, of costs as shares of the dearest call's."""
        mean, limit = self._shares(tally)
        return np.where(self.certain(tally), 0.0, statistics.hoeffding_bentkus_p_value(mean, tally.n, limit))

    def certain(self, tally: Tally) -> Array:
        """Returns where no call is made, or none costs anything."""
        never: Array = tally.never_asks | (tally.max_call_cost == 0.0)
        return never

    def span(self, max_call_cost: float) -> tuple[float, float]:
        """Returns 0 and what 1,000 of the dearest calls cost."""
        return 0.0, PER * max_call_cost

    def interval(self, tally: Tally, confidence: float) -> tuple[float, float]:
        """Returns the interval of Hoeffding and Bentkus."""
        if self.certain(tally).item():
            return 0.0, 0.0
        mean, _ = self._shares(tally)
        low, high = statistics.bounded_mean_interval(mean.item(), tally.n, confidence)
        return low * PER * tally.max_call_cost, high * PER * tally.max_call_cost

    def posterior(self, tally: Tally) -> float:
        """Returns the probability under a Student-t posterior: see `statistics.mean_posterior`."""
        mean, limit = self._shares(tally)
        if tally.never_asks.item() or limit >= 1.0:
            return 1.0
        squares = tally.cost_squares.item() / tally.max_call_cost**2
        return statistics.mean_posterior(mean.item() * tally.n, squares, tally.n, limit)

    def lacks(self, outcomes: Outcomes) -> str:
        """Returns that there are no costs, where that is so."""
        if outcomes.remote_cost is not None:
            return ""
        return "the hosted calls have no costs: pass price=Price(…) with records, or Outcomes(remote_cost=…)"

    def unfounded(self, outcomes: Outcomes) -> str:
        """Returns that nobody has said what the dearest call can cost, where that is so."""
        if outcomes.max_call_cost is not None:
            return ""
        return (
            "nothing can be promised of costs without the most that one call can cost (the dearest one seen, "
            f"{outcomes.dearest_seen:g}, is not it): pass max_call_cost=…, or Price(…, context=…, max_tokens=…), or "
            "leave the confidence out"
        )

    def _shares(self, tally: Tally) -> tuple[Array, float]:
        """Returns the mean cost and the budget of a question, as shares of the dearest call."""
        if tally.max_call_cost == 0.0:  # free calls keep every budget
            return np.zeros_like(tally.cost, dtype=np.float64), 1.0
        mean = np.minimum(tally.cost / (max(tally.n, 1) * tally.max_call_cost), 1.0)
        return mean, self.limit / (PER * tally.max_call_cost)


@dataclass(frozen=True)
class MatchRemote(Target):
    """The accuracy that the hosted model alone has over the chain's.

    Args:
        limit: How much of it may be lost, a share in [0, 1).
    """

    limit: float = 0.0
    name, measure, label = "match_remote", "below_remote", "worse than remote only"
    prefer = "cheapest"
    kept_by_asking = True

    @classmethod
    def asks_for(cls) -> str:
        """Returns in words what its limit may be."""
        return super().asks_for().replace("a rate", "True or a margin")

    @classmethod
    def of_option(cls, value: Any) -> Target | None:
        """Returns the target; ``True`` asks for no loss of accuracy, ``False`` for no target."""
        return None if value is None or value is False else cls(0.0 if value is True else value)

    def value(self, tally: Tally) -> Array:
        """Returns by how much the hosted model alone is more accurate; negative where the chain is."""
        return (tally.losses - tally.wins) / max(tally.n, 1)

    def p_value(self, tally: Tally, level: float) -> Array:
        """Returns the p-value of the paired test: with limit 0 the exact sign test.

        The chain that never trusts the local model, and always the hosted one, is as accurate as that one: 0.
        """
        nuisance = statistics.NUISANCE_SHARE * level
        p_value = statistics.difference_p_value(tally.wins, tally.losses, tally.n, self.limit, nuisance=nuisance)
        return np.where(self.certain(tally), 0.0, p_value)

    def certain(self, tally: Tally) -> Array:
        """Returns where the chain is the hosted model."""
        return tally.only_asks

    def span(self, max_call_cost: float) -> tuple[float, float]:
        """Returns -1, where only the chain is right, and 1, where only the hosted model is."""
        return -1.0, 1.0

    def interval(self, tally: Tally, confidence: float) -> tuple[float, float]:
        """Returns the interval that inverts the paired test."""
        return statistics.difference_interval(tally.losses.item(), tally.wins.item(), tally.n, confidence)

    def posterior(self, tally: Tally) -> float:
        """Returns the probability under the prior Dirichlet(1/2, 1/2, 1/2) of wins, losses and ties."""
        return statistics.difference_posterior(tally.wins.item(), tally.losses.item(), tally.n, self.limit)

    def __str__(self) -> str:
        return f"accuracy ≥ remote only{f' − {self.limit:g}' if self.limit else ''}"


#: The packaged targets by name; a target is added here, and nowhere else.
TARGETS: dict[str, type[Target]] = {
    target.name: target for target in (RemoteRate, FalsePositiveRate, Risk, Budget, MatchRemote)
}
_MEASURED = (RemoteRate(0.0), Coverage(), Risk(0.0), FalsePositiveRate(0.0), Accuracy(), MatchRemote(0.0), Budget(0.0))
#: What every calibration measures, in the order of its table.
MEASURES: dict[str, Measure] = {measure.measure: measure for measure in _MEASURED}


def make_targets(targets: Iterable[Target] = (), /, **limits: Any) -> tuple[Target, ...]:
    """Returns the targets that the options of `calibrate` ask for, and those that are given: at least one.

    None is asked for twice, and none of your own goes by a packaged one's name.
    """
    for unknown in limits.keys() - TARGETS:
        raise UnknownOptionError("target", unknown, TARGETS)
    asked = (target.of_option(limits.get(name)) for name, target in TARGETS.items())
    found = (*(target for target in asked if target is not None), *targets)
    if not found:
        options = ", ".join(f"{name}=…" for name in TARGETS)
        message = f"no target is given: pass one of {options}, or targets=[…]; of several all hold together"
        raise ConfigurationError(message)
    names: set[str] = set()
    for target in found:
        name = getattr(target, "name", None)
        if not isinstance(target, Target) or not isinstance(name, str):
            message = f"targets holds {shorten(target)}: pass targets with their limits, such as Risk(0.05)"
            raise ConfigurationError(message)
        if not isinstance(target, TARGETS.get(name, Target)):
            message = f"{type(target).__name__}.name={name!r} is the name of a packaged target: call yours another"
            raise ConfigurationError(message)
        if name in names:
            raise ConfigurationError(f"{name} is given twice: state each limit once")
        names.add(name)
    return found


def default_preference(targets: Iterable[Target]) -> Prefer:
    """Returns which pair is chosen where the user does not say it: cheap where a target demands quality."""
    return min((target.prefer for target in targets), key=_PRECEDENCE.index)
