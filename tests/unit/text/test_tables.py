"""Values of a table are read with their row's label and their column's head, and stand where they stood."""

from __future__ import annotations

import pytest

from twosup_chain.text.tables import headed

FARES = "Fares\nCategory | Summer | Winter\nAdult | £8 | £6\nDog | free | free\n\nCash only."


def test_each_value_has_its_rows_label_and_its_columns_head():
    assert headed(FARES).text.split("\n")[1:4] == [
        "Category | Summer | Winter",
        "Adult | Adult, Summer: £8 | Adult, Winter: £6",
        "Dog | Dog, Summer: free | Dog, Winter: free",
    ]


def test_every_character_of_the_text_is_there_in_order_and_knows_its_place():
    more = headed(FARES)
    own = [(char, place) for char, place, added in zip(more.text, more.places, more.added, strict=False) if not added]
    assert own == list(zip(FARES, range(len(FARES)), strict=True))
    assert more.places[-1] == len(FARES)
    first = more.text.index("Adult, Summer")
    assert more.added[first]
    assert more.places[first] == FARES.index("£8")


def test_a_rows_number_is_no_label():
    text = "Pos\tItem\tQty\n1\tLamp\t4"
    assert headed(text).text == "Pos\tItem\tQty\n1\tLamp\tLamp, Qty: 4"


def test_rules_and_outer_bars_of_a_table_are_no_cells():
    text = "| Year | Sales |\n|------|-------|\n| first | 20 |"
    assert headed(text).text.endswith("| first | first, Sales: 20 |")


def test_years_may_be_heads():
    assert headed("Item | 2023 | 2024\nRent | 5 | 6").text.endswith("Rent | Rent, 2023: 5 | Rent, 2024: 6")


@pytest.mark.parametrize(
    "text",
    [
        "No table, but P(A|B) and a|b.",
        "Only | one | line",
        "From | To\nOne | two | three",
        "8 | 9 | 10\n11 | 12 | 13",  # which of these are heads, nobody knows
        f"ends | {'a long sentence ' * 5}\nand | so on",
        "",
    ],
)
def test_what_is_no_table_stays_as_it_is(text):
    assert headed(text) is None
