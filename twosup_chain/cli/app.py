"""The commands of ``twosup`` under one roof, and how every one of them ends.

An error is one red line on stderr and an exit code: 2 for bad input, 130 for Ctrl-C, 1 for everything else.
"""

import os
import sys
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from twosup_chain._version import __version__
from twosup_chain.cli.answer import answer
from twosup_chain.cli.ask import ask
from twosup_chain.cli.calibrate import calibrate
from twosup_chain.cli.chat import chat
from twosup_chain.cli.check import check
from twosup_chain.cli.collect import collect
from twosup_chain.cli.console import fail, note
from twosup_chain.cli.demo import demo
from twosup_chain.cli.evaluate import evaluate
from twosup_chain.cli.evaluate_reader import evaluate_reader
from twosup_chain.cli.export_reader import export_reader
from twosup_chain.cli.fit_scorer import fit_scorer
from twosup_chain.cli.init import init
from twosup_chain.cli.log import feedback, log
from twosup_chain.cli.models import models
from twosup_chain.cli.observe import observe
from twosup_chain.cli.recalibrate import recalibrate
from twosup_chain.cli.replicate import replicate
from twosup_chain.cli.serve import serve
from twosup_chain.cli.train_classifier import train_classifier
from twosup_chain.cli.train_reader import train_reader
from twosup_chain.errors import CalibrationFileError, ConfigurationError, InputError

#: The least width, in characters, that anything can be set in.
_NARROWEST = 20
_FAILED, _BAD_INPUT, _INTERRUPTED = 1, 2, 130
_FIT_SCORER = {"fit-supervisor": "fit-scorer", "--place": "--role", "--signal": "--feature"}
#: What words of the command line are called today, by the command that they stand after.
_TODAY = {"fit-scorer": _FIT_SCORER, "fit-supervisor": _FIT_SCORER}


class _Commands(TyperGroup):
    """The commands; whatever goes wrong in one ends as a line and an exit code."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Runs the command line and exits, as Typer's own does, but never with a traceback."""
        width = os.environ.get("COLUMNS", "")
        if width.isdigit() and int(width) < _NARROWEST:
            del os.environ["COLUMNS"]  # as a terminal without a size says it: the usual one is meant
        warnings.showwarning = lambda message, *_, **__: note(f"{message}")
        if sys.stdout is None:
            fail("standard output is closed: there is nothing to print to")
            sys.exit(_FAILED)
        try:
            code = super().main(*args, **{**options, "standalone_mode": False})
        except typer.Abort:
            fail("interrupted")
            code = _INTERRUPTED
        except Exception as error:  # noqa: BLE001 - the last line of defence
            code = _report(error)
        sys.exit(code if isinstance(code, int) else 0)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Finds the command, also by the words that it and its options had before."""
        today = _TODAY.get(args[0])
        if today is not None:
            args = [_renamed(today, word) for word in args]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Runs a command; Ctrl-C is said aloud."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Abort from None


def _renamed(today: dict[str, str], word: str) -> str:
    name, equals, value = word.partition("=")
    return today.get(name, name) + equals + value


def _report(error: Exception) -> int:
    if callable(usage := getattr(error, "format_message", None)):  # Typer's own: a wrong option, a missing argument
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "twosup"
        fail(f"{str(usage()).rstrip('.')} (see {path} --help)")
        return int(getattr(error, "exit_code", _BAD_INPUT))
    if type(error).__module__.startswith("twosup_chain."):
        fail(str(error))
        return _BAD_INPUT if isinstance(error, (CalibrationFileError, ConfigurationError, InputError)) else _FAILED
    from twosup_chain._options import told

    fail(told(error))
    return _FAILED


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (
    answer,
    ask,
    calibrate,
    chat,
    check,
    collect,
    demo,
    evaluate,
    evaluate_reader,
    export_reader,
    feedback,
    fit_scorer,
    init,
    models,
    observe,
    recalibrate,
    replicate,
    serve,
    train_classifier,
    train_reader,
):
    app.command()(_command)

app.add_typer(log, name="log")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"twosup {__version__}")
        raise typer.Exit


@app.callback()
def _twosup(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Answer questions with a small local model where it can be trusted, with a hosted one where not, or not at all.

    Start with [bold]twosup demo[/bold]: it needs no key, no server and no download.
    """
