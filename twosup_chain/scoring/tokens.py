"""What the log-probabilities of a reply's tokens say; plain numbers from an `Answer`.

Only content tokens count: white space, quotes, Markdown marks and special tokens shape a reply and say nothing of it.
"""

import math
import re
from collections.abc import Iterable, Sequence

from twosup_chain.answerers.no_answer import NO_ANSWER
from twosup_chain.schema import Answer, TokenLogprob

#: A token that shapes the reply and carries no content: white space, quotes, Markdown marks, and special tokens such as
#: ``<|im_end|>``, ``</s>`` or ``[/INST]``.
_FORMAT_TOKEN = re.compile(r"""[\s"'`*“”‘’«»„]*|\s*<[|/]?[\w|]+>\s*|\s*\[/?[A-Z_]+\]\s*""")

#: Less likely than this (in nats) is all the same, so that one token cannot outweigh everything else.
_FLOOR = -15.0
#: What replies for "no answer" begin with, and how many letters tell.
_OPENINGS = (NO_ANSWER, "unknown", "none", "not")
_FEWEST_LETTERS = 2


def content_tokens(tokens: Iterable[TokenLogprob]) -> list[TokenLogprob]:
    """Returns the tokens that carry content, in their order."""
    return [token for token in tokens if token.token is None or not _FORMAT_TOKEN.fullmatch(token.token)]


def token_features(answer: Answer) -> dict[str, float]:
    """Returns the features of the tokens, empty where the answer carries no log-probabilities.

    Log-probabilities are in nats, in [-15, 0]:

    - ``token_min``, ``token_mean``, ``token_sum``, ``token_first``, ``token_last``: the least, the mean, the sum (in
      [-60, 0]), the first and the last one;
    - ``token_q10``, ``token_q25``, ``token_q50``: their quantiles (arXiv 2404.10136);
    - ``token_count``: the logarithm of one plus their number.

    Where the likeliest alternatives are known (``top_logprobs`` of at least 2):

    - ``token_margin_min``, ``token_margin_mean``, ``token_margin_first``: the probability of the token less that of the
      likeliest other one, in [-1, 1];
    - ``token_entropy_first``: the entropy of the alternatives at the first place, in nats;
    - ``token_unanswerable``: the log-probability that the reply begins as "unanswerable" or "none" does, or what is
      left for it beside the alternatives listed.
    """
    tokens = content_tokens(answer.token_logprobs or ())
    if not tokens:
        return {}
    found = [max(token.logprob, _FLOOR) for token in tokens]
    ordered = sorted(found)
    margins = [margin for token in tokens if (margin := token_margin(token)) is not None]
    features = {
        "token_min": ordered[0],
        "token_mean": math.fsum(found) / len(found),
        "token_sum": max(math.fsum(found), 4 * _FLOOR),
        "token_first": found[0],
        "token_last": found[-1],
        "token_q10": _quantile(ordered, 0.10),
        "token_q25": _quantile(ordered, 0.25),
        "token_q50": _quantile(ordered, 0.50),
        "token_count": math.log1p(len(found)),
    }
    if margins:
        features["token_margin_min"] = min(margins)
        features["token_margin_mean"] = math.fsum(margins) / len(margins)
    if (first := token_margin(tokens[0])) is not None:
        features["token_margin_first"] = first
        features["token_entropy_first"] = -math.fsum(p * math.exp(p) for _, p in tokens[0].top)
        features["token_unanswerable"] = _opening(tokens[0])
    return features


def token_margin(token: TokenLogprob) -> float | None:
    """Returns a token's probability less that of the likeliest other one, in [-1, 1]; ``None`` where none is known."""
    others = [logprob for text, logprob in token.top if text != token.token]
    if not others or token.token is None:
        return None
    return math.exp(token.logprob) - math.exp(min(max(others), 0.0))


def _opening(token: TokenLogprob) -> float:
    """Returns the log-probability that this place opens "unanswerable", or the most that is left for it."""
    listed: dict[str | None, float] = {token.token: token.logprob}
    listed.update(token.top)
    opening = math.fsum(math.exp(p) for text, p in listed.items() if text is not None and _opens(text))
    if opening > 0.0:
        return max(math.log(min(opening, 1.0)), _FLOOR)
    left = 1.0 - math.fsum(math.exp(p) for p in listed.values())
    return max(min(math.log(left) if left > 0.0 else _FLOOR, *listed.values()), _FLOOR)


def _opens(text: str) -> bool:
    word = text.strip().strip("\"'").lower()
    return len(word) >= _FEWEST_LETTERS and any(opening.startswith(word) for opening in _OPENINGS)


def _quantile(ordered: Sequence[float], q: float) -> float:
    """Returns the quantile of sorted numbers, interpolated (numpy's default, without its overhead)."""
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
