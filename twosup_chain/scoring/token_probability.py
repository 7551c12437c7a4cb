"""The scorers of token probabilities, and how high each can still become while the answer is being written.

A draft whose highest possible score lies under the threshold is rejected whatever follows: it can end there.
"""

import math
from collections.abc import Sequence

import numpy as np

from twosup_chain.errors import MissingEvidenceError
from twosup_chain.schema import Answer, QAInput
from twosup_chain.scoring.scorer import Scorer
from twosup_chain.scoring.tokens import content_tokens, token_margin


def min_token_probability(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the least probability of any content token: the remote score of BiSupervised (DOI 10.1145/3617593)."""
    return math.exp(min(_content_logprobs(answer, "min_token_probability")))


def mean_token_probability(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the geometric mean of the content tokens' probabilities."""
    return math.exp(math.fsum(logprobs := _content_logprobs(answer, "mean_token_probability")) / len(logprobs))


def token_probability_quantile(
    question: QAInput, answer: Answer, *, local: Answer | None = None, q: float = 0.25
) -> float:
    """Returns a quantile of the content tokens' probabilities, which is less biased by length than minimum and mean.

    Gupta et al., *Language Model Cascades: Token-level Uncertainty and Beyond* (ICLR 2024, arXiv 2404.10136). Bind
    another `q` in [0, 1] with `functools.partial`.
    """
    return float(np.exp(np.quantile(_content_logprobs(answer, "token_probability_quantile"), q)))


def min_token_margin(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the least probability, of any content token, less that of the likeliest other one; at least 0."""
    return max(0.0, min(_content_margins(answer, "min_token_margin")))


def mean_token_margin(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the mean probability of the content tokens less that of the likeliest other ones; at least 0.

    It is one minus the uncertainty of UCCI (arXiv 2605.18796).
    """
    margins = _content_margins(answer, "mean_token_margin")
    return max(0.0, math.fsum(margins) / len(margins))


def highest_minimum(logprobs: Sequence[float], remaining: float) -> float:
    """Returns the highest `min_token_probability` that an answer can end with: the minimum so far."""
    return math.exp(min(logprobs, default=0.0))


def highest_mean(logprobs: Sequence[float], remaining: float) -> float:
    """Returns the highest `mean_token_probability` that an answer can end with: all that follows is certain."""
    count = len(logprobs) + remaining
    return math.exp(math.fsum(logprobs) / count) if count else 1.0


def highest_quantile(logprobs: Sequence[float], remaining: float, *, q: float = 0.25) -> float:
    """Returns the highest `token_probability_quantile` that an answer can end with: all that follows is certain."""
    if math.isinf(remaining):
        return highest_minimum(logprobs, remaining) if q == 0.0 else 1.0
    certain = [0.0] * int(remaining)
    return float(np.exp(np.quantile([*logprobs, *certain], q))) if logprobs or certain else 1.0


def _content_logprobs(answer: Answer, scorer: str) -> list[float]:
    if answer.token_logprobs is None:
        raise MissingEvidenceError(
            f"{scorer} reads token log-probabilities, and the answer"
            f"{f' of {answer.model}' if answer.model else ''} carries none: switch them on "
            "(ChatOpenAI(…, logprobs=True); some servers want top_logprobs=1 too), choose a scorer that needs none "
            "(grounded, in_context, agreement), or state the score to use without them (Supervisor(…, missing=0.0))"
        )
    content = [token.logprob for token in content_tokens(answer.token_logprobs)]
    if not content:
        message = f"{scorer} reads the log-probabilities of content tokens, and the answer holds format tokens only"
        raise MissingEvidenceError(message)
    return content


def _content_margins(answer: Answer, scorer: str) -> list[float]:
    _content_logprobs(answer, scorer)
    found = map(token_margin, content_tokens(answer.token_logprobs or ()))
    margins = [margin for margin in found if margin is not None]
    if not margins:
        raise MissingEvidenceError(
            f"{scorer} reads the likeliest alternatives of each token, and the answer carries none: ask for them "
            "(ChatOpenAI(…, logprobs=True, top_logprobs=2)), or choose a scorer that needs none"
        )
    return margins


SCORERS = (
    Scorer(name="min_token_probability", function=min_token_probability, needs="logprobs", bound=highest_minimum),
    Scorer(name="mean_token_probability", function=mean_token_probability, needs="logprobs", bound=highest_mean),
    Scorer(
        name="token_probability_quantile", function=token_probability_quantile, needs="logprobs", bound=highest_quantile
    ),
    Scorer(name="min_token_margin", function=min_token_margin, needs="top_logprobs"),
    Scorer(name="mean_token_margin", function=mean_token_margin, needs="top_logprobs"),
)
