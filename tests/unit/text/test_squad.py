"""The official SQuAD v2 measures on hand-made cases."""

from __future__ import annotations

import collections
import re
import string

import pytest
from hypothesis import given, settings
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


def _official(prediction, gold):
    """Exact match and F1 of one accepted answer, step by step as the SQuAD v2 paper's script describes them."""

    def tokens(text):
        kept = "".join(char for char in text.lower() if char not in set(string.punctuation))
        return re.sub(re.compile(r"\b(a|an|the)\b", re.UNICODE), " ", kept).split()

    ours, theirs = tokens(prediction), tokens(gold)
    same = sum((collections.Counter(theirs) & collections.Counter(ours)).values())
    if not ours or not theirs:
        return float(ours == theirs), float(ours == theirs)
    if same == 0:
        return float(ours == theirs), 0.0
    precision, recall = same / len(ours), same / len(theirs)
    return float(ours == theirs), 2 * precision * recall / (precision + recall)


LIKELY = st.text("aA ThenT1.5,-$’'é–\u00a0%", max_size=12)


@settings(max_examples=100)
@given(LIKELY | st.text(max_size=20), LIKELY | st.text(max_size=20))
def test_the_figures_are_the_official_scripts_whatever_trust_makes_of_numbers(prediction, gold) -> None:
    golds = [gold] if normalize_answer(gold) else []
    exact, f1_score = _official(prediction, gold if golds else "")
    assert exact_match(prediction, golds) == exact
    assert f1(prediction, golds) == pytest.approx(f1_score)


def test_to_the_official_rules_1_5_million_is_15_million() -> None:
    assert exact_match("$1.5 million", ["$15 million"]) == 1.0
