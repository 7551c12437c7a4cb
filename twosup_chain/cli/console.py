"""The two consoles, and what every text passes before it is shown: no terminal codes, no keys in messages."""

import codecs
import io
import json
import re
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from twosup_chain._secrets import scrub

#: The widest that anything is set: longer lines are hard to read.
MAX_WIDTH = 100

_CONTROLS = dict.fromkeys(range(0x80, 0xA0), "\N{REPLACEMENT CHARACTER}")
_CONTROLS |= {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n\r"}
_CONTROLS |= {0x0D: " ", 0x7F: "\N{SYMBOL FOR DELETE}", 0x2028: " ", 0x2029: " "}
#: What turns the direction of text around, and marks that only lean on it, which stay without a sign.
_CONTROLS |= dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\N{REPLACEMENT CHARACTER}")
_CONTROLS |= dict.fromkeys([0x061C, 0x200E, 0x200F], "\N{WORD JOINER}")
#: Those of them that JSON lets stand as they are.
_RAW_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


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


class _CleanConsole(Console):
    """Shows no control characters but its own, whatever it is given."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yields the segments of what is to be shown, each clean."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(clean(segment.text), segment.style)


def _console(file: Any) -> Console:
    if hasattr(file, "reconfigure"):
        file.reconfigure(errors=_PLAIN)
    file = io.StringIO() if file is None else file  # closed; the console itself would take the other one
    console = _CleanConsole(file=file, highlight=False, markup=False, emoji=False)
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

    Those that turn the direction of text are among them. Tabs and line feeds stay; a carriage return becomes a space. A
    passage or a reply can thus not drive the terminal.
    """
    return text.translate(_CONTROLS)


def print_json(document: Any) -> None:
    """Prints one JSON document on stdout, in ASCII where stdout knows no more, and nothing else."""
    ascii_only = "utf" not in (getattr(sys.stdout, "encoding", None) or "").lower()
    text = json.dumps(document, ensure_ascii=ascii_only, allow_nan=False, indent=2)
    sys.stdout.write(_RAW_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def note(message: str) -> None:
    """Prints a remark on stderr."""
    _say(Text(scrub(clean(message)), style="dim"))


def fail(message: str) -> None:
    """Prints one red line on stderr."""
    line = " ".join(scrub(clean(message)).split())
    _say(Text.assemble(("error: ", "bold red"), (line, "red")))


def _say(line: Text) -> None:
    """Prints a line on stderr: broken between words on a terminal, and else not at all."""
    console = stderr()
    console.print(line, soft_wrap=not console.is_terminal)
