"""The context of a question: files and folders of them, or what is piped in; `formats` knows how their text is had."""

import errno
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from twosup_chain.cli.console import clean, note
from twosup_chain.cli.formats import FORMATS, plain_text
from twosup_chain.errors import InputError

STDIN = "-"
#: The most bytes of one document: beyond this it is a mistake (a disk image, ``/dev/zero``), not a text.
MOST_BYTES = 64 * 1024 * 1024
#: The most files of a folder that are read: beyond this a retriever should choose.
MOST_FILES = 200


class Read(NamedTuple):
    """A document: what it is called, and its text."""

    name: str
    text: str


def read_documents(names: Sequence[str]) -> list[Read]:
    """Returns the document in each file, in each file of a folder, and of standard input for ``"-"``.

    A folder is read with those below it, in the order of names; hidden files, and what is no text, are passed over, and
    that is noted.
    """
    if list(names).count(STDIN) > 1:
        raise InputError("--context - was given twice: standard input can be read only once")
    return [document for name in names for document in _read_all(name)]


def _read_all(name: str) -> Iterator[Read]:
    if name == STDIN:
        yield Read("standard input", _text("standard input", _piped(), ""))
    elif "\0" not in name and Path(name).is_dir():
        yield from _folder(Path(name))
    else:
        yield _file(Path(name))


def _folder(folder: Path) -> Iterator[Read]:
    files = (path for path in folder.rglob("*") if path.is_file() and not _hidden(path.relative_to(folder)))
    found = list(islice(files, MOST_FILES + 1))
    if len(found) > MOST_FILES:
        raise InputError(f"--context: {clean(str(folder))} holds more than {MOST_FILES} files: name some of them")
    passed, any_read = [], False
    for path in sorted(found):
        name = path.relative_to(folder).as_posix()
        try:
            document = _file(path)
        except InputError:
            passed.append(clean(name))
            continue
        any_read = True
        yield Read(name, document.text)
    if not any_read:
        raise InputError(
            f"--context: {clean(str(folder))} holds no text: pass a folder with {', '.join(FORMATS)} or text"
        )
    if passed:
        note(f"{clean(str(folder))}: no text in {', '.join(passed)}")


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _file(path: Path) -> Read:
    shown = clean(str(path))
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(shown, error) from error
    return Read(path.name, _text(shown, raw, path.suffix.lower()))


def _piped() -> bytes:
    try:
        if sys.stdin is None:
            raise ValueError("it is closed")  # noqa: TRY301 - said below, as whatever else cannot be read
        if sys.stdin.isatty():
            note("reading the context from the terminal; end it with Ctrl-D on a line of its own")
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable("standard input", error) from error


def _text(shown: str, raw: bytes, suffix: str) -> str:
    if len(raw) > MOST_BYTES:
        raise InputError(f"--context: {shown} is larger than {MOST_BYTES // 1024**2} MB: pass the part that matters")
    text, remark = FORMATS.get(suffix, plain_text)(raw, shown)
    if not text.strip():
        raise InputError(f"--context: {shown} is empty: pass the text that the answer must come from")
    if remark:
        note(remark)
    return text


def _unreadable(shown: str, error: OSError | ValueError) -> InputError:
    why = str(error)
    if isinstance(error, OSError):
        why = "there is no such file" if error.errno == errno.ENOENT else error.strerror or why
    return InputError(f"--context: cannot read {shown}: {why}")
