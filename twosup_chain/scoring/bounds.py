"""How high the trust score of an answer can still become while it is being written.

A draft whose highest possible score lies under the threshold is rejected whatever follows, so that its generation can
end there. The scores themselves are in `scoring`; who listens to the bound is in `chat`.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from twosup_chain.scoring.registry import mean_token_probability, min_token_probability, token_probability_quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: ``(log-probabilities of the content tokens so far, the most tokens that may follow) -> highest score``. The second is
#: ``math.inf`` where nobody knows.
Bound = "Callable[[Sequence[float], float], float]"


def highest_minimum(logprobs: Sequence[float], remaining: float) -> float:
    """Returns the highest `min_token_probability` that an answer can end with: the minimum so far."""
    del remaining
    return math.exp(min(logprobs, default=0.0))


def highest_mean(logprobs: Sequence[float], remaining: float) -> float:
    """Returns the highest `mean_token_probability` that an answer can end with: all that follows is certain."""
    count = len(logprobs) + remaining
    return math.exp(math.fsum(logprobs) / count) if count else 1.0


def highest_quantile(logprobs: Sequence[float], remaining: float, *, q: float = 0.25) -> float:
    """Returns the highest `token_probability_quantile` that an answer can end with: all that follows is certain.

    Only the position of the quantile is looked up, since up to `remaining` certain tokens follow.
    """
    if math.isinf(remaining):
        return highest_minimum(logprobs, remaining) if q == 0.0 else 1.0
    certain = [0.0] * int(remaining)
    return float(np.exp(np.quantile([*logprobs, *certain], q))) if logprobs or certain else 1.0


_BOUNDS: dict[Any, Any] = {
    min_token_probability: highest_minimum,
    mean_token_probability: highest_mean,
    token_probability_quantile: highest_quantile,
}


def bound_of(scorer: object) -> Callable[[Sequence[float], float], float] | None:
    """Returns what bounds a scorer's score from above; ``None`` where only the whole answer can be scored.

    Known are the scorers of token probabilities, `functools.partial` of them, and any scorer with a method
    ``highest_score(logprobs, remaining) -> float`` of its own.

    Args:
        scorer: A scorer, as `Supervisor` takes it.
    """
    own = getattr(scorer, "highest_score", None)
    if callable(own):
        return own  # type: ignore[no-any-return]
    if isinstance(scorer, partial):
        bound = _BOUNDS.get(scorer.func)
        return None if bound is None else partial(bound, **scorer.keywords)
    try:
        return _BOUNDS.get(scorer)
    except TypeError:  # a callable that cannot be hashed
        return None
