"""A real terminal for tests: a shell behind a pseudo-terminal, and what stands on its screen after a command."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pyte

if TYPE_CHECKING:
    from collections.abc import Sequence

PROMPT = "mill$ "
ROWS, COLUMNS = 160, 90
#: How long a command may take, in seconds, on a machine that is busy.
_PATIENCE = 180
_DROPPED = ("OPENAI_API_KEY", "NO_COLOR", "FORCE_COLOR", "PROMPT_COMMAND", "BASH_ENV")


class Terminal:
    """A shell in a folder.

    Args:
        folder: Where it starts; it is its home as well.
        **variables: What stands in its environment besides.
    """

    def __init__(self, folder: Path, **variables: str) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
        kept.setdefault("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip"))
        own = {
            "HOME": str(folder),
            "VIRTUAL_ENV_DISABLE_PROMPT": "1",
            "TERM": "xterm",
            "PS1": PROMPT,
            "HISTFILE": "",
            "LC_ALL": "C.UTF-8",
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
        self._shell = pexpect.spawn(
            "bash",
            ["--norc", "--noprofile"],
            cwd=folder,
            env={**kept, **own, "PATH": path, **variables},
            dimensions=(ROWS, COLUMNS),
            encoding="utf-8",
            timeout=_PATIENCE,
        )
        self._shell.expect_exact(PROMPT)

    def screen(self, command: str, typed: Sequence[tuple[str, str]] = ()) -> str:
        """Returns what stands on the screen after a command.

        Args:
            command: What is entered at the prompt.
            typed: Pairs of a prompt that is waited for, and what is then typed, ``"\\x04"`` for Ctrl-D.
        """
        screen = pyte.Screen(COLUMNS, ROWS)
        stream = pyte.Stream(screen)
        stream.feed(PROMPT)
        self._shell.sendline(command)
        for prompt, line in (*typed, (PROMPT, "")):
            found = self._shell.expect_exact([PROMPT, prompt])
            stream.feed(self._shell.before)
            if found == 0:  # the command has ended, perhaps before it asked
                break
            stream.feed(prompt)
            (self._shell.send if line == "\x04" else self._shell.sendline)(line)
        return "\n".join(line.rstrip() for line in screen.display).rstrip() + "\n"

    def close(self) -> None:
        """Ends the shell."""
        self._shell.close(force=True)
