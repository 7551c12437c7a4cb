"""HTML from Python values: what is not made here is escaped, so that no text of a record becomes part of a page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Control characters, which HTML does not know, and lone surrogates, which no encoding does.
_UNKNOWN = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)], "\N{REPLACEMENT CHARACTER}")
_UNKNOWN |= {ord(space): " " for space in "\t\n\r"}

#: Elements that hold nothing.
_VOID = frozenset({"meta", "br", "col"})


class Markup(str):
    """A piece of HTML: text that needs no escaping any more."""

    __slots__ = ()


def tag(name: str, /, *content: object, **attributes: object) -> Markup:
    """Returns an element.

    Args:
        name: Its name.
        *content: What it holds: markup as it is, anything else as escaped text; ``None`` is left out.
        **attributes: Its attributes; a trailing underscore is taken off (``class_``), ``_`` within becomes ``-``, and
            one that is ``None`` is left out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{join(content)}</{name}>")


def join(content: Iterable[object]) -> Markup:
    """Returns pieces one after the other, those that are no markup escaped."""
    return Markup("".join(text(piece) for piece in content if piece is not None))


def text(value: object) -> Markup:
    """Returns a value as markup: escaped, unless it is markup already."""
    return value if isinstance(value, Markup) else Markup(escape(str(value).translate(_UNKNOWN)))


def foreign(value: object) -> Markup:
    """Returns a text of the records, kept apart so that its writing direction changes nothing around it."""
    return tag("bdi", value)


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> Markup:
    """Returns a table whose first column is a heading of its row; it scrolls sideways where there is no room."""
    heads = tag("tr", *(tag("th", cell, scope="col") for cell in head))
    body = [_row(list(cells)) for cells in rows]
    return tag("div", tag("table", tag("thead", heads), tag("tbody", *body)), class_="scroll", tabindex=0)


def _row(cells: list[Any]) -> Markup:
    return tag("tr", tag("th", cells[0], scope="row"), *(tag("td", cell) for cell in cells[1:]))
