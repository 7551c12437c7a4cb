"""What a console of some kind would print."""

from __future__ import annotations

import io

from rich.console import Console


def text_of(renderable, width=80, **options):
    """Returns what a console of this kind would print; by default a pipe."""
    file = io.StringIO()
    Console(file=file, width=width, highlight=False, markup=False, emoji=False, **options).print(renderable)
    return file.getvalue()


def squeezed(text):
    return " ".join(text.split())
