"""Files that are read: only real ones, up to a size, packed or not, so that none can hang or exhaust the process."""

import errno
import gzip
import io
import os
import stat
import zlib
from pathlib import Path
from typing import BinaryIO

from twosup_chain.errors import InputError

_GZIP = b"\x1f\x8b"
_MEGABYTE = 1024 * 1024
#: The most bytes of a file that is read whole, and of what is packed in one.
MOST_BYTES = 512 * _MEGABYTE


def open_file(path: Path) -> BinaryIO:
    """Returns a file, open for reading; a pipe, which might never send anything, or a device is an OSError."""
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))  # noqa: SIM115
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "it is a pipe or a device, and has to be a file", str(path))


def read_file(path: Path, most: int = MOST_BYTES) -> bytes:
    """Returns the bytes of a file, of which there may be so many; else raises an OSError."""
    with open_file(path) as file:
        return _at_most(file, most)


def read_packed(path: Path, most: int = MOST_BYTES) -> bytes:
    """Returns the bytes of a file, unpacked where they are gzipped; `InputError` where there is no reading it."""
    try:
        raw = read_file(path, most)
        return _at_most(gzip.GzipFile(fileobj=io.BytesIO(raw)), most) if raw.startswith(_GZIP) else raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is a damaged archive: {error}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _at_most(file: BinaryIO | gzip.GzipFile, most: int) -> bytes:
    try:
        raw = file.read(most + 1)
    except MemoryError:
        raise OSError(errno.ENOMEM, "it is larger than the memory that there is") from None
    if len(raw) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most // _MEGABYTE} MB")
    return raw
