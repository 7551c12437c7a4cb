"""An answer stands in one cell of a table, one line of a form, one paragraph."""

from __future__ import annotations

import re

import numpy as np
import pytest

from twosup_chain.text.layout import cells_of


def apart(text: str, one: str, other: str) -> bool:
    """Returns whether two words of a text lie in different cells."""
    starts = np.array([match.start() for match in re.finditer(r"\S+", text)])
    cells = dict(zip(text.split(), cells_of(text, starts), strict=True))
    return bool(cells[one] != cells[other])


@pytest.mark.parametrize(
    ("text", "one", "other"),
    [
        ("Open time | 15 min | 8 min", "15", "8"),
        ("Net total: £586\nShipping: £9", "£586", "Shipping:"),
        ("Limited to 45 °C.\nE20 – Frost protection", "°C.", "E20"),
        ("The end\n\nof it", "end", "of"),
        ("He wants to wait for the spring discount.\n5. Bicycle shelter", "discount.", "Bicycle"),
        ("A\tB", "A", "B"),
    ],
)
def test_cells_lines_and_paragraphs_are_apart(text, one, other):
    assert apart(text, one, other)


@pytest.mark.parametrize(
    ("text", "one", "other"),
    [
        ("The lift in number 34 will be modernised from 2 February\nto 6 March and cannot be used.", "February", "to"),
        ("Present at the meeting of the association were Ruth\nAdeyemi and Colin Marsh.", "Ruth", "Adeyemi"),
        ("Bring\n- a rope\n- water", "rope", "water"),
        ("the joint probability of P(A|B) is small", "P(A|B)", "small"),
        ("One sentence. Another one.", "sentence.", "Another"),
    ],
)
def test_wrapped_lines_and_the_items_of_a_list_belong_together(text, one, other):
    assert not apart(text, one, other)
