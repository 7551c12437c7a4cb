"""The pieces of Python in README and documentation: a page's pieces, one after the other, are one program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_PIECE = re.compile(r"(?P<typed><!-- types only: [^>]+ -->\n+)?```python\n(?P<code>.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Snippet:
    """A piece of Python: what it is, and whether it runs without a key, a server and a download."""

    code: str
    runs: bool


def snippets(page: Path) -> list[Snippet]:
    """Returns a page's pieces, in their order."""
    return [Snippet(found["code"], not found["typed"]) for found in _PIECE.finditer(page.read_text(encoding="utf-8"))]
