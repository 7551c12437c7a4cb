"""What can be measured of a pair of thresholds: its name, how it is written, its value and interval on a tally.

A `Target` (`targets`) is a measure with a limit. The other measures, coverage and accuracy, are only reported.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import reduce
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from twosup_chain.calibration import statistics

if TYPE_CHECKING:
    from twosup_chain.calibration.tally import Array, Tally
    from twosup_chain.outcomes.outcomes import Outcomes

#: What a value is: a share of something (or a difference of shares), an amount of currency, or another number.
Unit = Literal["share", "money", "number"]


def written(value: float | None, unit: Unit, currency: str | None = None) -> str:
    """Returns a value as people read it: a share in per cent, an amount with its currency; a dash for none."""
    if value is None or math.isnan(value):
        return "–"
    if unit == "share":
        return f"{100 * value:.1f} %".replace("-", "\N{MINUS SIGN}")
    return f"{value:,.4g}{f' {currency}' if currency and unit == 'money' else ''}".replace("-", "\N{MINUS SIGN}")


class Measure(ABC):
    """Something that follows from a pair of thresholds."""

    #: What an estimate of it is called in a calibration; for a target of your own its name.
    measure: ClassVar[str]
    #: What it is called in tables.
    label: ClassVar[str]
    unit: ClassVar[Unit] = "share"

    @abstractmethod
    def value(self, tally: Tally) -> Array:
        """Returns the estimate at every pair; NaN where the counts say nothing."""

    @abstractmethod
    def interval(self, tally: Tally, confidence: float) -> tuple[float, float]:
        """Returns a two-sided interval of the value at the only pair of this tally."""

    def span(self, max_call_cost: float) -> tuple[float, float] | None:
        """Returns between what the value of a single question lies, if the value of many is the mean of theirs.

        Questions whose own value is NaN have no part in it. By default ``None``: the value is no such mean.
        """
        return None

    def certain(self, tally: Tally) -> Array:
        """Returns where the value keeps every limit whatever the data are; by default nowhere."""
        return np.zeros_like(tally.local, dtype=np.bool_)

    def lacks(self, outcomes: Outcomes) -> str:
        """Returns what the data do not hold and are read, with the cure; nothing where they hold it all."""
        return ""


class Share(Measure):
    """The rate of an event among trials; given the number of trials the events are binomial.

    The questions are independent, and at a fixed pair of thresholds each one is an event, a trial without it, or no
    trial; so the number of events given that of the trials is Binomial(trials, rate), exactly.
    """

    #: The columns of a `Tally` that count events and trials.
    events: ClassVar[str]
    trials: ClassVar[str] = "n"
    #: The thresholds ("local", "remote") of which one at 0, which trusts every score, leaves no event in any data
    #: (the local one only where no local call can fail).
    safe_at: ClassVar[tuple[str, ...]] = ()

    def counts(self, tally: Tally) -> tuple[Array, Array]:
        """Returns the events and the trials at every pair."""
        events, trials = np.broadcast_arrays(getattr(tally, self.events), getattr(tally, self.trials))
        return events, trials

    def certain(self, tally: Tally) -> Array:
        """Returns where there cannot be an event."""
        none = super().certain(tally)
        safe = {"local": tally.never_asks, "remote": tally.remote == 0.0}
        return reduce(np.logical_or, (safe[threshold] for threshold in self.safe_at), none)

    def value(self, tally: Tally) -> Array:
        """Returns events / trials."""
        events, trials = self.counts(tally)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.certain(tally), 0.0, np.true_divide(events, trials))

    def span(self, max_call_cost: float) -> tuple[float, float]:
        """Returns 0 and 1: an event or none."""
        return 0.0, 1.0

    def interval(self, tally: Tally, confidence: float) -> tuple[float, float]:
        """Returns the interval of Clopper and Pearson."""
        if bool(np.all(self.certain(tally))):
            return 0.0, 0.0
        low, high = statistics.clopper_pearson(*self.counts(tally), confidence)
        return low.item(), high.item()


class Coverage(Share):
    """The share of questions that are answered."""

    measure, label = "coverage", "coverage"
    events = "answered"


class Accuracy(Share):
    """The share of questions that end well: answered rightly, or left open where that counts as right."""

    measure, label = "accuracy", "accuracy"
    events = "successes"
