"""How tables and bars look, once for all commands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import RenderableType

from twosup_chain.cli.console import clean

if TYPE_CHECKING:
    from rich.table import Table

_LONGEST = 30


def table(titles: Iterable[str], rows: Iterable[Iterable[RenderableType]]) -> Table:
    """Returns a table of rows below their titles.

    Args:
        titles: The columns' titles; one that begins with ``>`` is that of a column set flush right, and ``~`` after it,
            or at the beginning, allows that its cells are broken into lines.
        rows: The cells of each row; strings are never read as markup.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for title in titles:
        name = title.lstrip(">~")
        signs = title[: len(title) - len(name)]
        made.add_column(Text(clean(name)), justify="right" if ">" in signs else "left", no_wrap="~" not in signs)
    for row in rows:
        made.add_row(*(Text(clean(cell)) if isinstance(cell, str) else cell for cell in row))
    return made


def bar(share: float) -> str:
    """Returns a bar for a share in [0, 1]."""
    return "█" * round(_LONGEST * share)


def lines(text: str) -> list[RenderableType]:
    """Returns a text whose lines are shown as they are, without a break."""
    from rich.text import Text

    return [Text(text, no_wrap=True, overflow="ignore")]
