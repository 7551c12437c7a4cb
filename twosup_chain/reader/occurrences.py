"""Where a given answer stands in a passage, and how far a span agrees with it: the arithmetic of a groundedness score.

Texts are compared token by token, without articles and punctuation, as the official SQuAD v1.1 metric does
(Rajpurkar et al. 2016, section 6.1, doi:10.18653/v1/D16-1264). Plain functions on numpy arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from twosup_chain.reader.spans import Window

    IntArray = NDArray[np.int64]
    BoolArray = NDArray[np.bool_]
    FloatArray = NDArray[np.float64]


def occurrences(ids: IntArray, counts: BoolArray, needle: IntArray) -> list[tuple[int, int]]:
    """Returns where a token sequence stands in another one, tokens that do not count left aside.

    Args:
        ids: The passage's tokens, shape ``(n,)``.
        counts: Which of them count, shape ``(n,)``.
        needle: The sequence, of tokens that count, shape ``(m,)``.

    Returns:
        The first and the last token of each occurrence, in order.
    """
    kept = np.flatnonzero(counts)
    if len(needle) == 0 or len(needle) > len(kept):
        return []
    views = np.lib.stride_tricks.sliding_window_view(ids[kept], len(needle))
    at = np.flatnonzero(views[:, 0] == needle[0])
    at = at[(views[at] == needle).all(axis=1)]
    return [(int(kept[i]), int(kept[i + len(needle) - 1])) for i in at]


def agreement(found: Sequence[tuple[int, int]], counts: BoolArray, window: Window, width: int) -> FloatArray | None:
    """Returns the token F1 of every span of a window with the occurrence that it overlaps most.

    Args:
        found: The first and last token of each occurrence in the document.
        counts: Which of the document's tokens count.
        window: Where the window lies.
        width: The most tokens of a span.

    Returns:
        Shape ``(tokens of the window, width)``, the cells as in `spans.span_log_odds`, each in [0, 1]; ``None``
        where no occurrence reaches into the window.
    """
    total = np.concatenate([[0], np.cumsum(counts)])
    first = np.arange(window.start, window.stop)[:, None]
    last = np.minimum(first + np.arange(width), len(counts) - 1)
    size = total[last + 1] - total[first]
    best: FloatArray | None = None
    for a, b in found:
        if b < window.start or a >= window.stop:
            continue
        shared = np.maximum(0, total[np.minimum(last, b) + 1] - total[np.maximum(first, a)])
        f1: FloatArray = 2.0 * shared / (size + (total[b + 1] - total[a]))
        best = f1 if best is None else np.maximum(best, f1)
    return best
