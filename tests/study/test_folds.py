"""No article is on both sides of a split, and every question is predicted once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from study.folds import folds, splits


@given(st.lists(st.integers(0, 12), min_size=1, max_size=200))
def test_every_question_is_held_out_once_and_its_article_is_never_fitted_on(articles: list[int]) -> None:
    names = np.array([str(article) for article in articles])
    held_out = np.zeros(len(names))
    for rest, held in splits(names):
        assert not (rest & held).any()
        assert not set(names[rest]) & set(names[held])
        held_out += held
    assert (held_out == 1).all()


def test_folds_are_of_similar_size() -> None:
    articles = np.repeat(np.arange(16), np.arange(10, 26)).astype(str)
    sizes = np.bincount(folds(articles))
    assert sizes.max() - sizes.min() <= 25
