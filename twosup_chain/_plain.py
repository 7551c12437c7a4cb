"""Values of any type as JSON holds them: what others put into metadata must be writable, whoever wrote it."""

import math
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, time
from enum import Enum
from typing import Any

from pydantic import BaseModel

#: Deeper than this nothing is looked into.
_DEEPEST = 20


def plain(value: Any, _within: tuple[int, ...] = ()) -> Any:
    """Returns a value as JSON holds it: ``None``, truth values, numbers, texts, lists and dicts of these.

    Numbers of other libraries become numbers, arrays and sets lists, dates ISO texts, and objects that are none of
    these the text that they show. A number that is not finite, which JSON lacks, becomes ``None``; a lone surrogate
    U+FFFD; and what holds itself is shown as text there.
    """
    for kind, written in _WRITTEN:
        if isinstance(value, kind):
            return written(value)
    if id(value) in _within or len(_within) >= _DEEPEST:
        return _shown(value)
    within = (*_within, id(value))
    if isinstance(value, Mapping) or issubclass(type(value), BaseModel):  # older pydantics look into what is no model
        return {_key(key): plain(item, within) for key, item in dict(value).items()}
    if isinstance(value, (list, tuple, AbstractSet)):
        return [plain(item, within) for item in value]
    try:
        inner = value.tolist()  # numbers and arrays of NumPy, torch, pandas, JAX
    except Exception:  # noqa: BLE001 (whatever a foreign object does when it is asked)
        return _shown(value)
    return plain(inner, within)


def scalar_text(text: str) -> str:
    """Returns the text with every lone surrogate, which no encoder takes, replaced by U+FFFD, one for one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text


def _key(key: object) -> str:
    return scalar_text(key) if isinstance(key, str) else _shown(key)


def _shown(value: object) -> str:
    try:
        return scalar_text(str(value))
    except Exception:  # noqa: BLE001 (a foreign object)
        return f"<{type(value).__name__}>"


#: How values are written that hold no others; the first kind that fits counts.
_WRITTEN: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (Enum, lambda value: plain(value.value)),
    ((type(None), bool), lambda value: value),
    (str, lambda value: scalar_text(str.__str__(value))),
    (int, int),
    (float, lambda value: float(value) if math.isfinite(value) else None),
    ((date, time), lambda value: value.isoformat()),
    ((bytes, bytearray), lambda value: value.decode(errors="replace")),
)
