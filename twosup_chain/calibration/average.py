"""A weaker promise: the risk of a chain on average over calibrations, without confidence in the single one.

The local threshold is fixed on questions that test nothing (`search.divide`, or `order`), so that each of the n others
has one last prediction. Let V(τ) of them be answered wrongly, and R(τ) be answered, at the remote threshold τ. The
least τ is chosen with 1 + V(τ) ≤ α·R(τ). Then, over the draw of the n questions and of a new one,

    E[1{the new one is answered wrongly} · n/R] ≤ α·n/(n + 1), with 0 where no τ passes:

since the n + 1 are exchangeable, 1{the new one is answered wrongly}/(1 + V(τ)) is a supermartingale as τ rises, of
mean at most 1/(n + 1) at 0, and the choice is a stopping time (Barber & Candès, *Controlling the false discovery rate
via knockoffs*, Annals of Statistics 2015, DOI 10.1214/15-AOS1337, Lemma 1). As R/n is the estimated coverage, that is
the selective risk averaged over calibrations, those that find nothing counted as 0.

The condition is that of LEC (Wang et al., arXiv 2512.01556) but for α. Its own claim, that the risk among answers is at
most α without such an average, cannot hold for every distribution (one whose risk is above α at all thresholds breaks
it in every calibration that answers), and choosing both thresholds jointly by it does not keep it: at α = 0.10 and
n = 100 informative scores lead to 0.12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twosup_chain.calibration.sample import Sample
from twosup_chain.calibration.search import Found, divide, on_grid, ranks
from twosup_chain.calibration.targets import Risk
from twosup_chain.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twosup_chain.calibration.tally import Abstention, Array, Tally
    from twosup_chain.calibration.targets import Prefer, Target
    from twosup_chain.outcomes.outcomes import Outcomes

_SIZES = 64, 64
#: How far, of the best there is, a pair has to pass in the expectation for its local threshold to be taken: of 0, 0.3
#: and 0.6 the last found thresholds most often and led to the highest coverage in simulations (n = 100 and 500).
_MARGIN = 0.6


def find_on_average(
    outcomes: Outcomes,
    targets: Sequence[Target],
    *,
    prefer: Prefer,
    abstention: Abstention = "wrong",
    seed: int = 0,
    order: Outcomes | None = None,
) -> Found:
    """Returns the thresholds that keep a selective risk on average over calibrations; see the module for what that is.

    `prefer`, `seed` and `order` are as in `search.find`: they lead to the local threshold. `ConfigurationError`: there
    are other targets.
    """
    if [type(target) for target in targets] != [Risk]:
        message = (
            f"guarantee='mean' is for risk alone, not for {', '.join(map(str, targets))}: pass risk=…, or a confidence"
        )
        raise ConfigurationError(message)
    limit = targets[0].limit
    first, second = divide(outcomes, seed, order)
    ordering, tested = (
        Sample(outcomes=part, whole=False, seed=seed, abstention=abstention)
        for part in (first, second.one_a_passage(seed))
    )
    learned = on_grid(ordering, first, _SIZES).flat()
    excess = _excess(learned.times(tested.units / max(len(first), 1)), limit)
    least = float(excess.min())
    passing = np.flatnonzero(excess <= max(_MARGIN * least, least))
    local = learned.local[passing[np.argmin(ranks(learned, prefer)[passing])]]
    drawn = tested.outcomes
    remote = np.unique(np.concatenate([[0.0], drawn.remote_score[drawn.local_score < local], [1.0]]))
    tried = tested.count(np.array([local]), remote).flat()
    accepted = _excess(tried, limit) <= 0.0
    best = int(np.argmax(accepted)) if accepted.any() else None
    return Found(
        method="average",
        tried=tried,
        p_values=None,
        accepted=accepted,
        best=best,
        ordering=len(first),
        tested=tested,
    )


def _excess(tally: Tally, limit: float) -> Array:
    return tally.wrong + 1 - limit * tally.answered
