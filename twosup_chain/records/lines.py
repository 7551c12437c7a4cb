"""The lines of records files, with named errors for whatever is no record of this version."""

import json
import math
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from twosup_chain._options import shorten
from twosup_chain._packed import open_file
from twosup_chain.errors import CutOffError, InputError, RecordsError
from twosup_chain.records.question import VERSION, VERSIONS, QuestionRecord

#: How every line starts.
START = b'{"version":'

#: The most bytes that a line may have, by far.
_LONGEST = 64 * 1024 * 1024

#: One path, or several.
Paths = str | Path | list[str | Path] | tuple[str | Path, ...]


@dataclass(frozen=True)
class Part:
    """The whole lines from one byte of a file to another, after so many others."""

    path: Path
    start: int = 0
    end: int | None = None
    lines: int = 0


class Place(NamedTuple):
    """Where a record stands: its file, the number of its line, from 1, and where the line starts, in bytes."""

    path: Path
    number: int
    offset: int

    def __str__(self) -> str:
        return f"{self.path}, line {self.number}"


class Places:
    """The places of many records, in a few bytes each."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._firsts: list[int] = []
        self._numbers = array("q")
        self._offsets = array("q")

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> Place:
        path = self._paths[bisect_right(self._firsts, range(len(self))[index]) - 1]
        return Place(path, self._numbers[index], self._offsets[index])

    def begin(self, path: Path) -> None:
        """Says which file the next places are in."""
        self._paths.append(path)
        self._firsts.append(len(self))

    def append(self, number: int, offset: int) -> None:
        """Adds the place of one more record."""
        self._numbers.append(number)
        self._offsets.append(offset)


def read_records(paths: Paths) -> Iterator[QuestionRecord]:
    """Yields every record of the files, those of failed calls included, in their order, each checked in full."""
    places = Places()
    for entry in read_entries(paths, places):
        yield check_record(entry, places[-1])


def read_record(place: Place) -> QuestionRecord:
    """Returns the whole record that stands there."""
    with open_file(place.path) as file:
        file.seek(place.offset)
        return check_record(orjson.loads(file.readline()), place)


def check_record(entry: dict[str, Any], place: Place) -> QuestionRecord:
    """Returns the fields of a line as a record; the `RecordsError` for none names the line and the field."""
    try:
        return QuestionRecord(**entry)
    except (InputError, TypeError, RecursionError) as error:
        raise RecordsError(f"{place}: {error}") from error


def checked_line(record: QuestionRecord, path: Path) -> bytes:
    """Returns a record as the line of a file, once it has been read back; the `RecordsError` names the field."""
    places = Places()
    places.begin(path)
    places.append(0, 0)
    try:
        line = record.as_line()
    except ValueError as error:
        raise RecordsError(f"{path}: the record of {shorten(record.id)} cannot be written: {error}") from error
    check_record(_entry(line, places), places[0])
    return line


def read_entries(paths: Paths | Part, places: Places) -> Iterator[dict[str, Any]]:
    """Yields the fields of every line as they are; blank lines are passed over.

    `places` receives where each line stands, before it is yielded. `CutOffError`: the last line of a file is half a
    record; `RecordsError`: a file is missing, or a line is no record of this version.
    """
    for part in [paths] if isinstance(paths, Part) else _whole(paths):
        path, offset = part.path, part.start
        places.begin(path)
        try:
            with open_file(path) as file:
                file.seek(offset)
                for number, line in enumerate(iter(lambda: file.readline(_LONGEST), b""), part.lines + 1):
                    if offset == part.end:
                        break
                    if not line.isspace():
                        places.append(number, offset)
                        yield _entry(line, places)
                    offset += len(line)
        except OSError as error:
            raise RecordsError(f"cannot read the records {path}: {error.strerror or error}") from error


def _whole(paths: Paths) -> list[Part]:
    return [Part(Path(path)) for path in ([paths] if isinstance(paths, (str, Path)) else paths)]


def _entry(line: bytes, places: Places) -> dict[str, Any]:
    try:
        entry: dict[str, Any] = orjson.loads(line)
        if entry["version"] in VERSIONS:
            return entry
    except ValueError as error:
        raise _no_json(line, places[-1], error) from error
    except (KeyError, TypeError):
        entry = {}
    place, version = places[-1], entry.get("version")
    if isinstance(version, int) and version > VERSION:
        raise RecordsError(
            f"{place}: a record of version {version}, and this twosup_chain reads version {VERSION} "
            "(a file may mix no others): upgrade it, or leave the record out"
        )
    raise RecordsError(f"{place}: {_shown(line)} is no record of version {VERSION}, as 'twosup collect' writes it")


def _shown(line: bytes) -> str:
    return shorten(line.decode(errors="replace"))


def _no_json(line: bytes, place: Place, error: ValueError) -> RecordsError:
    try:
        name, value = _not_finite(json.loads(line))
    except (ValueError, RecursionError):
        name, value = "", 0.0
    if name:
        return RecordsError(f"{place}: {name} is {value}, which is no number: collect this question anew")
    if len(line) == _LONGEST:
        return RecordsError(f"{place}: a line of more than {_LONGEST // 1024**2} MB is no record")
    if line.endswith(b"\n") or not START.startswith(line[: len(START)]):
        return RecordsError(f"{place}: {_shown(line)} is no record: {error}")
    return CutOffError(
        f"{place}, the last, is cut off, as a crash leaves it: collecting again into this file drops it and goes on "
        "from there; or delete the line",
        place.offset,
    )


def _not_finite(value: Any, name: str = "") -> tuple[str, float]:
    """Returns the dotted name of the first number that is not finite, and the number; the name is empty for none."""
    if isinstance(value, float):
        return ("", value) if math.isfinite(value) else (name, value)
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    found = (_not_finite(item, f"{name}.{key}".lstrip(".")) for key, item in items)
    return next(filter(lambda pair: pair[0], found), ("", 0.0))
