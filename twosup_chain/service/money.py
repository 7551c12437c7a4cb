"""What questions cost: what was spent, what always asking the hosted model would have cost, and bounds beforehand.

Tokens that a provider does not report are estimated, and said to be: no more than one a byte, since the tokenizers of
hosted models never make more.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from twosup_chain.chat._draft import Turn
from twosup_chain.outcomes.price import Price
from twosup_chain.schema import Answer, QAInput, TwoSupervisorResult
from twosup_chain.service.size import UnboundedError, most_tokens

#: What a prompt adds to the texts that are asked about, in tokens: instructions, examples, roles. It is a bound.
PROMPT_TOKENS = 4_000
#: How many tokens an image is taken for where nobody reports them: gpt-4o's most (85, and 170 for each of 8 tiles).
_IMAGE = 1_445
#: The errors of calls that were left behind, and may have been worked on.
_LEFT = re.compile(r"\w*(Timeout|Deadline)\w*:")
#: How many bytes of ordinary text a token has, at least; for what was never sent.
_BYTES_A_TOKEN = 4


class Bill(NamedTuple):
    """What a question cost, in currency; `estimated`: a provider did not report its tokens.

    `always_remote` is no money spent: what it would have cost to ask the hosted model, which is an estimate on the low
    side where it was not asked.
    """

    cost: float
    always_remote: float
    currency: str
    estimated: bool


def bound(
    asked: QAInput, price: Price, max_tokens: int, *, prompt: int = PROMPT_TOKENS, image: int | None = None
) -> float:
    """Returns the most that a call can cost, in currency, whose reply has at most `max_tokens`.

    A call that says of itself how long its reply may be, or how many it wants (``n``), is bounded by that.

    Args:
        asked: What is asked, with all that is sent.
        price: What the model's tokens cost, and how many there may be, where that is known.
        max_tokens: The most tokens that a reply has.
        prompt: The most that the prompt adds to what is asked, in tokens.
        image: The most tokens that an image has; ``None``: nobody knows.

    Raises:
        UnboundedError: Nobody knows how many tokens a part of what is asked has.
    """
    options = asked.called_with if isinstance(asked, Turn) else {}
    longest = min(max_tokens, price.max_tokens or max_tokens)
    told = options.get("max_completion_tokens") or options.get("max_tokens")
    if told is not None:
        longest = min(int(told), price.max_tokens or int(told))
    read = most_tokens(asked, image_tokens=image) + prompt
    return price.of(float(min(read, price.context or read)), float(longest * int(options.get("n") or 1)))


def cost_of(asked: QAInput, answer: Answer, price: Price) -> tuple[float, bool]:
    """Returns what an answer cost, and whether that is an estimate: a bound of its texts, images of a usual size."""
    if answer.usage is not None:
        return price.of_usage(answer.usage), False
    try:
        read = most_tokens(asked, image_tokens=_IMAGE)
    except UnboundedError:
        read = _bytes(*asked.texts)
    return price.of(float(read + PROMPT_TOKENS), float(_bytes(answer.text or ""))), True


def bill(asked: QAInput, result: TwoSupervisorResult, price: Price) -> Bill:
    """Returns what a question cost.

    Tokens that the local model did not spend are the hosted model's: those of a reply that was none, too, and those of
    a fallback that reports any.
    """
    if result.remote is not None and result.remote.usage is None:
        spent, estimated = cost_of(asked, result.remote, price)
    elif result.remote is None and _LEFT.match(result.error or ""):
        spent, estimated = cost_of(asked, Answer(None), price)  # what was sent, at least, may be charged for
    else:
        local = result.local.usage if result.local is not None else None
        read, written = (_count(result.usage, name) - _count(local, name) for name in ("input_tokens", "output_tokens"))
        spent, estimated = price.of(float(max(read, 0)), float(max(written, 0))), False
    if result.remote is not None:
        return Bill(spent, spent, price.currency, estimated)
    said = "" if result.local is None else result.local.text or ""
    tokens = (float(_bytes(text) // _BYTES_A_TOKEN) for text in ("".join(asked.texts), said))
    return Bill(spent, max(spent, price.of(*tokens)), price.currency, estimated)


def _bytes(*texts: str) -> int:
    return sum(len(text.encode()) for text in texts)


def _count(usage: Mapping[str, object] | None, name: str) -> int:
    found = (usage or {}).get(name, 0)
    return found if isinstance(found, int) else 0
