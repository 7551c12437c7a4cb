"""Options that messages, README and documentation name are those that there are."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import click
import pytest
import typer.main

import twosup_chain
from twosup_chain import calibrate
from twosup_chain.cli.app import app

PACKAGE = Path(twosup_chain.__file__).parent
ROOT = Path(__file__).parents[3]
#: What options were called before, and options of uvicorn and gunicorn.
_FORMER, _OF_OTHERS = ("--place", "--signal"), ("--factory",)
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z](?![\w-])")


def flags(command):
    """Returns the options of a command and of those below it."""
    found = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    if isinstance(command, click.Group) or hasattr(command, "commands"):
        found |= {flag for below in command.commands.values() for flag in flags(below)}
    return found | {"--help", "--install-completion", "--show-completion"}


def said():
    """Yields each text in the package's code that may be a message, with its place."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.value


def test_a_message_names_no_option_that_does_not_exist():
    known = flags(typer.main.get_command(app))
    known |= {*_FORMER, *_OF_OTHERS}
    wrong = [(place, flag) for place, text in said() for flag in _FLAG.findall(text) if flag not in known]
    assert wrong == []


@pytest.mark.parametrize("page", ["docs/how-to/calibrate.md"])
def test_the_targets_of_the_documentation_are_options_of_both(page):
    rows = re.findall(r"\| `(\w+)=[\d.]+` \| `(--[\w-]+) [\d.]+` \|", (ROOT / page).read_text(encoding="utf-8"))
    assert len(rows) >= 5
    options = flags(typer.main.get_command(app).commands["calibrate"])
    assert {flag for _, flag in rows} <= options
    assert {name for name, _ in rows} <= set(inspect.signature(calibrate).parameters)
