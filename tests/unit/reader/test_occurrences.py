"""Where an answer stands, and how far spans agree with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.reader.occurrences import agreement, occurrences
from twosup_chain.reader.spans import Window

tokens = st.lists(st.integers(0, 3), max_size=20)


@given(tokens, st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_occurrences_are_found_as_if_tokens_that_do_not_count_were_absent(ids, needle):
    counts = np.array(ids, dtype=int) > 0
    kept = [i for i, token in enumerate(ids) if token > 0]
    expected = [
        (kept[at], kept[at + len(needle) - 1])
        for at in range(len(kept) - len(needle) + 1)
        if [ids[i] for i in kept[at : at + len(needle)]] == needle
    ]
    assert occurrences(np.array(ids, dtype=np.int64), counts, np.array(needle)) == expected


def test_an_answer_without_a_token_that_counts_occurs_nowhere():
    assert occurrences(np.array([1, 2]), np.array([True, True]), np.array([], dtype=np.int64)) == []


@given(st.lists(st.booleans(), min_size=1, max_size=15), st.data(), st.integers(1, 6))
def test_agreement_is_the_token_f1_with_the_nearest_occurrence(counts, data, width):
    n = len(counts)
    found = []
    for _ in range(data.draw(st.integers(1, 3))):
        a = data.draw(st.integers(0, n - 1))
        found.append((a, data.draw(st.integers(a, n - 1))))
    found = [(a, b) for a, b in found if any(counts[a : b + 1])]
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
