"""The official SQuAD v2 measures on hand-made cases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.text.squad import exact_match, f1, normalize_answer


@pytest.mark.parametrize(
    ("prediction", "golds", "em", "score"),
    [
        ("the Eiffel Tower!", ["Eiffel tower"], 1.0, 1.0),
        ("Eiffel", ["Eiffel Tower"], 0.0, 2 / 3),
        ("in Paris", ["Paris", "the city of Paris"], 0.0, 2 / 3),
        (None, [], 1.0, 1.0),
        ("", [], 1.0, 1.0),
        ("Paris", [], 0.0, 0.0),
        (None, ["Paris"], 0.0, 0.0),
        ("the", [], 1.0, 1.0),
        ("Paris", ["the", "Paris"], 1.0, 1.0),
        ("1,000", ["1000"], 1.0, 1.0),
        ("a b b", ["b b c"], 0.0, 0.8),
        ("Paris", ["!"], 0.0, 0.0),
    ],
)
def test_exact_match_and_f1_follow_the_official_script(prediction, golds, em, score) -> None:
    assert exact_match(prediction, golds) == em
    assert f1(prediction, golds) == pytest.approx(score)


@given(st.text(), st.lists(st.text(), max_size=3))
def test_f1_is_at_least_exact_match_and_both_lie_in_0_to_1(prediction, golds) -> None:
    assert 0.0 <= exact_match(prediction, golds) <= f1(prediction, golds) <= 1.0


@given(st.text())
def test_normalisation_is_idempotent_and_a_text_matches_itself(text) -> None:
    assert normalize_answer(normalize_answer(text)) == normalize_answer(text)
    assert exact_match(text, [text]) == 1.0
