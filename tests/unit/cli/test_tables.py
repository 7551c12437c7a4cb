"""How tables and bars look."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from twosup_chain.cli.tables import bar, table


def test_columns_are_set_as_their_titles_say_and_nothing_is_markup():
    file = io.StringIO()
    Console(file=file, width=40).print(table(("Name", ">Size"), [("[b]a", "1"), ("b", "100")]))
    head, _, first, second = (line.rstrip() for line in file.getvalue().splitlines() if line.strip())
    assert [line.split() for line in (head, first, second)] == [["Name", "Size"], ["[b]a", "1"], ["b", "100"]]
    assert len(head) == len(first) == len(second)


@pytest.mark.parametrize(("share", "length"), [(0.0, 0), (0.5, 15), (1.0, 30)])
def test_a_bar_is_as_long_as_its_share(share, length):
    assert bar(share) == "█" * length
