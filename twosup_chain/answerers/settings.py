"""How a model is asked: what of its options decides what it answers, as values that a file can keep."""

import hashlib
import json
import warnings
from collections.abc import Iterator
from typing import Any

from langchain_core.prompts.chat import BaseChatPromptTemplate
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from twosup_chain._options import Options, Record
from twosup_chain._processor import processor
from twosup_chain.errors import ProcessorWarning

#: Options of a model by name; long ones by a digest.
Settings = dict[str, bool | int | float | str]

#: What of a foreign chat model, or of a binding, decides its answers.
_SAMPLING = frozenset(
    (
        *("temperature", "top_p", "top_k", "seed", "n", "stop", "stop_sequences", "response_format", "verbosity"),
        *("max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict", "num_ctx", "repeat_penalty"),
        *("logprobs", "top_logprobs", "presence_penalty", "frequency_penalty"),
        *("reasoning", "reasoning_effort", "thinking", "thinking_budget"),
    )
)
#: Options of this package's own that do not: where a model is, and how it is run.
_RUNNING = frozenset({"name", "model", "model_path", "num_threads", "n_threads", "deadline", "cache", "model_kwargs"})
_LONGEST = 80
#: The kind of processor, where a model's scores differ by it: a warning tells of it, and it refuses nothing.
_PROCESSOR = "processor"
#: What stands in a message for an option that was left alone.
_DEFAULT = "the default"


def settings_of(part: object) -> Settings:
    """Returns what of the options of an answerer, and of the model in it, is not the default, by name."""
    found = {name: _short(value) for name, value in _found(part) if value is not None}
    return found | {_PROCESSOR: processor()} if getattr(part, "varies_by_processor", False) else found


def warn_of_processor(before: Settings | None, now: Settings | None, role: str) -> None:
    """Warns where a model's scores differ by the processor, and another kind gave those before."""
    kinds = [(settings or {}).get(_PROCESSOR, "unknown") for settings in (before, now)]
    if "unknown" not in kinds and kinds[0] != kinds[1]:
        warnings.warn(
            f"the {role} model's int8 scores differ between kinds of processor: the calibration was made on "
            f"{kinds[0]!r}, and this is {kinds[1]!r}; calibrate on the kind that it runs on, or export the model anew",
            ProcessorWarning,
            stacklevel=2,
        )


def difference(before: Settings | None, now: Settings | None, role: str) -> str | None:
    """Returns in words how a model is asked otherwise than before; ``None`` where it is not, or nobody can tell."""
    if before is None or now is None:
        return None
    for name in sorted({*before, *now} - {_PROCESSOR}):
        old, new = before.get(name, _DEFAULT), now.get(name, _DEFAULT)
        if old != new:
            return f"{name}={old!r} of the {role} model, not {new!r}"
    return None


def _found(part: object) -> Iterator[tuple[str, Any]]:
    for bag in ("_model_kwargs", "kwargs", "model_kwargs"):  # of a model by name, of a binding, of a model itself
        given = getattr(part, bag, None)
        yield from ((name, value) for name, value in dict(given or {}).items() if name in _SAMPLING)
    for name, field in type(part).model_fields.items() if isinstance(part, BaseModel) else ():
        value = getattr(part, name)
        default = field.get_default(call_default_factory=True, validated_data=vars(part))
        if isinstance(value, BaseChatPromptTemplate):
            yield name, value.pretty_repr()
        elif isinstance(value, Runnable):
            yield from _found(value)
        elif name in _SAMPLING or (isinstance(part, Options) and name not in _RUNNING and _is_plain(value)):
            yield from [(name, value)] if value != default else []


def _short(value: Any) -> bool | int | float | str:
    """Returns a number or a short text itself, and of anything else a digest."""
    if isinstance(value, (bool, int, float)):
        return value
    text = value if isinstance(value, str) else json.dumps(value, default=_plain, sort_keys=True)
    return text if len(text) <= _LONGEST else f"{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]}…"


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int, float)) or (isinstance(value, tuple) and all(map(_is_plain_item, value)))


def _is_plain_item(value: object) -> bool:
    return isinstance(value, (str, int, float, Record))


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, Record) else type(value).__name__
