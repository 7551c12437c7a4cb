"""Files that are replaced, and lines that are appended, whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from twosup_chain.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def write_atomically(path: Path, text: str) -> None:
    """Writes a text file in UTF-8; whatever was there stays until the new one is whole.

    Raises:
        OSError: It cannot be written.
    """
    with _draft(path, text) as draft:
        draft.replace(path)


def write_folder(folder: str | Path, texts: Mapping[str, str]) -> None:
    """Writes text files, by name, into a folder, which is made if need be; what was there stays until all are whole.

    Raises:
        InputError: They cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as drafts:
            written = {name: drafts.enter_context(_draft(folder / name, text)) for name, text in texts.items()}
            for name, draft in written.items():
                draft.replace(folder / name)
    except OSError as error:
        message = f"cannot write to {folder}: {error.strerror or error}"
        raise InputError(message) from error


@contextmanager
def _draft(path: Path, text: str) -> Iterator[Path]:
    """Gives a file beside the path that holds the text and has the path's mode; afterwards it is gone, unless moved."""
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=f".{path.name}.", delete=False, encoding="utf-8"
    ) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(_usual_mode(path))
            yield Path(file.name)
        finally:
            Path(file.name).unlink(missing_ok=True)


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
