"""Numbers in words, and HTML that escapes what it is given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.evaluation import words
from twosup_chain.evaluation.figures import Measured
from twosup_chain.evaluation.markup import Markup, join, table, tag


def plain(text):
    """Returns the text with ordinary spaces and signs."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", ",").replace("−", "-")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (words.percent(0.7361), "73.6 %"),
        (words.percent(-0.05, 0), "-5 %"),
        (words.percent(None), "–"),
        (words.probability(0.99999), "> 99.9 %"),
        (words.probability(0.00001), "< 0.1 %"),
        (words.probability(0.5), "50.0 %"),
        (words.with_interval(Measured(value=0.5, low=0.25, high=0.75)), "50.0 % (25.0–75.0)"),
        (words.with_interval(Measured(value=0.5)), "50.0 %"),
        (words.with_interval(Measured(value=None)), "–"),
        (words.points(Measured(value=0.042, low=-0.04, high=0.125)), "+4.2 points (-4.0 to +12.5)"),
        (words.points(Measured(value=-0.0001, low=0.0, high=0.0)), "0.0 points (0.0 to 0.0)"),
        (words.points(Measured(value=None)), "–"),
        (words.count(71821), "71,821"),
        (words.count(None), "–"),
        (words.number(-0.1234), "-0.123"),
        (words.number(None), "–"),
        (words.amount(0.01234, "USD"), "0.012 USD"),
        (words.amount(0.3, "USD"), "0.30 USD"),
        (words.amount(1234.5, "USD"), "1,234.50 USD"),
        (words.amount(0.0, "USD"), "0.00 USD"),
        (words.amount(-2.0, "USD"), "-2.00 USD"),
        (words.amount(None, "USD"), "–"),
        (words.duration(0.114), "114 ms"),
        (words.duration(3.16), "3.2 s"),
        (words.duration(455), "7.6 min"),
        (words.duration(-7200), "-2.0 h"),
        (words.duration(None), "–"),
    ],
)
def test_numbers_read_as_in_a_text(written, expected):
    assert plain(written) == expected


def test_a_tag_escapes_what_is_no_markup_and_leaves_nothing_out_but_none():
    assert tag("p", "a<b", None, Markup("<br>"), 3, class_='x"y', data_id=None, aria_label="&") == (
        '<p class="x&quot;y" aria-label="&amp;">a&lt;b<br>3</p>'
    )
    assert tag("meta", name="a") == '<meta name="a">'


@given(text=st.text())
def test_no_text_opens_a_tag_or_leaves_an_attribute(text):
    html = tag("p", text, title=text)
    assert html.count("<") == html.count(">") == 2
    assert html.count('"') == 2
    html.encode()


@pytest.mark.parametrize("unknown", ["\ud800", "\x00", "\x9f", "\x7f"])
def test_what_html_does_not_know_is_replaced(unknown):
    assert tag("p", unknown) == "<p>\N{REPLACEMENT CHARACTER}</p>"


def test_a_table_has_headings_for_its_rows_and_columns():
    html = table(["", "a"], [["first", "<1>"]])
    assert html.count('scope="col"') == 2
    assert '<th scope="row">first</th><td>&lt;1&gt;</td>' in html
    assert join([]) == ""
