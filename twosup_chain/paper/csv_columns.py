"""A CSV file as named columns of text, plain or gzipped, with errors that say where it cannot be read."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from twosup_chain._options import shorten
from twosup_chain._packed import read_packed
from twosup_chain.errors import InputError

_FLAGS = dict.fromkeys(("true", "1", "1.0", "yes"), True) | dict.fromkeys(("false", "0", "0.0", "no"), False)


class CsvColumns:
    """The columns of a CSV file in UTF-8 with a header line; that it is gzipped its content tells."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            rows = [tuple(row) for row in csv.reader(io.StringIO(self._text(), newline=""), strict=True) if row]
        except csv.Error as error:
            raise InputError(f"{self.path} is no CSV file: {error}") from error
        if not rows:
            raise InputError(f"{self.path} is empty: a header line with the names of the columns is needed")
        self.header, *cells = rows
        for number, row in enumerate(cells, 1):
            if len(row) != len(self.header):
                raise InputError(
                    f"{self.path}, row {number}: {len(row)} fields, but the header has {len(self.header)}: "
                    "is the file cut off?"
                )
        self._cells = dict(zip(self.header, zip(*cells, strict=True), strict=False)) if cells else {}
        self.rows = len(cells)

    @property
    def names(self) -> str:
        """The names of the columns, for error messages."""
        return ", ".join(name or "''" for name in self.header)

    def texts(self, name: str) -> Sequence[str]:
        """Returns a column as it stands in the file."""
        if self.header.count(name) != 1:
            times = "no column" if name not in self.header else f"{self.header.count(name)} columns"
            raise InputError(f"{self.path} has {times} {name!r}; it has: {self.names}")
        return self._cells.get(name, ())

    def numbers(self, name: str, *, blank: float | None = None) -> npt.NDArray[np.float64]:
        """Returns a column as finite numbers, shape (rows,); an empty field and "nan" are `blank`, or else an error."""
        texts = self.texts(name)
        try:
            values = np.array(texts, dtype=np.float64)
        except ValueError:
            values = np.array([_number(text) for text in texts])
        good = np.isfinite(values)
        if blank is not None and not good.all():
            empty = np.array([text.strip().lower() in ("", "nan") for text in texts])
            values, good = np.where(empty, blank, values), good | empty
        self._check(name, good, "a finite number")
        return values

    def flags(self, name: str) -> npt.NDArray[np.bool_]:
        """Returns a column of True and False (or 1 and 0, yes and no), shape (rows,)."""
        found = [_FLAGS.get(text.strip().lower()) for text in self.texts(name)]
        self._check(name, np.array([flag is not None for flag in found], dtype=np.bool_), "True or False")
        return np.array(found, dtype=np.bool_)

    def _check(self, name: str, good: npt.NDArray[np.bool_], wanted: str) -> None:
        wrong = np.flatnonzero(~good)
        if wrong.size:
            raise InputError(
                f"{self.path}, row {wrong[0] + 1}: {name}={shorten(self.texts(name)[wrong[0]])} is not {wanted} "
                f"({wrong.size} of {len(good)} rows): mend or leave out such rows in both files"
            )

    def _text(self) -> str:
        try:
            return read_packed(self.path).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(f"{self.path} is no CSV file in UTF-8: {error}") from error


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
