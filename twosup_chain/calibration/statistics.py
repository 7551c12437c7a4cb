"""Finite-sample statistics on plain arrays: p-values, intervals and posteriors of rates, bounded means and differences.

Every p-value here is *valid*: under its null hypothesis it is at most u with probability at most u, for every u in
[0, 1] and every sample size, without approximation. What is tested, on which questions and in which order, is the
business of `calibration.targets` and `calibration.search`.

Sources: Clopper & Pearson (Biometrika 1934, DOI 10.1093/biomet/26.4.404) for binomial intervals; Bates, Angelopoulos,
Lei, Malik & Jordan, *Distribution-Free, Risk-Controlling Prediction Sets* (J. ACM 2021, DOI 10.1145/3478535),
section 3.1, and Angelopoulos et al., *Learn then Test* (arXiv 2110.01052), Proposition 1, for the Hoeffding–Bentkus
p-value; *Learn then Test*, section 2.3, for fixed-sequence testing; Berger & Boos (JASA 1994, DOI
10.1080/01621459.1994.10476836) for p-values in the presence of a nuisance parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from twosup_chain.curves import beta

try:  # the same numbers, ten times as fast
    from scipy import special
except ImportError:
    special = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = npt.NDArray[np.float64]
#: Counts or rates: a number, or an array of them; arguments of one call are broadcast against each other.
ArrayLike = npt.ArrayLike

#: The share of a test's level that `difference_p_value` spends on bounding its nuisance parameter.
NUISANCE_SHARE = 0.1
beta_cdf = beta.beta_cdf if special is None else special.betainc
beta_quantile = beta.beta_quantile if special is None else special.betaincinv
_BISECTIONS = 60
_QUADRATURE = 2_000


def binomial_cdf(events: ArrayLike, trials: ArrayLike, rate: ArrayLike) -> Floats:
    """Returns P(X ≤ `events`) for X ~ Binomial(`trials`, `rate`)."""
    events, trials, rate = np.broadcast_arrays(*(np.asarray(item, np.float64) for item in (events, trials, rate)))
    inside = (events >= 0) & (events < trials)
    rest = beta_cdf(np.where(inside, trials - events, 1.0), np.where(inside, events + 1.0, 1.0), 1.0 - rate)
    return np.where(inside, rest, np.where(events < 0, 0.0, 1.0))


def binomial_p_value(events: ArrayLike, trials: ArrayLike, limit: ArrayLike) -> Floats:
    """Returns the exact p-value of the hypothesis that an event's rate exceeds `limit`.

    It is P(X ≤ events) for X ~ Binomial(trials, limit): monotone in `events`, 1 where there were no (independent)
    trials, and 0 for a limit from 1 on, which nothing exceeds.
    """
    return np.where(np.asarray(limit) >= 1.0, 0.0, binomial_cdf(events, trials, np.minimum(limit, 1.0)))


def clopper_pearson(events: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Returns the exact two-sided interval of a rate: each end is missed with probability at most (1 − confidence)/2.

    Without trials it is [0, 1].
    """
    k, n = np.broadcast_arrays(np.asarray(events, np.float64), np.asarray(trials, np.float64))
    tail = (1.0 - confidence) / 2.0
    low = np.where(k > 0, beta_quantile(np.maximum(k, 1.0), n - k + 1.0, tail), 0.0)
    high = np.where(k < n, beta_quantile(k + 1.0, np.maximum(n - k, 1.0), 1.0 - tail), 1.0)
    return low, high


def hoeffding_bentkus_p_value(mean: ArrayLike, n: ArrayLike, limit: ArrayLike) -> Floats:
    """Returns the Hoeffding–Bentkus p-value of the hypothesis that the mean of a loss in [0, 1] exceeds `limit`.

    The lesser of Hoeffding's exp(−n·h(min(mean, limit), limit)), h the Bernoulli divergence, and Bentkus's
    e·P(Binomial(n, limit) ≤ ⌈n·mean⌉), `mean` being that of a sample of n; monotone in it, 1 for n = 0, and 0 for a
    limit from 1 on, which nothing exceeds.
    """
    mean, n, limit = np.broadcast_arrays(*(np.asarray(item, np.float64) for item in (mean, n, limit)))
    capped = np.clip(limit, 0.0, 1.0)
    low = np.minimum(mean, capped)
    with np.errstate(divide="ignore", invalid="ignore"):
        divergence = _relative_entropy(low, capped) + _relative_entropy(1.0 - low, 1.0 - capped)
        hoeffding = np.where((n > 0) & (low < capped), np.exp(-n * divergence), 1.0)
    bentkus = np.e * binomial_cdf(np.ceil(n * mean), n, capped)
    return np.where(limit >= 1.0, 0.0, np.minimum(1.0, np.minimum(hoeffding, bentkus)))


def bounded_mean_interval(mean: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Returns a two-sided interval of the mean of a loss in [0, 1], by inverting the Hoeffding–Bentkus test twice."""
    tail = (1.0 - confidence) / 2.0
    high = _least(lambda limit: float(hoeffding_bentkus_p_value(mean, n, limit)) <= tail, mean, 1.0)
    low = 1.0 - _least(lambda limit: float(hoeffding_bentkus_p_value(1.0 - mean, n, limit)) <= tail, 1.0 - mean, 1.0)
    return low, high


def difference_p_value(wins: ArrayLike, losses: ArrayLike, n: int, margin: float, *, nuisance: float = 0.01) -> Floats:
    """Returns a p-value of the hypothesis that P(win) < P(loss) − `margin` among n questions, `margin` in (−1, 1).

    A win is a question that the system gets right and the reference does not, a loss the other way round; a negative
    margin is by how much the system has to be better. Let W and L be the counts, D = W + L the discordant questions.
    Given D, W ~ Binomial(D, π) with π = P(win | win or loss); with ψ = P(win or loss), the hypothesis reads π < (1 −
    margin/ψ)/2. With margin 0 the bound is 1/2 whatever ψ is: the exact sign test, P(Binomial(D, 1/2) ≥ W). Otherwise ψ
    is unknown. A one-sided Clopper–Pearson bound ψ' on it (an upper one where margin > 0, a lower one where margin < 0)
    misses with probability at most γ = `nuisance`; unless it does, π < π' = (1 − margin/ψ')/2, so that γ +
    P(Binomial(D, π') ≥ W) is valid. (Berger & Boos 1994, with the supremum in closed form, since ψ' depends on D alone
    and the test is conditional on D.)
    """
    wins, losses = np.broadcast_arrays(np.asarray(wins, np.float64), np.asarray(losses, np.float64))
    discordant = wins + losses
    if margin == 0.0:
        return binomial_cdf(losses, discordant, 0.5)
    low, high = clopper_pearson(discordant, n, 1.0 - 2.0 * nuisance)
    bound = high if margin > 0.0 else np.maximum(low, np.finfo(np.float64).tiny)
    rate = (1.0 - margin / bound) / 2.0
    tail = binomial_cdf(losses, discordant, np.clip(1.0 - rate, 0.0, 1.0))
    return np.minimum(1.0, nuisance + np.where(rate < 0.0, 0.0, np.where(rate > 1.0, 1.0, tail)))


def difference_interval(wins: int, losses: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Returns a two-sided interval of P(win) − P(loss), by inverting `difference_p_value` twice."""
    tail = (1.0 - confidence) / 2.0

    def low(won: int, lost: int) -> float:
        def rejected(margin: float) -> bool:
            return float(difference_p_value(won, lost, n, margin, nuisance=NUISANCE_SHARE * tail)) <= tail

        return -_least(rejected, -1.0, 1.0)

    return low(wins, losses), -low(losses, wins)


def fixed_sequence(p_values: ArrayLike, level: float) -> int:
    """Returns how many hypotheses of a fixed sequence are rejected: all before the first p-value above `level`.

    The probability that any true one is among them is at most `level`: it takes a rejection of the first true one of
    the sequence, whose place does not depend on the data that are tested.
    """
    failed = np.flatnonzero(~(np.asarray(p_values, np.float64) <= level))
    return int(failed[0]) if failed.size else np.size(p_values)


def rate_posterior(events: float, trials: float, limit: float) -> float:
    """Returns the posterior probability that a rate is at most `limit`, under Jeffreys' prior Beta(1/2, 1/2)."""
    if limit >= 1.0:
        return 1.0
    return float(beta_cdf(events + 0.5, trials - events + 0.5, limit))


def mean_posterior(total: float, total_of_squares: float, n: int, limit: float) -> float:
    """Returns the posterior probability that the mean of a loss in [0, 1] is at most `limit`, for n ≥ 1 questions.

    A Student-t posterior with n degrees of freedom, after half an observation of 0 and half of 1 are added, as the
    prior of Jeffreys adds them to a rate. It is an approximation for the mean of many questions.
    """
    mean = (total + 0.5) / (n + 1)
    variance = max((total_of_squares + 0.5) / (n + 1) - mean**2, 0.0)
    return float(_student_cdf(n, (limit - mean) / np.sqrt(variance / n)))


def difference_posterior(wins: int, losses: int, n: int, margin: float) -> float:
    """Returns the posterior probability that P(win) ≥ P(loss) − `margin`, under the prior Dirichlet(1/2, 1/2, 1/2).

    The shares of wins, losses and ties have a Dirichlet posterior, so that ψ = P(win or loss) and π = P(win | win or
    loss) are independent Beta variables; the probability is the mean of P(π ≥ (1 − margin/ψ)/2) over ψ.
    """
    levels = (np.arange(_QUADRATURE) + 0.5) / _QUADRATURE
    discordance = beta_quantile(wins + losses + 1.0, n - wins - losses + 0.5, levels)
    needed = np.clip((1.0 - margin / np.maximum(discordance, np.finfo(np.float64).tiny)) / 2.0, 0.0, 1.0)
    return float(np.mean(beta_cdf(losses + 0.5, wins + 0.5, 1.0 - needed)))


def _relative_entropy(x: Floats, y: Floats) -> Floats:
    """Returns x·log(x/y), 0 at x = 0."""
    return np.where(x > 0.0, x * np.log(np.where(x > 0.0, x, 1.0) / y), 0.0)


def _student_cdf(freedom: float, t: float) -> float:
    """Returns P(T ≤ t) for T of Student's distribution."""
    beyond = float(beta_cdf(freedom / 2.0, 0.5, freedom / (freedom + t * t))) / 2.0
    return beyond if t < 0.0 else 1.0 - beyond


def _least(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Returns the least number in [low, high] from which on `holds` is true, to the last digits; `high` if none is."""
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
