"""Records become columns in one order, and no article is on both sides of a split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from study.questions import FOLDS, Questions, splits

from twosup_chain.outcomes.from_records import read_columns

if TYPE_CHECKING:
    from pathlib import Path


@given(st.lists(st.integers(0, 12), min_size=20, max_size=200).filter(lambda articles: len(set(articles)) >= FOLDS))
def test_every_question_is_held_out_once_and_its_article_is_never_fitted_on(articles: list[int]) -> None:
    names = np.array([str(article) for article in articles])
    held_out = np.zeros(len(names))
    for rest, held in splits(names):
        assert not (rest & held).any()
        assert not set(names[rest]) & set(names[held])
        held_out += held
    assert (held_out == 1).all()


def test_columns_are_in_the_order_in_which_the_product_reads_the_records(records: Path, made_up: Questions) -> None:
    columns = read_columns(records, local_scorer="backed", remote_scorer="backed")
    assert (made_up.answerable == columns.answerable).all()
    assert (made_up.remote.made.f1 == columns.remote.f1).all()
    first = columns.record(0)
    assert made_up.span.features["hint"][0] == first.local.features["hint"]
    assert made_up.article[0] == first.id.rpartition("/")[0]
    assert made_up.passage[0] == first.passage


def test_the_reader_says_no_answer_where_it_is_likelier_and_its_span_elsewhere(made_up: Questions) -> None:
    own, span = made_up.reader.made, made_up.span.made
    assert 0 < own.no_answer.sum() < len(made_up)
    assert (own.f1[own.no_answer] == made_up.null[own.no_answer]).all()
    assert (own.f1[~own.no_answer] == span.f1[~own.no_answer]).all()


def test_chosen_questions_keep_all_of_theirs(made_up: Questions) -> None:
    some = made_up.take(made_up.article == "made up/article 3")
    assert len(some) == 30
    assert len(some.remote.features["hint"]) == len(some.reader.made.f1) == 30
    assert some.remote.model == "hosted"
