"""Files that are replaced, and lines that are appended, whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import threading
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Writes a text file in UTF-8; whatever was there stays until the new one is whole.

    Raises:
        OSError: It cannot be written.
    """
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=f".{path.name}.", delete=False, encoding="utf-8"
    ) as draft:
        try:
            draft.write(text)
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).chmod(_usual_mode(path))
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise


def append_line(descriptor: int, line: bytes, path: Path) -> None:
    """Appends a line to a file; what can be written of it only in part is taken back.

    Args:
        descriptor: The file, open for appending.
        line: The line, with the character that ends it.
        path: Where the file is, for the error.

    Raises:
        OSError: It cannot be written whole, and so was not written at all.
    """
    end = os.lseek(descriptor, 0, os.SEEK_END)
    written = 0
    try:
        written = os.write(descriptor, line)
    finally:
        if written != len(line):
            os.ftruncate(descriptor, end)
    if written != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _usual_mode(path: Path) -> int:
    """Returns the mode of the file that is replaced; of a new one what the process's umask leaves of 0666."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        pass
    probe = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.mode")
    descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)  # asking for the umask would change it
    try:
        return stat.S_IMODE(os.fstat(descriptor).st_mode)
    finally:
        os.close(descriptor)
        probe.unlink()
