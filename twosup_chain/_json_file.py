"""A file that holds one JSON document, read and written with the error of its kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from twosup_chain._atomic import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from twosup_chain.errors import TwosupError


def read_json(path: Path, error: type[TwosupError]) -> Any:
    """Returns what a file in UTF-8 holds; `error` is raised where it is missing, or not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as cause:
        raise error(f"cannot read {path}: {cause.strerror or cause}") from cause
    except (ValueError, RecursionError) as cause:
        raise error(f"{path} is not JSON, or cut off: {cause}") from cause


def write_json(path: Path, values: object, error: type[TwosupError], *, indent: int | None = None) -> None:
    """Writes finite values to a file in UTF-8, which is replaced at once or not at all; else raises `error`."""
    try:
        write_atomically(path, json.dumps(values, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")
    except OSError as cause:
        raise error(f"cannot write {path}: {cause.strerror or cause}") from cause
