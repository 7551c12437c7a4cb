"""Token log-probabilities out of a LangChain message's ``response_metadata``, whichever provider wrote them.

LangChain has no common form for them; this is the table of shapes that `token_logprobs` reads:

| where                                        | shape                                              | written by                 |
|----------------------------------------------|----------------------------------------------------|----------------------------|
| ``["logprobs"]["content"]``                  | ``[{token, logprob, top_logprobs: [{token, …}]}]`` | OpenAI's chat completions and the servers that speak it: Azure, vLLM, SGLang, llama.cpp, TGI, Fireworks, LiteLLM |
| ``["logprobs"]``                             | the same list, bare                                | ``ChatOllama``             |
| ``["logprobs_result"]``                      | the same list, bare                                | ``ChatVertexAI`` (≥ 2.0.8) |
| ``["logprobs"]["tokens"]``                   | ``tokens``, ``token_logprobs`` and perhaps ``top_logprobs: [{token: logprob}]``, in parallel | ``ChatTogether``, Fireworks, older vLLM and llama.cpp servers |
| ``["logprobs_result"]["chosen_candidates"]`` | ``[{token, log_probability}]``, and in parallel ``top_candidates: [{candidates: [{…}]}]`` | Google's own form (older ``ChatVertexAI``) |

Anthropic, Bedrock, Mistral, Cohere, ``ChatGoogleGenerativeAI`` and OpenAI's Responses path give none through LangChain.
Google's ``avg_logprobs`` is one number for the whole reply, so it is not read.
"""  # noqa: E501 - a table

import logging
import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from twosup_chain._options import shorten
from twosup_chain._plain import plain
from twosup_chain.errors import InputError
from twosup_chain.schema import TokenLogprob

logger = logging.getLogger(__name__)

_KEYS = ("logprobs", "logprobs_result")
#: Tokens and their log-probabilities; nothing of it checked yet.
Pairs = list[tuple[Any, Any]]
#: A token, its log-probability, and the likeliest tokens at that place; nothing of it checked yet.
Row = tuple[Any, Any, Pairs]


def token_logprobs(metadata: Mapping[str, Any], reply: str = "") -> tuple[TokenLogprob, ...] | None:
    """Returns the log-probabilities of the tokens of a reply, in the order in which they were generated.

    Some servers also list the tokens of a reasoning that the reply does not show, or the end-of-turn token; where
    `reply` can be found among the tokens, only its own are returned.

    Args:
        metadata: A message's ``response_metadata``.
        reply: The text that the user sees, untrimmed; empty to keep every token.

    Returns:
        ``None`` where there are none, where their shape is unknown, or where they are malformed (a number that is no
        log-probability, lists of different lengths, tokens that lack a part of the reply): half a reply is no evidence.
        The reason goes to the debug log.
    """
    try:
        found = {key: plain(metadata[key]) for key in _KEYS if metadata.get(key)}  # some clients give objects
        tokens = [_token_logprob(*row) for row in _rows(found)]
    except (InputError, LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        logger.debug("log-probabilities ignored, they are malformed: %s: %s", type(error).__name__, error)
        return None
    if tokens and not _spelt(reply, tokens):
        logger.debug("log-probabilities ignored, their tokens do not spell the reply")
        return None
    return tuple(_own_tokens(tokens, reply)) or None


def _rows(metadata: Mapping[str, Any]) -> list[Row]:
    """Returns what the metadata holds in any of the known shapes; empty where there is nothing."""
    match metadata:
        case {"logprobs": {"content": [*items]}} | {"logprobs": [*items]} | {"logprobs_result": [*items]}:
            return [(item["token"], item["logprob"], _pairs(item.get("top_logprobs"), "logprob")) for item in items]
        case {"logprobs": {"tokens": [*tokens], "token_logprobs": [*logprobs], **rest}}:
            tops = _parallel(rest.get("top_logprobs"), len(tokens))
            return [(token, p, _pairs(top, "logprob")) for token, p, top in zip(tokens, logprobs, tops, strict=True)]
        case {"logprobs_result": {"chosen_candidates": [*items], **rest}}:
            key = "log_probability"
            tops = [_field(top, "candidates") for top in _parallel(rest.get("top_candidates"), len(items))]
            return [(item["token"], item[key], _pairs(top, key)) for item, top in zip(items, tops, strict=True)]
        case {"logprobs": found} | {"logprobs_result": found} if found:
            logger.debug("log-probabilities ignored, their shape is unknown: %s", shorten(found))
    return []


def _parallel(tops: object, count: int) -> list[Any]:
    """Returns the alternatives of `count` tokens; none, where there are not as many."""
    return tops if isinstance(tops, list) and len(tops) == count else [None] * count


def _pairs(top: object, key: str) -> Pairs:
    """Returns the alternatives at one place, which are a list of records or a dict."""
    if isinstance(top, dict):
        return list(top.items())
    return [(_field(item, "token"), _field(item, key)) for item in top] if isinstance(top, list) else []


def _field(record: object, key: str) -> Any:
    return record.get(key) if isinstance(record, dict) else None


def _token_logprob(token: object, logprob: object, top: Pairs) -> TokenLogprob:
    """Returns a checked row; alternatives that are malformed are left out, since no scorer needs them."""
    if not (isinstance(token, str) and _is_finite(logprob)):
        raise TypeError(f"token={shorten(token)}, logprob={shorten(logprob)}")
    usable = [(text, float(value)) for text, value in top if isinstance(text, str) and _is_finite(value)]
    usable.sort(key=lambda pair: pair[1], reverse=True)
    return TokenLogprob(token=token, logprob=logprob, top=tuple(usable))


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _spelt(reply: str, tokens: Sequence[TokenLogprob]) -> bool:
    """Whether the reply's ASCII letters and digits occur among the tokens, in order.

    No more can be asked: servers write the bytes of other characters, and spaces, in many ways.
    """
    written = iter("".join(token.token or "" for token in tokens))
    return all(char in written for char in reply if char.isascii() and char.isalnum())


def _own_tokens(tokens: Sequence[TokenLogprob], reply: str) -> Sequence[TokenLogprob]:
    """Returns the tokens that spell `reply`, at their last occurrence; all where they cannot be told apart."""
    texts = [token.token or "" for token in tokens]
    joined = "".join(texts)
    wanted = reply.strip()
    if not wanted or joined == reply:
        return tokens
    offset = len(joined)
    for first in reversed(range(len(tokens))):
        offset -= len(texts[first])
        margin = len(texts[first]) - len(texts[first].lstrip())
        if joined.startswith(wanted, offset + margin):
            return _covering(tokens[first:], margin + len(wanted))
    return tokens


def _covering(tokens: Sequence[TokenLogprob], length: int) -> Sequence[TokenLogprob]:
    """Returns the fewest leading tokens whose texts hold `length` characters together."""
    ends = accumulate(len(token.token or "") for token in tokens)
    return tokens[: 1 + next(place for place, end in enumerate(ends) if end >= length)]
