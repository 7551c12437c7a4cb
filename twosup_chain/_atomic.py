"""Files that are replaced, and lines that are appended, whole or not at all."""

import errno
import os
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from twosup_chain.errors import InputError


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes a file, text in UTF-8; whatever was there stays until the new one is whole.

    Links are followed. A pipe, a device and a descriptor (``/dev/stdout``) are written to, and never replaced.
    """
    with _draft(path, content) as put:
        put()


def write_folder(folder: str | Path, contents: Mapping[str, str | bytes]) -> None:
    """Writes files, by name, into a folder, which is made if need be; what was there stays until all are whole."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as drafts:
            for put in [drafts.enter_context(_draft(folder / name, content)) for name, content in contents.items()]:
                put()
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror or error}") from error


@contextmanager
def _draft(path: Path, content: str | bytes) -> Iterator[Callable[[], object]]:
    """Writes a file beside the one that the path leads to, in its mode, and gives what puts it into its place."""
    raw = content.encode() if isinstance(content, str) else content
    if _is_written_through(path):
        yield partial(_write_through, path, raw)
        return
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name[:100]}.", delete=False) as file:
        draft = Path(file.name)
        try:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
            draft.chmod(_usual_mode(path))
            yield partial(draft.replace, path)
        finally:
            draft.unlink(missing_ok=True)


def _is_written_through(path: Path) -> bool:
    """Whether a path leads to something that is no file of its own: a pipe, a device, a descriptor of a process."""
    if path.exists() and not path.is_file() and not path.is_dir():
        return True
    link = os.readlink(path) if path.is_symlink() else ""  # noqa: PTH115 - a Path would lose nothing, and say less
    return link.startswith("/proc/") or os.path.realpath(path.parent).startswith("/proc/")


def _write_through(path: Path, raw: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_APPEND), "wb", buffering=0) as file:  # noqa: PTH123 - never created
        while raw:
            raw = raw[file.write(raw) :]


def append_line(descriptor: int, line: bytes, path: Path) -> None:
    """Appends a line to a file; what can be written of it only in part is taken back."""
    end = written = 0
    with suppress(OSError):  # a pipe has no end
        end = os.lseek(descriptor, 0, os.SEEK_END)
    try:
        written = os.write(descriptor, line)
    finally:
        if written != len(line):
            with suppress(OSError):  # a device or a pipe has no length
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
