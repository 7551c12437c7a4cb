"""The command line as a whole: help, version, how errors and Ctrl-C end, and that it starts light."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from twosup_chain import __version__, parts
from twosup_chain.cli import models
from twosup_chain.errors import MissingExtraError, NotTextError

COMMANDS = (
    "ask",
    "calibrate",
    "chat",
    "check",
    "collect",
    "demo",
    "evaluate",
    "evaluate-reader",
    "export-reader",
    "fit-scorer",
    "init",
    "models",
    "replicate",
    "train-classifier",
    "train-reader",
)
HEAVY = ("onnxruntime", "llama_cpp", "torch", "matplotlib", "langchain", "langchain_core", "langchain_openai", "numpy")


def test_help_names_every_command(twosup):
    result = twosup("--help")
    assert result.exit_code == 0
    for command in COMMANDS:
        assert f"│ {command} " in result.stdout


def test_without_arguments_the_help_is_shown(twosup):
    assert "Usage: twosup" in twosup().output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(twosup, command):
    result = twosup(command, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout
    assert f"Usage: twosup {command}" in result.stdout


def test_version(twosup):
    assert twosup("--version").stdout == f"twosup {__version__}\n"


def test_an_unknown_command_is_one_line_with_exit_code_2(twosup):
    result = twosup("aks")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: No such command 'aks'. Did you mean 'ask'")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (EOFError(), 130, "error: interrupted\n"),
        (MissingExtraError("x", "y", "z"), 1, "error: x needs y: pip install 'twosup-chain[z]'\n"),
        (NotTextError("a [b]"), 1, "error: a [b]\n"),
        (OSError(28, "No space left"), 1, "error: OSError: [Errno 28] No space left\n"),
        (RuntimeError("two\nlines"), 1, "error: RuntimeError: two lines\n"),
        (ValueError("sk-abcdefgh123"), 1, "error: ValueError: ***\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_whatever_goes_wrong_is_one_line_and_an_exit_code(twosup, monkeypatch, context, error, code, line):
    def fail(*_):
        raise error

    monkeypatch.setattr(parts, "local_answerer", fail)
    result = twosup("ask", "Who?", "-c", context)
    assert (result.exit_code, result.stderr.lstrip("\n"), result.stdout) == (code, line, "")


@pytest.mark.parametrize(
    "args", [["--help"], ["--version"], ["models"], ["ask", "--help"], ["ask", "Who?"], ["replicate", "--help"]]
)
def test_help_and_models_import_nothing_heavy(args):
    code = (
        "import sys; from twosup_chain.cli import main\n"
        f"try: sys.argv[1:] = {args!r}; main()\n"
        f"except SystemExit: print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_models_lists_versions_and_the_command_for_what_is_missing(twosup, monkeypatch):
    monkeypatch.setattr(
        models,
        "ENGINES",
        (
            models.Engine("typer", "is here", "pip install typer"),
            models.Engine("there-is-no-such-package", "is [not] here", "pip install 'twosup-chain[x]'"),
        ),
    )
    result = twosup("models")
    assert result.exit_code == 0
    here, missing, command = result.stdout.rstrip().splitlines()[-3:]
    assert here.split()[0] == "typer"
    assert "missing" not in here
    assert missing.split() == ["there-is-no-such-package", "missing", "is", "[not]", "here"]
    assert command.strip() == "pip install 'twosup-chain[x]'"


def test_models_names_every_optional_engine(twosup):
    shown = twosup("models").stdout
    for package in (
        "llama-cpp-python",
        "langchain-openai",
        "sentence-transformers",
        "torch",
        "transformers",
        "matplotlib",
    ):
        assert package in shown


@pytest.mark.parametrize(("line", "offered"), [("twosup as", "ask"), ("twosup chat --cal", "--calibration")])
def test_the_shell_completes_commands_and_options(line, offered):
    told = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1), "_TWOSUP_COMPLETE": "complete_bash"}
    command = [sys.executable, "-c", "from twosup_chain.cli import main; main()"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **told})
    assert done.stdout.split() == [offered]
