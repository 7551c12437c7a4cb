"""Windows, joint odds and tidy offsets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosup_chain.reader.spans import JointSpans, Window, disjoint_spans, span_log_odds, tidy, windows


@st.composite
def sizes(draw):
    size = draw(st.integers(2, 30))
    return draw(st.integers(0, 90)), size, draw(st.integers(1, size - 1))


@settings(deadline=None)  # it looks at every span
@given(sizes())
def test_every_short_span_belongs_to_exactly_one_window_that_holds_it(given_sizes):
    n, size, overlap = given_sizes
    found = windows(n, size, overlap)
    for i in range(n):
        for j in range(i, min(n, i + overlap)):
            owners = [w for w in found if w.own_from <= i + j < w.own_to]
            assert len(owners) == 1
            assert owners[0].start <= i
            assert j < owners[0].stop


@given(sizes())
def test_windows_cover_the_document_with_equal_lengths_that_fit(given_sizes):
    n, size, overlap = given_sizes
    found = windows(n, size, overlap)
    assert {t for w in found for t in range(w.start, w.stop)} == set(range(n))
    assert len({w.stop - w.start for w in found}) <= 1
    assert all(w.stop - w.start <= size for w in found)


def test_a_document_that_fits_is_one_window_and_an_empty_one_is_none():
    assert windows(100, 100, 20) == [Window(0, 100, 0, 200)]
    assert windows(0, 100, 20) == []


logit_lists = st.lists(st.floats(-20, 20), min_size=1, max_size=25)


@given(logit_lists, st.data(), st.integers(1, 8))
def test_log_odds_are_start_plus_end_minus_null_of_allowed_spans_only(start, data, width):
    n = len(start)
    end = data.draw(st.lists(st.floats(-20, 20), min_size=n, max_size=n))
    may_start = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    may_end = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    at = data.draw(st.integers(0, 50))
    own_from = data.draw(st.integers(2 * at, 2 * (at + n)))
    window = Window(at, at + n, own_from, data.draw(st.integers(own_from, 2 * (at + n))))
    odds = span_log_odds(np.array(start), np.array(end), 1.5, window, np.array(may_start), np.array(may_end), width)
    assert odds.shape == (n, min(width, n))
    for i in range(n):
        for k in range(odds.shape[1]):
            j = i + k
            owned = window.own_from <= 2 * at + i + j < window.own_to
            if j < n and may_start[i] and may_end[j] and owned:
                assert odds[i, k] == pytest.approx(start[i] + end[j] - 1.5)
            else:
                assert odds[i, k] == -math.inf


@given(st.integers(1, 12), st.integers(1, 6), st.data())
def test_disjoint_spans_are_the_greedy_choice(n, width, data):
    width = min(n, width)
    cells = st.one_of(st.just(-math.inf), st.integers(-5, 5).map(float))
    odds = np.array(data.draw(st.lists(cells, min_size=n * width, max_size=n * width))).reshape(n, width)
    odds[np.add.outer(np.arange(n), np.arange(width)) >= n] = -np.inf
    spans = [(-odds[i, k], i, i + k) for i in range(n) for k in range(width) if odds[i, k] > -np.inf]
    expected = []
    for negative, i, j in sorted(spans):
        if all(j < a or b < i for a, b, _ in expected):
            expected.append((i, j, -negative))
    assert list(disjoint_spans(odds)) == expected


odds_lists = st.lists(st.lists(st.floats(-60, 60), min_size=1, max_size=30), min_size=1, max_size=5)


@given(odds_lists)
def test_probabilities_of_all_spans_of_all_windows_and_null_sum_to_one(chunks):
    joint = JointSpans()
    for chunk in chunks:
        joint.add(np.array([[*chunk, -np.inf]]))
    total = sum(joint.probability(value) for chunk in chunks for value in chunk)
    assert total + joint.null_probability == pytest.approx(1.0)


@given(odds_lists)
def test_joint_totals_do_not_depend_on_how_or_in_which_order_spans_come(chunks):
    apart, together = JointSpans(), JointSpans()
    for chunk in reversed(chunks):
        apart.add(np.array([chunk]))
    together.add(np.array([[value for chunk in chunks for value in chunk]]))
    assert apart.log_sum == pytest.approx(together.log_sum)
    assert apart.entropy == pytest.approx(together.entropy, abs=1e-9)
    assert (apart.best, apart.n_spans) == (together.best, together.n_spans)


@given(odds_lists)
def test_entropy_is_that_of_the_joint_distribution(chunks):
    values = [value for chunk in chunks for value in chunk]
    joint = JointSpans()
    joint.add(np.array([values]))
    p = np.array([joint.null_probability, *(joint.probability(v) for v in values)])
    p = p[p > 0]
    assert joint.entropy == pytest.approx(-(p @ np.log(p)) / math.log(len(values) + 1), abs=1e-6)


def test_without_a_span_null_is_certain():
    joint = JointSpans()
    joint.add(np.full((3, 2), -np.inf))
    assert (joint.null_probability, joint.entropy, joint.n_spans) == (1.0, 0.0, 0)


@pytest.mark.parametrize(
    ("span", "wanted"),
    [
        (" in France, ", "in France"),
        ('"Venite Ad Me Omnes"', "Venite Ad Me Omnes"),
        ("“Hänsel und Gretel”", "Hänsel und Gretel"),
        ("(1858)", "1858"),
        ("(1858", "1858"),
        ("1858)", "1858"),
        ("Brazil (1950)", "Brazil (1950)"),
        ("(a) and (b)", "(a) and (b)"),
        ('"A" and "B"', '"A" and "B"'),
        ("a 6'2\"", "a 6'2\""),
        ('the "Norseman', 'the "Norseman'),
        ('Norseman"', "Norseman"),
        ("the workers'", "the workers'"),
        ("'90s", "'90s"),
        ("Rome.", "Rome"),
        ("Washington, D.C.", "Washington, D.C."),
        ("Apple Inc.", "Apple Inc."),
        ("Mary J.", "Mary J."),
        ("-5 °C", "-5 °C"),
        ("$ 5 million;", "$ 5 million"),
        ("Yahoo!", "Yahoo!"),
        ("— dash —", "dash"),
        ("東京、", "東京"),
        ("«Война и мир»", "Война и мир"),
        ("...", "..."),
        ('""', '""'),
        ("(", "("),
    ],
)
def test_tidy_trims_as_a_person_would(span, wanted):
    text = f"x {span} y"
    start, end = tidy(text, 2, 2 + len(span))
    assert text[start:end] == wanted


def test_tidy_keeps_combining_marks_with_their_character():
    text = "Cafe\u0301 Nero"
    assert text[slice(*tidy(text, 0, 4))] == "Cafe\u0301"
    text = "a ❤\ufe0f b"
    assert text[slice(*tidy(text, 2, 3))] == "❤\ufe0f"


messy = st.sampled_from(list("ab 1.,;\"'()[]«»“”—\u0301\u200d字😀ב"))


@given(st.text(alphabet=messy, min_size=1, max_size=12), st.data())
def test_tidy_never_empties_a_span_nor_leaves_it(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    left, right = tidy(text, start, end)
    assert start <= left < right
    assert right <= end or all(char in "\u0301\u200d" for char in text[end:right])
    assert (left, right) == tidy(text, left, right)


def test_no_span_leaves_its_cell():
    n = 4
    flags = np.ones(n, np.bool_)
    odds = span_log_odds(np.zeros(n), np.zeros(n), 0.0, Window(0, n, 0, 2 * n), flags, flags, 3, np.array([0, 0, 1, 1]))
    assert [(i, i + k) for i, k in np.argwhere(odds > -np.inf).tolist()] == [
        (0, 0),
        (0, 1),
        (1, 1),
        (2, 2),
        (2, 3),
        (3, 3),
    ]
