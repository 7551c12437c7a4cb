"""Commands from option records: one place for name, type, default and help."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import pytest
import typer
from typer.testing import CliRunner

from twosup_chain.cli.command import command
from twosup_chain.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Base:
    """What both know.

    Args:
        size: How large, like ``small`` or ``[vast]``; see `seed`.
            It may be anything.
        seed: Not this one.
    """

    panel: ClassVar[str] = "Sizes"
    size: Annotated[str, typer.Option("--size", "-s", metavar="WORD")] = "small"
    seed: int = 3


@dataclass(frozen=True, kw_only=True)
class Derived(Base):
    """What one knows.

    Args:
        most_of_all: Names beside `size`; see `most_of_all`.
        quick: Whether it is.
        shares: Names with numbers.
        seed: The seed.
    """

    most_of_all: tuple[str, ...]
    quick: bool = False
    shares: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Other:
    """Written without a thought of the command line.

    Args:
        seed: Another.
    """

    seed: int = 0


@pytest.fixture
def run():
    """Returns a function that runs a command of two records, and returns what it was called with and the output."""
    called = []

    @command(most_of_all=typer.Option("--most"))
    def show(first: Derived, second: Other) -> None:
        """Show it."""
        called.append((first, second))

    app = typer.Typer()
    app.command()(show)

    def call(*args):
        result = CliRunner().invoke(app, list(args), env={"COLUMNS": "120"})
        return (called.pop() if called else None), result

    return call


def test_a_command_is_called_with_its_records(run):
    called, _ = run("--most", "a", "--most", "b", "-s", "big", "--shares", "x=0.5", "--seed", "7")
    first = Derived(size="big", seed=7, most_of_all=("a", "b"), shares={"x": 0.5})
    assert called == (first, Other(seed=7))


def test_defaults_are_the_records_own_and_the_first_record_says_them(run):
    called, _ = run("--most", "a")
    assert called == (Derived(most_of_all=("a",)), Other(seed=3))


def test_a_field_without_default_is_required(run):
    called, result = run()
    assert (called, result.exit_code) == (None, 2)
    assert "--most" in result.output


def test_help_is_what_the_class_says_with_the_names_of_options(run):
    shown = " ".join(run("--help")[1].output.replace("│", " ").split())
    assert "Show it." in shown
    assert "How large, like small or [vast]; see --seed. It may be anything. [default: small]" in shown
    assert "The seed. [default: 3]" in shown
    assert "Names beside --size; see --most." in shown
    assert "--no-quick" not in shown
    assert "Sizes" in shown
    assert "Not this one" not in shown
    assert "Another" not in shown


def test_a_pair_that_is_none_is_named(run):
    _, result = run("--most", "a", "--shares", "x")
    assert isinstance(result.exception, ConfigurationError)
    assert "'x' is not NAME=NUMBER" in str(result.exception)
