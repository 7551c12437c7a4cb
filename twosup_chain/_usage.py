"""What a call cost: whatever a provider tells of it becomes counts that can be added, written down and read again.

A count is a whole number from 0 below 2⁶³. What is none (``None``, NaN, a negative or gigantic number, an object) is
left out, a fraction is cut off, and what a provider adds to the details stays as far as it is a count. Nothing here
raises: an odd account must not cost an answer that was paid for.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, cast

from langchain_core.messages.ai import UsageMetadata
from pydantic import BeforeValidator, PlainSerializer, PlainValidator, WithJsonSchema

#: Counts are below this, as 64 bits hold them.
_LIMIT = 2**63
#: What OpenAI's own format calls the counts, where nobody has put them into LangChain's terms.
_ALSO = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}
_DETAILS = ("input_token_details", "output_token_details")


def clean_usage(value: object) -> UsageMetadata | None:
    """Returns the tokens that a call cost in LangChain's terms; ``None`` where no count can be read."""
    if not isinstance(value, Mapping):
        return None
    counts = _counts(value)
    read, written = (counts.get(name, counts.get(also)) for name, also in _ALSO.items())
    total = counts.get("total_tokens")
    if read is None and written is None and total is None:
        return None
    read, written = read or 0, written or 0
    if total is None:
        total = min(read + written, _LIMIT - 1)
    usage: dict[str, Any] = {"input_tokens": read, "output_tokens": written, "total_tokens": total}
    for name in _DETAILS:
        if isinstance(value.get(name), Mapping):
            usage[name] = _counts(value[name])
    return cast("UsageMetadata", usage)


def summed(usages: list[UsageMetadata]) -> UsageMetadata | None:
    """Returns the tokens of several calls together; ``None`` where there is none."""
    if not usages:
        return None
    total: dict[str, Any] = _sum([dict(usage) for usage in usages])
    return cast("UsageMetadata", total)


def _sum(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the sums of the counts by name, a nested record's within it."""
    found: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if isinstance(value, Mapping):
                found[name] = _sum([found.get(name, {}), dict(value)])
            else:
                found[name] = min(found.get(name, 0) + value, _LIMIT - 1)
    return found


def _counts(record: Mapping[Any, Any]) -> dict[str, int]:
    """Returns what a record holds of counts by name."""
    counts = {name: _count(value) for name, value in record.items() if isinstance(name, str)}
    return {name: count for name, count in counts.items() if count is not None}


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not hasattr(value, "__int__"):
        return None
    try:
        count = int(cast("Any", value))
    except (TypeError, ValueError, ArithmeticError):
        return None
    return count if 0 <= count < _LIMIT else None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return None
    try:
        seconds = float(cast("Any", value))
    except (TypeError, ValueError, ArithmeticError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0.0 else None


#: A record's field of tokens.
Usage = Annotated[
    UsageMetadata | None,
    PlainValidator(clean_usage),
    PlainSerializer(lambda usage: usage),
    WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "null"}]}),
]
#: A record's field of wall time, in seconds; ``None`` where nobody knows.
Seconds = Annotated[float | None, BeforeValidator(_seconds)]
