"""The two consoles, and what every text passes before it is shown: no terminal codes from files, no keys in messages.

How results look is in `render`.
"""

from __future__ import annotations

import codecs
import json
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from twosup_chain._secrets import scrub

if TYPE_CHECKING:
    from rich.console import RenderableType

#: The widest that anything is set: longer lines are hard to read.
MAX_WIDTH = 100

_CONTROLS = dict.fromkeys(range(0x80, 0xA0), "\N{REPLACEMENT CHARACTER}")
_CONTROLS |= {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n\r"}
_CONTROLS |= {0x0D: " ", 0x7F: "\N{SYMBOL FOR DELETE}"}


#: How a terminal shows a character that it has not: a space as a space, any other as "?", and nothing crashes.
_PLAIN = "twosup_plain"
codecs.register_error(_PLAIN, lambda error: (" " if _character(error).isspace() else "?", error.start + 1))  # type: ignore[attr-defined]


def _character(error: Any) -> str:
    return str(error.object[error.start])


def stdout() -> Console:
    """Returns a console on what ``sys.stdout`` is at this moment."""
    return _console(sys.stdout)


def stderr() -> Console:
    """Returns a console on what ``sys.stderr`` is at this moment."""
    return _console(sys.stderr)


def _console(file: Any) -> Console:
    if hasattr(file, "reconfigure"):
        file.reconfigure(errors=_PLAIN)
    console = Console(file=file, highlight=False, markup=False, emoji=False)
    console.width = min(console.width, MAX_WIDTH)
    return console


def show(*parts: RenderableType) -> None:
    """Prints on stdout; into a pipe or a file without the blanks that fill the lines up."""
    console = stdout()
    if console.is_terminal:
        console.print(*parts, sep="\n")
        return
    with console.capture() as captured:
        console.print(*parts, sep="\n")
    sys.stdout.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())


def clean(text: str) -> str:
    """Returns the text with every control character made visible, one for one, so that offsets stay true.

    Tabs and line feeds stay; a carriage return becomes a space. A passage or a reply can thus not drive the terminal.
    """
    return text.translate(_CONTROLS)


def print_json(document: Any) -> None:
    """Prints one JSON document on stdout, in ASCII where stdout knows no more, and nothing else."""
    ascii_only = "utf" not in (getattr(sys.stdout, "encoding", None) or "").lower()
    sys.stdout.write(json.dumps(document, ensure_ascii=ascii_only, allow_nan=False, indent=2) + "\n")


def note(message: str) -> None:
    """Prints a remark on stderr."""
    stderr().print(Text(clean(message), style="dim"), soft_wrap=True)


def fail(message: str) -> None:
    """Prints one red line on stderr."""
    line = " ".join(scrub(clean(message)).split())
    stderr().print(Text.assemble(("error: ", "bold red"), (line, "red")), soft_wrap=True)
