"""Typography folded away, with a true map back to the characters that were there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.text.folding import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("O’Brien ‘said’ “no” „so“ «ja»", 'o\'brien \'said\' "no" "so" "ja"'),
        ("12–19, 3−1, a—b, x\u2011y", "12-19, 3-1, a-b, x-y"),
        ("a\u00a0b\u2009c\u202fd\u3000e", "a b c d e"),
        ("ﬁre ﬂow œuvre Ångström ŁÓDŹ ẞ", "fire flow oeuvre angstrom lodz ss"),
        ("light\u00adhouse\u200b\u200d\ufeff \u202eabc\u202c", "lighthouse abc"),
        ("e\u0301 é É", "e e e"),
        ("½ 1½ m² 10⁶ H₂O", " 1/2 1 1/2 m^2 10^6 h2o"),
        ("١٢٣ ４５", "123 45"),
        ("Lego™", "lego "),
        ("が か\u3099", "か\u3099 か\u3099"),
    ],
)
def test_spellings_of_the_same_fold_to_the_same(text, folded):
    assert fold(text).text == folded


@given(st.text())
def test_folding_twice_is_folding_once(text):
    once = fold(text).text
    assert fold(once).text == once


@given(st.text(min_size=1), st.data())
def test_the_original_slice_folds_to_the_folded_one(text, data):
    folded = fold(text)
    assert len(folded.places) == len(folded.text)
    if folded.text:
        start = data.draw(st.integers(0, len(folded.text) - 1))
        end = data.draw(st.integers(start + 1, len(folded.text)))
        first, last = folded.span(start, end)
        assert 0 <= first < last <= len(text)
        slice_ = fold(text[first:last]).text
        assert folded.text[start:end] in slice_  # more only where one character folds to several, or takes an accent
        lengths = {len(fold(char).text) for char in text[first:last]}
        if lengths <= {1}:
            assert slice_.startswith(folded.text[start:end])
