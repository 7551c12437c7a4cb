"""A file that holds one JSON document, read and written with the error of its kind."""

import json
from pathlib import Path
from typing import Any

from twosup_chain._atomic import write_atomically
from twosup_chain._packed import read_file
from twosup_chain.errors import TwosupError

#: The most bytes of such a file.
_MOST_BYTES = 64 * 1024 * 1024


def read_json(path: Path, error: type[TwosupError]) -> Any:
    """Returns what a file in UTF-8 holds; `error` is raised where it is missing, or not JSON."""
    try:
        return parse_json(read_file(path, _MOST_BYTES))
    except OSError as cause:
        raise error(f"cannot read {path}: {cause.strerror or cause}") from cause
    except ValueError as cause:
        raise error(f"{path} is not JSON, or cut off: {cause}") from cause


def parse_json(raw: bytes | str) -> Any:
    """Returns what a JSON document holds; a number that is not finite and endless nesting are a ValueError too."""
    try:
        return json.loads(raw, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except MemoryError:
        raise ValueError("it is larger than the memory that there is") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def write_json(path: Path, values: object, error: type[TwosupError], *, indent: int | None = None) -> None:
    """Writes finite values to a file in UTF-8, which is replaced at once or not at all; else raises `error`."""
    try:
        text = json.dumps(values, indent=indent, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomically(path, text.encode(errors="backslashreplace"))  # a lone surrogate becomes JSON's own escape
    except OSError as cause:
        raise error(f"cannot write {path}: {cause.strerror or cause}") from cause
