"""A table's cells as a person reads them: each value with its row's label and its column's head before it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twosup_chain.text.layout import CELL_END

_VALUE = re.compile(r"\W*\d")
_LETTER = re.compile(r"[^\W\d_]")
_YEAR = re.compile(r"(?:19|20)\d\d")
_RULE = re.compile(r"[\s|:=+-]*[-=][\s|:=+-]*")
#: Labels and heads that are longer together, in characters, are sentences.
_LONGEST = 80


class Headed(NamedTuple):
    """A text with heads in it; its own characters keep their order."""

    text: str
    places: NDArray[np.int64]  # where each character stands in the original, or which one it stands before; (n + 1,)
    added: NDArray[np.bool_]  # whether it is none of the original's; shape (n,)


class _Cell(NamedTuple):
    text: str
    start: int  # in the text, of its first character that is no space


def headed(text: str) -> Headed | None:
    """Returns the text with "label, head: " before each value of its tables; ``None`` where it has none.

    A table is lines of equally many cells, which ``|`` or tabs part; its first line has the heads. A line's label is
    its first cell with a letter.
    """
    if "|" not in text and "\t" not in text:
        return None
    found = list(_heads(text))
    if not found:
        return None
    parts, places, at = list[str](), list[NDArray[np.int64]](), 0
    for place, head in [*found, (len(text), "")]:
        parts += (text[at:place], head)
        places += (np.arange(at, place), np.full(len(head), place))
        at = place
    added = np.concatenate([np.full(len(part), bool(i % 2)) for i, part in enumerate(parts)])
    return Headed("".join(parts), np.concatenate([*places, [len(text)]]).astype(np.int64), added)


def _heads(text: str) -> Iterator[tuple[int, str]]:
    """Yields what is put in, with its place."""
    heads: list[_Cell] = []
    at = 0
    for line in text.split("\n"):
        cells = _cells(line, at)
        at += len(line) + 1
        if _RULE.fullmatch(line):
            continue
        if len(cells) < 2 or len(cells) != len(heads):  # noqa: PLR2004
            heads = cells if len(cells) > 1 and _are_heads(cells[1:]) else []
            continue
        # a row's number is no label
        at_label = next((i for i, cell in enumerate(cells[:-1]) if _LETTER.search(cell.text)), 0)
        label = cells[at_label].text
        for head, cell in zip(heads[at_label + 1 :], cells[at_label + 1 :], strict=True):
            words = ", ".join(part for part in (label, head.text) if part)
            if cell.text and head.text and len(words) <= _LONGEST:
                yield cell.start, f"{words}: "


def _cells(line: str, at: int) -> list[_Cell]:
    """Returns the cells of a line; bars at both of its ends part nothing."""
    ends = [match.start() for match in CELL_END.finditer(line)]
    borders = zip([0, *(end + 1 for end in ends)], [*ends, len(line)], strict=True)
    cells = [_Cell(line[a:b].strip(), at + b - len(line[a:b].lstrip())) for a, b in borders]
    if len(ends) > 1 and line.strip()[:1] == line.strip()[-1:] == "|":
        return cells[1:-1]
    return cells


def _are_heads(cells: list[_Cell]) -> bool:
    values = sum(bool(_VALUE.match(cell.text)) and not _YEAR.fullmatch(cell.text) for cell in cells)
    return 2 * values <= len(cells)
