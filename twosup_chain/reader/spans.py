"""Which span of a passage answers: windows over long texts, the joint odds of all spans, and clean character offsets.

A window's *log-odds* of a span are its start logit plus its end logit minus the window's null score (both logits of
the first token; Devlin et al. 2019, section 4.3, doi:10.18653/v1/N19-1423): the logarithm of how much likelier the span
is than "no answer". Log-odds against null are comparable between windows, raw logits are not, so the joint distribution
over the spans of all windows of all documents and a single null keeps them:

    P(span) = exp(log-odds) / (1 + sum of exp(log-odds) over all spans),    P(null) = 1 / (1 + the same sum).

One window gives the usual softmax over its spans and null. Every span counts once: where windows overlap, the one that
has the span nearest to its centre speaks for it.
"""

import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_PAIRS = dict(zip("([{«‹“„「『《（", ")]}»›”“」』》）", strict=True))
_QUOTES = "\"'`“”‘’"
_SEPARATORS = ",;:…·،؛、，；：–—"
_JOINERS = "\u200d\ufe0e\ufe0f"
_ABBREVIATIONS = frozenset(
    "al approx bros ca cf co corp dept dr est etc inc jr ltd mr mrs ms no op prof sr st vol vs".split()  # noqa: SIM905
)


class Window(NamedTuple):
    """A stretch of a document's tokens that the model sees at once."""

    start: int
    stop: int  # one past the last token
    own_from: int  # the window speaks for the spans (i, j) with own_from <= i + j < own_to
    own_to: int


def windows(n_tokens: int, size: int, overlap: int) -> list[Window]:
    """Returns windows of equal length that cover a document and speak for each of its spans exactly once.

    As few as possible, evenly spread, in order. Neighbours share at least `overlap` tokens, below `size`: every span of
    at most `overlap` tokens lies whole in the window that speaks for it.
    """
    if n_tokens == 0:
        return []
    count = max(1, math.ceil((n_tokens - overlap) / (size - overlap)))
    length = min(n_tokens, math.ceil((n_tokens + (count - 1) * overlap) / count))
    starts = [i * (n_tokens - length) // max(count - 1, 1) for i in range(count)]
    # the midpoint of a span, doubled, is i + j; the border is halfway between the doubled centres of two neighbours
    borders = [0, *(a + b + length - 1 for a, b in pairwise(starts)), 2 * n_tokens]
    return [Window(s, s + length, borders[i], borders[i + 1]) for i, s in enumerate(starts)]


def span_log_odds(
    start_logits: FloatArray,
    end_logits: FloatArray,
    null: float,
    window: Window,
    may_start: BoolArray,
    may_end: BoolArray,
    max_tokens: int,
    cells: NDArray[np.int64] | None = None,
) -> FloatArray:
    """Returns the log-odds against null of every span that a window of n tokens speaks for.

    Shape ``(n, width)``: the cell ``(i, k)`` is the span from token ``i`` to token ``i + k`` of the window; ``-inf``
    where there is no such span. Logits, flags and the tokens' `cells`, which no span leaves, have shape ``(n,)``.
    """
    n = len(start_logits)
    width = min(max_tokens, n)
    ends = np.concatenate([np.where(may_end, end_logits, -np.inf), np.full(width - 1, -np.inf)])
    starts = np.where(may_start, start_logits - null, -np.inf)
    odds: FloatArray = starts[:, None] + np.lib.stride_tricks.sliding_window_view(ends, width)
    doubled = 2 * (window.start + np.arange(n))[:, None] + np.arange(width)
    if window.own_from > 2 * window.start or window.own_to <= 2 * (window.stop - 1):
        odds[(doubled < window.own_from) | (doubled >= window.own_to)] = -np.inf
    if cells is not None and n and cells[0] != cells[-1]:
        last = np.concatenate([cells, np.full(width - 1, cells[-1])])
        odds[cells[:, None] != np.lib.stride_tricks.sliding_window_view(last, width)] = -np.inf
    return odds


def disjoint_spans(odds: FloatArray) -> Iterator[tuple[int, int, float]]:
    """Yields ``(first token, last token, log-odds)`` of spans that do not overlap, best first; ties go to the first."""
    odds = odds.copy()
    width = odds.shape[1]
    while True:
        best = int(odds.argmax())
        i, k = divmod(best, width)
        value = float(odds[i, k])
        if value == -math.inf:
            return
        j = i + k
        yield i, j, value
        odds[i : j + 1] = -np.inf
        for first in range(max(0, i - width + 1), i):  # spans that start before and reach into this one
            odds[first, i - first :] = -np.inf


@dataclass
class JointSpans:
    """Running totals over the spans of all windows of all documents, together with the single null."""

    best: float = -math.inf  # the highest log-odds so far
    log_sum: float = -math.inf  # the logarithm of the summed odds of all spans
    log_sum_of_window: float = -math.inf  # the highest that this sum is in any one window
    n_spans: int = 0
    _mean: float = field(default=0.0, repr=False)  # of the log-odds, under the spans' own softmax

    def add(self, odds: FloatArray) -> None:
        """Takes in the log-odds of one window, ``-inf`` where there is no span."""
        values = odds[odds > -np.inf].astype(np.float64)
        if not values.size:
            return
        peak = float(values.max())
        weights = np.exp(values - peak)
        total = float(weights.sum())
        log_sum = peak + math.log(total)
        mean = float(weights @ values) / total
        joint = float(np.logaddexp(self.log_sum, log_sum))
        share = math.exp(log_sum - joint)
        self._mean += share * (mean - self._mean)
        self.best = max(self.best, peak)
        self.log_sum = joint
        self.log_sum_of_window = max(self.log_sum_of_window, log_sum)
        self.n_spans += values.size

    @property
    def log_normaliser(self) -> float:
        """The logarithm of one (null) plus the summed odds."""
        return float(np.logaddexp(0.0, self.log_sum))

    @property
    def null_probability(self) -> float:
        """The joint probability of "no answer"; 1 where there is no span."""
        return math.exp(-self.log_normaliser)

    def probability(self, log_odds: float) -> float:
        """Returns the joint probability of a span with these log-odds."""
        return math.exp(log_odds - self.log_normaliser)

    @property
    def entropy(self) -> float:
        """The entropy of the joint distribution as a share of the largest possible, in [0, 1]."""
        if self.n_spans == 0:
            return 0.0
        entropy = self.log_normaliser - (1.0 - self.null_probability) * self._mean
        return min(1.0, max(0.0, entropy / math.log1p(self.n_spans)))


def tidy(text: str, start: int, end: int) -> tuple[int, int]:
    """Returns a span's offsets (start, exclusive end, in characters) as a person would set them.

    White space, dangling separators, enclosing quotes and brackets, those without their partner and the full stop of a
    sentence go; a mark that combines with the last character (an accent, a joiner, a variation selector) stays with it.
    A span of which nothing would be left stays as it was.
    """
    while end < len(text) and (text[end] in _JOINERS or unicodedata.category(text[end]).startswith("M")):
        end += 1
    left, right = start, end
    while left < right:
        inside = text[left:right]
        first, last = inside[0], inside[-1]
        if first.isspace() or first in _SEPARATORS or _lonely(inside, 0):
            left += 1
        elif last.isspace() or last in _SEPARATORS or _lonely(inside, -1) or _ends_sentence(inside):
            right -= 1
        elif _enclosed(inside):
            left, right = left + 1, right - 1
        else:
            return left, right
    return start, end


def _lonely(inside: str, at: int) -> bool:
    """Whether the first or last character is a bracket or double quote whose partner is not in the span."""
    char = inside[at]
    if char == '"':
        measure = at == -1 and inside[-2:-1].isdigit()  # 6'2"
        return inside.count('"') == 1 and not measure
    if at == 0:
        return char in _PAIRS and _PAIRS[char] not in inside
    return any(char == close and open_ not in inside for open_, close in _PAIRS.items()) and char not in _PAIRS


def _enclosed(inside: str) -> bool:
    """Whether one pair of quotes or brackets holds the whole span."""
    first, last, between = inside[0], inside[-1], inside[1:-1]
    if not between:
        return False
    if first in _QUOTES and last in _QUOTES:
        return first not in between and last not in between
    if _PAIRS.get(first) != last:
        return False
    depth = 0
    for char in between:
        depth += (char == first) - (char == last)
        if depth < 0:
            return False
    return True


def _ends_sentence(inside: str) -> bool:
    """Whether the span ends in a full stop that belongs to the sentence, not to an abbreviation."""
    if not inside.endswith("."):
        return False
    word = inside[:-1].split()[-1:]
    return not word or not (len(word[0]) == 1 or "." in word[0] or word[0].casefold() in _ABBREVIATIONS)
