"""How far the spans of a window agree with a given answer: the arithmetic of a groundedness score.

Where the answer stands, and which words count, says `text`; here characters become tokens. Spans are compared by the
tokens of the words that count (F1). Plain functions on numpy arrays.
"""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twosup_chain.reader.engine import Tokens
from twosup_chain.reader.spans import Window
from twosup_chain.text.words import Word

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


def token_ranges(places: Sequence[tuple[int, int]], tokens: Tokens) -> list[tuple[int, int]]:
    """Returns the first and the last token of each range of characters, in order; one without token is left out."""
    starts, ends = np.array(places, dtype=np.int64).reshape(-1, 2).T
    first = np.searchsorted(tokens.ends, starts, side="right")
    last = np.searchsorted(tokens.starts, ends, side="left") - 1
    return [(a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True) if a <= b]


def counted(words: Sequence[Word], tokens: Tokens) -> BoolArray:
    """Returns which tokens lie in a word that counts, shape ``(n,)``."""
    spans = np.array(sorted((word.start, word.end) for word in words), dtype=np.int64).reshape(-1, 2)
    after = np.append(spans[:, 0], np.iinfo(np.int64).max)[np.searchsorted(spans[:, 1], tokens.starts, side="right")]
    return np.asarray(after < tokens.ends)


def agreement(found: Sequence[tuple[int, int]], counts: BoolArray, window: Window, width: int) -> FloatArray | None:
    """Returns the token F1 of every span of a window with the occurrence that it overlaps most.

    `found` are the first and last token of each occurrence, ascending; `counts` tells which of the document's tokens
    count. Shape ``(tokens of the window, width)``, the cells as in `spans.span_log_odds`; ``None`` where no occurrence
    is near.
    """
    near = found[bisect_left(found, window.start, key=_last) : bisect_left(found, window.stop, key=_first)]
    if not near:
        return None
    total = np.concatenate([[0], np.cumsum(counts)])
    first = np.arange(window.start, window.stop)[:, None]
    last = np.minimum(first + np.arange(width), len(counts) - 1)
    size = total[last + 1] - total[first]
    best: FloatArray = np.zeros(last.shape)
    for a, b in near:
        shared = np.maximum(0, total[np.minimum(last, b) + 1] - total[np.maximum(first, a)])
        best = np.maximum(best, 2.0 * shared / np.maximum(1, size + (total[b + 1] - total[a])))
    return best


def _first(found: tuple[int, int]) -> int:
    return found[0]


def _last(found: tuple[int, int]) -> int:
    return found[1]
