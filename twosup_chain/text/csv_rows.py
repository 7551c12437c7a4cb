"""Labelled questions in a table: a file of comma, semicolon or tab separated values, as spreadsheets write them."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twosup_chain._options import shorten
from twosup_chain._packed import MOST_BYTES
from twosup_chain.errors import InputError

#: How the names of such files end, packed or not.
ENDINGS = (".csv", ".tsv")
_OWN = ("id", "question", "context", "title", "is_impossible")
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def is_csv(path: Path) -> bool:
    """Returns whether a file is a table, by its name."""
    return path.name.lower().removesuffix(".gz").endswith(ENDINGS)


def csv_rows(raw: bytes, path: Path, *, labelled: bool = True) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the line and the fields of every row of a table, as a JSON line would have them.

    The first line names the columns. The cell of `answers` (or `answer`) is one accepted answer as it is written, or a
    JSON list of several; empty, there is no answer. With the columns `text` and `label` it holds decisions, an empty
    label saying that no option is right. What other columns hold is metadata. If not `labelled`, questions need no
    answers.

    Raises:
        InputError: The file is no UTF-8, a column is missing, or a row has more cells than the first line.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}): save it as UTF-8") from error
    csv.field_size_limit(min(MOST_BYTES, 2**31 - 1))
    header = text.lstrip("\r\n").partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=max("\t;,", key=header.count), restkey="")
    names = [name.strip() for name in rows.fieldnames or ()]
    known = {*names, "answers"} if "answer" in names else {*names}
    decides = labelled and {"text", "label"} <= known
    wanted = () if decides else ("question", "context", "answers")[: 3 if labelled else 2]
    if missing := [name for name in wanted if name not in known]:
        has = ", ".join(map(shorten, names))
        raise InputError(f"{path} has the columns {has} and lacks {', '.join(missing)}: name them in its first line")
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise InputError(f"{path} has the column {shorten(twice[0])} twice: name each once")
    rows.fieldnames = names
    try:
        for row in rows:
            if "" in row and any(row.pop("")):
                raise InputError(f"{path}, line {rows.line_num}: it has more cells than the first line names columns")
            yield rows.line_num, _decision(row) if decides else _fields(row)
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num}: {error}") from error


def _decision(row: dict[str, str | None]) -> dict[str, Any]:
    cells = {name: cell for name, cell in row.items() if name and cell is not None}
    fields: dict[str, Any] = {name: cells.pop(name) for name in ("id", "text") if name in cells}
    label = cells.pop("label", "").strip() or None
    return fields | {"label": label, "metadata": {name: cell for name, cell in cells.items() if cell.strip()}}


def _fields(row: dict[str, str | None]) -> dict[str, Any]:
    cells = {name: cell for name, cell in row.items() if name and cell is not None}
    answers = (cells.pop("answers", "") or cells.pop("answer", "")).strip()
    cells.pop("answer", None)
    fields: dict[str, Any] = {name: cells.pop(name) for name in _OWN if name in cells}
    if (marked := fields.pop("is_impossible", "").strip().lower()) in _TRUTH:
        fields["is_impossible"] = _TRUTH[marked]
    metadata = {name: cell for name, cell in cells.items() if cell.strip()}
    return fields | {"answers": _answers(answers), "metadata": metadata}


def _answers(cell: str) -> list[Any]:
    if cell.startswith("[") and cell.endswith("]"):
        try:
            listed = json.loads(cell)
        except ValueError:
            return [cell]
        return listed if isinstance(listed, list) else [cell]
    return [cell] if cell else []
