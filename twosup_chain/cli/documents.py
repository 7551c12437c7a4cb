"""The context of a question: files, or what is piped in."""

import errno
import sys
from collections.abc import Sequence
from pathlib import Path

from twosup_chain.cli.console import clean, note
from twosup_chain.errors import InputError

STDIN = "-"
#: The most bytes of one document: beyond this it is a mistake (a disk image, ``/dev/zero``), not a text.
MOST_BYTES = 64 * 1024 * 1024


def read_documents(names: Sequence[str]) -> list[str]:
    """Returns the text of each file or, for ``"-"``, standard input; bytes that are no UTF-8 are replaced and noted."""
    if list(names).count(STDIN) > 1:
        raise InputError("--context - was given twice: standard input can be read only once")
    return [_read(name) for name in names]


def _read(name: str) -> str:
    shown = "standard input" if name == STDIN else clean(name)
    try:
        if name == STDIN:
            if sys.stdin is None:
                raise ValueError("it is closed")  # noqa: TRY301 - said below, as whatever else cannot be read
            if sys.stdin.isatty():
                note("reading the context from the terminal; end it with Ctrl-D on a line of its own")
            raw = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"--context: cannot read {shown}: {_why(error)}") from error
    if len(raw) > MOST_BYTES:
        raise InputError(f"--context: {shown} is larger than {MOST_BYTES // 1024**2} MB: pass the part that matters")
    if b"\0" in raw:
        place = raw.index(b"\0")
        raise InputError(
            f"--context: {shown} is not plain text (a zero byte at offset {place}): convert it to UTF-8 text first"
        )
    text = raw.decode("utf-8-sig", errors="replace")
    if not text.strip():
        raise InputError(f"--context: {shown} is empty: pass the text that the answer must come from")
    if "\N{REPLACEMENT CHARACTER}" in text and "\N{REPLACEMENT CHARACTER}".encode() not in raw:
        note(f"{shown} is not valid UTF-8: what could not be read was replaced by \N{REPLACEMENT CHARACTER}")
    return text


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        reasons = {errno.ENOENT: "there is no such file", errno.EISDIR: "it is a directory, pass its files one by one"}
        return reasons.get(error.errno or 0, error.strerror or str(error))
    return str(error)
