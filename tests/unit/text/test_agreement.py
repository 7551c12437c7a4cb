"""How far two answers say the same: shared words, and numbers that contradict each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.text.agreement import agreement, agreements


@pytest.mark.parametrize(
    ("a", "b", "share"),
    [
        ("Ada Lovelace", "ada lovelace.", 1.0),
        ("Ada", "Ada Lovelace", 2 / 3),
        ("It was Ada Lovelace.", "Ada Lovelace", 2 / 3),
        ("Ada", "Bob", 0.0),
        ("the lighthouse", "a lighthouse", 1.0),
        ("Kevin O’Brien", "kevin o'brien", 1.0),
        ("$15 million", "15 million dollars", 1.0),
        ("25%", "25 per cent", 1.0),
        ("5 km", "5 kilometres", 1.0),
        ("in 1874", "1874", 2 / 3),
        ("15 January 1987", "January 1987", 0.8),
        ("$15 million", "$1.5 million", 0.0),
        ("25 mg of the drug", "2.5 mg of the drug", 0.0),
        ("25 mg", "25 g", 0.0),
        ("25%", "25 mg", 0.0),
        ("-5 degrees", "5 degrees", 0.0),
        ("vitamin A", "vitamin C", 0.0),
        ("Charles I of England", "Charles II of England", 0.0),
        ("15 January 1987", "16 January 1987", 0.0),
        ("東京", "東京都", 0.8),
        ("→", "→ ", 1.0),
        ("→", "←", 0.0),
        ("", " ", 1.0),
        ("", None, 0.0),
        (None, None, 1.0),
        (None, "Ada", 0.0),
    ],
)
def test_agreement_is_the_share_of_words_unless_a_number_contradicts(a, b, share):
    assert agreement(a, b) == agreement(b, a) == pytest.approx(share)


answers = (
    st.none()
    | st.text(max_size=20)
    | st.lists(st.sampled_from(["Ada", "5", "-5", "mg", "$", "1.5", "A", "the", "I"])).map(" ".join)
)


@given(answers, answers)
def test_agreement_is_symmetric_and_lies_in_0_to_1(a, b):
    assert 0.0 <= agreement(a, b) == agreement(b, a) <= 1.0
    assert agreement(a, a) == 1.0
    assert agreements(a, [b, a]) == [agreement(a, b), 1.0]
