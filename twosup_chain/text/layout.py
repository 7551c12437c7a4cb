"""Where the layout of a text ends what an answer may hold: at the cells of a table, the lines of a form, paragraphs.

An answer stands in one of them. Lines of running text that were only wrapped belong together, and so do the items of a
list.
"""

import re

import numpy as np
from numpy.typing import NDArray

_LINE_END = re.compile(r"\n\s*")
#: What parts the cells of a table's line.
CELL_END = re.compile(r"(?<![^\s])\|(?![^\s])|\t")
_ITEM = re.compile(r"[ \t]*(?:[-–•*]|\(?\w{1,3}[.)])[ \t]")
_LABEL = re.compile(r"[^\s:][^.:|]{0,30}:(?:\s|$)")
#: A line that is at least as long, in characters, may have been wrapped.
_WRAPPED = 45


def cells_of(text: str, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the number of the cell in which each of the places `starts` lies, in characters, rising from 0."""
    ends = [end for match in CELL_END.finditer(text) for end in match.span()]
    ends += [match.start() for match in _LINE_END.finditer(text) if _ends_cell(text, match)]
    return np.searchsorted(np.array(sorted(ends), np.int64), starts, side="right")


def _ends_cell(text: str, gap: re.Match[str]) -> bool:
    """Whether the gap between two lines is more than the wrap of running text."""
    line = text[text.rfind("\n", 0, gap.start()) + 1 : gap.start()].rstrip()
    end = text.find("\n", gap.end())
    following = text[gap.end() : end if end >= 0 else len(text)]
    if gap[0].count("\n") > 1:
        return True
    if _ITEM.match(following):
        return line.endswith(".") or not _ITEM.match(line)
    if following[:1].islower():
        return False
    return len(line) < _WRAPPED or line[-1:] in ".:;!?|" or bool(_LABEL.match(following)) or "|" in following
