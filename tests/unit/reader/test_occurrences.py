"""Which tokens an answer covers, and how far spans agree with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.reader.engine import Tokens
from twosup_chain.reader.occurrences import agreement, counted, token_ranges
from twosup_chain.reader.spans import Window
from twosup_chain.text.words import Word

pieces = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), max_size=12)


def _spans(pieces):
    """Half-open ranges, ascending and disjoint, from pairs of a gap and a length."""
    found, at = [], 0
    for gap, length in pieces:
        found.append((at + gap, at + gap + length))
        at += gap + length
    return found


def _tokens(spans):
    starts, ends = np.array(spans, dtype=np.int64).reshape(-1, 2).T
    word = np.ones(len(starts), dtype=bool)
    return Tokens(np.zeros(len(starts), np.int64), starts, ends, word, word)


def _disjoint(found):
    kept = []
    for a, b in sorted(found):
        if not kept or a > kept[-1][1]:
            kept.append((a, b))
    return kept


@given(pieces.map(_spans), pieces.map(_spans))
def test_the_tokens_of_a_place_are_those_that_it_overlaps(tokens, places):
    overlapping = [[i for i, (s, e) in enumerate(tokens) if s < end and start < e] for start, end in places]
    expected = [(hit[0], hit[-1]) for hit in overlapping if hit]
    assert token_ranges(places, _tokens(tokens)) == expected


@given(pieces.map(_spans), pieces.map(_spans))
def test_tokens_count_that_overlap_a_word_that_counts(tokens, spans):
    words = [Word("x", start, end) for start, end in spans]
    expected = [any(s < end and start < e for start, end in spans) for s, e in tokens]
    assert counted(words[::-1], _tokens(tokens)).tolist() == expected


@given(st.lists(st.booleans(), min_size=1, max_size=15), st.data(), st.integers(1, 6))
def test_agreement_is_the_token_f1_with_the_nearest_occurrence(counts, data, width):
    n = len(counts)
    found = []
    for _ in range(data.draw(st.integers(1, 3))):
        a = data.draw(st.integers(0, n - 1))
        found.append((a, data.draw(st.integers(a, n - 1))))
    found = _disjoint((a, b) for a, b in found if any(counts[a : b + 1]))
    start = data.draw(st.integers(0, n - 1))
    window = Window(start, data.draw(st.integers(start + 1, n)), 0, 2 * n)
    result = agreement(found, np.array(counts), window, width)
    near = [(a, b) for a, b in found if b >= window.start and a < window.stop]
    if result is None:
        assert not near
        return
    for i in range(window.start, window.stop):
        for k in range(width):
            j = min(i + k, n - 1)
            mine = {t for t in range(i, j + 1) if counts[t]}
            best = 0.0
            for a, b in near:
                theirs = {t for t in range(a, b + 1) if counts[t]}
                best = max(best, 2 * len(mine & theirs) / (len(mine) + len(theirs)))
            assert result[i - window.start, k] == pytest.approx(best)
