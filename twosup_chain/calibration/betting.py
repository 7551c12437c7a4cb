"""Testing by betting on plain arrays: evidence that a mean exceeds a limit, valid at every look at once.

Whoever bets against the hypothesis "given the past, the mean of the next value is at most m" cannot expect to gain: the
capital is a supermartingale from 1, so that it ever reaches 1/α with probability at most α (Ville). Capital is thus
evidence that may be read at any time, any number of times.

Sources: Waudby-Smith & Ramdas, *Estimating means of bounded random variables by betting* (JRSS B 2024, arXiv
2010.09686): the capital process of section 4, and its mixture over fixed bets (diversified Kelly betting, appendix B);
Ville, *Étude critique de la notion de collectif* (1939); Massart, *The tight constant in the Dvoretzky–Kiefer–Wolfowitz
inequality* (Annals of Probability 1990, DOI 10.1214/aop/1176990746). Values are in [0, 1].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = npt.NDArray[np.float64]

#: The shares of the capital that are bet, each with an equal part of it: from what small excesses call for to all but
#: everything.
STAKES: Floats = np.geomspace(1e-3, 0.95, 24)
#: Values are rounded to as many steps, where there are more different ones, against whoever bets.
_STEPS = 4_096
_BISECTIONS = 50
_LEAST, _MOST = 1e-12, 1e300
#: The capital's logarithm is kept below, and so many values are worked on at once.
_MOST_LOG, _CELLS = 600.0, 2_000_000
#: In so many parts capital is bet in `p_values`, and at most so much of it.
_PARTS, _ALL = 3, 0.99


def gains(value: npt.ArrayLike, limit: float) -> Floats:
    """Returns what each stake becomes by one bet on a value in [0, 1] that its mean exceeds `limit`, in [0, 1].

    A stake c of the capital buys 1/limit shares that pay the value: 1 − c + c·value/limit, in expectation at most 1
    where the mean is at most the limit. Shape (…, stakes).
    """
    return 1.0 - STAKES + STAKES * (np.asarray(value, np.float64)[..., None] / max(limit, _LEAST))


def mean_at_any_time(values: npt.ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """Returns an interval of the mean of values in [0, 1], shape (n,), that holds at every n at once.

    The means that no capital of 2/(1 − confidence) speaks against, betting that the mean is higher, or lower; capital
    is the mean over the stakes, the same in whatever order the values come. Whatever n was looked at before: with
    probability `confidence` the mean is within all of these intervals.
    """
    enough = np.log(2.0 * len(STAKES) / (1.0 - confidence))

    def least(values: Floats) -> float:
        found, counts = _grouped(values)
        return _greatest(lambda limit: np.logaddexp.reduce(counts @ np.log(gains(found, limit))) >= enough)

    values = np.asarray(values, np.float64)
    return least(values), 1.0 - least(1.0 - values)


def p_values(values: npt.ArrayLike, limit: float, trials: npt.ArrayLike = 1.0) -> Floats:
    """Returns p-values of the hypothesis that the mean of independent values in [0, 1] exceeds `limit`.

    Shape (…, n), one hypothesis a row, to (…,). Whoever bets that a mean is below the limit gains c·(limit − value)/(1
    − limit) by a stake c; a third of the capital is bet at each of three stakes. The p-value is the inverse of the most
    that the capital ever was (Ville); it grows with every value. It is 1 for n = 0, and 0 for a limit from 1 on, which
    nothing exceeds. Where a draw says little, `trials` tells how much, in [0, 1] (what is no trial is the limit): the
    stakes then follow from the trials so far.
    """
    values = np.asarray(values, np.float64)
    n = values.shape[-1]
    if limit >= 1.0 or n == 0:
        return np.full(values.shape[:-1], float(limit < 1.0))
    flat, found = values.reshape(-1, n), np.ones(values.shape[:-1]).ravel()
    tried = np.broadcast_to(trials, values.shape).reshape(-1, n)
    step = max(1, _CELLS // n)
    for start in range(0, len(flat), step):
        part = slice(start, start + step)
        gain = (limit - flat[part]) / (1.0 - limit)
        before = tried[part].cumsum(axis=1) - tried[part]
        capital = sum(
            np.exp(np.minimum(np.log1p(stake * gain).cumsum(axis=1), _MOST_LOG))
            for stake in _stakes((1.0 + before) / np.arange(1, n + 1) * n, limit)
        )
        found[part] = _PARTS / np.max(capital, axis=1)
    return np.minimum(found, 1.0).reshape(values.shape[:-1])


def bounds(totals: Floats, trials: Floats, confidence: float) -> tuple[float, float]:
    """Returns a two-sided interval of E[total]/E[trials] of n independent draws, 0 ≤ total ≤ trials ≤ 1, shape (n,)."""
    tail = (1.0 - confidence) / 2.0

    def least_above(totals: Floats) -> float:
        return 1.0 - _greatest(
            lambda part: bool(p_values(totals + (1.0 - part) * (1.0 - trials), 1.0 - part, trials) <= tail)
        )

    return 1.0 - least_above(trials - totals), least_above(totals)


class Evidence:
    """Capital bet, value by value, that the mean of what comes exceeds `limit`, in [0, 1].

    A part 1/(t(t + 1)) of it starts to bet at the t-th value, so that a promise kept for long and then broken is
    noticed. `peak` is the most that there was: it ever reaches 1/α with probability at most α, if the limit is kept.
    Values may be arrays of one shape, of as many streams, and so are mean and peak then.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.count = 0
        self.total: Floats = np.array(0.0)
        self.peak: Floats = np.array(1.0)
        self._capital = np.zeros_like(STAKES)

    def add(self, value: npt.ArrayLike) -> None:
        """Bets on one more value in [0, 1]."""
        self.count += 1
        self.total = self.total + np.asarray(value)
        self._capital = (self._capital + 1.0 / (self.count * (self.count + 1))) * gains(value, self.limit)
        self._capital = np.minimum(self._capital, _MOST)
        self.peak = np.maximum(self.peak, self._capital.mean(axis=-1) + 1.0 / (self.count + 1))

    @property
    def mean(self) -> Floats:
        """The mean of the values so far, of which there is at least one."""
        return self.total / self.count


def distance_at_any_time(n: int, alpha: float) -> float:
    """Returns how far the distribution function of n draws can be from the true one, at all n ≥ 1 at once.

    Exceeded at any n with probability at most `alpha`: √(ln(2n(n + 1)/alpha)/(2n)), Massart's at alpha/(n(n + 1)).
    """
    return float(np.sqrt(np.log(2.0 * n * (n + 1) / alpha) / (2.0 * n)))


def _stakes(trials: Floats, limit: float) -> list[Floats]:
    """Returns shares of the capital, from what the deviation of so many trials calls for to all but everything.

    In simulations of rates, costs and differences (16 to 2,000 draws) three of them showed more than four, two or 25.
    """
    least = np.minimum(0.9, 2.5 * np.sqrt((1.0 - limit) / (max(limit, _LEAST) * trials)))
    return [least ** (1.0 - part) * _ALL**part for part in np.linspace(0.0, 1.0, _PARTS)]


def _grouped(values: Floats) -> tuple[Floats, Floats]:
    """Returns the different values and how often each is there; where there are many they are rounded down."""
    found, counts = np.unique(values, return_counts=True)
    if len(found) > _STEPS:
        found, counts = np.unique(np.floor(values * _STEPS) / _STEPS, return_counts=True)
    return found, counts.astype(np.float64)


def _greatest(holds: Callable[[float], bool]) -> float:
    """Returns the greatest number in [0, 1] up to which `holds` is true, to the last digits; 0 if none is."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
