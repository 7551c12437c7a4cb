"""Files of data, packed or not: their content tells, not their name."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

from twosup_chain.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_GZIP = b"\x1f\x8b"


def read_packed(path: Path) -> bytes:
    """Returns the bytes of a file, unpacked where they are gzipped; `InputError` where it cannot be read."""
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if raw.startswith(_GZIP) else raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is a damaged archive: {error}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
