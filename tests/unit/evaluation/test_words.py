"""Numbers in words."""

from __future__ import annotations

import pytest

from twosup_chain.calibration.estimates import Estimate
from twosup_chain.evaluation import words


def plain(text):
    """Returns the text with ordinary spaces and signs."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", ",").replace("−", "-")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (words.percent(0.7361), "73.6 %"),
        (words.percent(-0.05, 0), "-5 %"),
        (words.percent(None), "–"),
        (words.share(1, 8), "12.5 %"),
        (words.share(0, 0), "–"),
        (words.probability(0.99999), "> 99.9 %"),
        (words.probability(0.00001), "< 0.1 %"),
        (words.probability(0.5), "50.0 %"),
        (words.with_interval(Estimate(value=0.5, low=0.25, high=0.75)), "50.0 % (25.0–75.0)"),
        (words.with_interval(Estimate(value=0.5)), "50.0 %"),
        (words.with_interval(Estimate(value=None)), "–"),
        (words.points(Estimate(value=0.042, low=-0.04, high=0.125)), "+4.2 points (-4.0 to +12.5)"),
        (words.points(Estimate(value=-0.0001, low=0.0, high=0.0)), "0.0 points (0.0 to 0.0)"),
        (words.points(Estimate(value=None)), "–"),
        (words.count(71821), "71,821"),
        (words.count(None), "–"),
        (words.number(-0.1234), "-0.123"),
        (words.number(None), "–"),
        (words.threshold(0.123456), "0.1235"),
        (words.amount(0.01234, "USD"), "0.012 USD"),
        (words.amount(0.3, "USD"), "0.30 USD"),
        (words.amount(1234.5, "USD"), "1,234.50 USD"),
        (words.amount(0.0, "USD"), "0.00 USD"),
        (words.amount(-2.0, "USD"), "-2.00 USD"),
        (words.amount(None, "USD"), "–"),
        (words.duration(0), "0 ms"),
        (words.duration(-0.0001), "0 ms"),
        (words.duration(0.0421), "42 ms"),
        (words.duration(0.9996), "1.0 s"),
        (words.duration(-1.84), "-1.8 s"),
        (words.duration(59.96), "1 min 00 s"),
        (words.duration(125.4), "2 min 05 s"),
        (words.duration(3599.7), "1 h 00 min"),
        (words.duration(-7230), "-2 h 00 min"),
        (words.duration(None), "–"),
    ],
)
def test_numbers_read_as_in_a_text(written, expected):
    assert plain(written) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.01, 0.02, "gains"),
        (-0.02, -0.01, "loses"),
        (-0.01, 0.01, "shows no clear difference"),
        (None, None, "shows no clear difference"),
    ],
)
def test_a_difference_is_clear_where_its_interval_does_not_hold_zero(low, high, expected):
    assert words.gain(Estimate(value=0.0, low=low, high=high)) == expected
