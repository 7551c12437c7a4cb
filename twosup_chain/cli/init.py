"""``twosup init``: writes a profile, the file that ``ask``, ``chat``, ``answer``, ``collect`` and ``serve`` read."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from twosup_chain import parts
from twosup_chain.cli.command import command
from twosup_chain.cli.console import note
from twosup_chain.cli.options import Models, Output, Trust
from twosup_chain.cli.profile import PROFILE
from twosup_chain.cli.tables import lines
from twosup_chain.errors import ConfigurationError

if TYPE_CHECKING:
    from twosup_chain.service.config import RouteTable

_HEAD = """\
# Read by twosup ask, chat, answer and collect in this folder; options come before it.
# twosup serve --config {path} serves it. No key stands here:
# remote_key names the variable of the environment that holds it.
"""
_WIDTH = 78


@dataclass(frozen=True, kw_only=True)
class Keys(Models):
    """The two models; what no option says is asked for in a terminal.

    Args:
        remote_key: The variable of the environment that holds the remote model's key, by default its provider's usual
            one; the key itself goes nowhere.
    """

    remote_key: Annotated[str | None, typer.Option(metavar="VARIABLE")] = None


@dataclass(frozen=True, kw_only=True)
class Judged(Trust):
    """The two supervisors.

    Args:
        calibration: The file of ``twosup calibrate`` that sets both.
    """

    calibration: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is kept, and where.

    Args:
        records: The file that ``twosup collect`` writes.
        log: Where decisions are logged: a SQLite file, or a ``postgresql://`` URL. Without it none is.
        name: What the route is called.
        out: The profile.
        force: Write over a profile that there is.
    """

    panel: ClassVar[str] = "Files"
    records: Path = Path("records.jsonl")
    log: Annotated[str | None, typer.Option(metavar="FILE|URL")] = None
    name: str = "default"
    out: Annotated[Path, typer.Option("--out", "-o")] = PROFILE
    force: bool = False


@command()
def init(models: Keys, trust: Judged, kept: Kept, output: Output) -> None:
    """Write a profile: which models answer, whom to trust, the name of the key's variable, where records go.

    [bold]Examples[/bold]

    [cyan]twosup init[/cyan]

    [cyan]twosup init --remote openai:gpt-4.1-mini --calibration calibration.json --force[/cyan]
    """
    if kept.out.exists() and not kept.force:
        raise ConfigurationError(f"{kept.out} is there already: change it, or write over it with --force")
    from twosup_chain._atomic import write_atomically
    from twosup_chain.service.config import RouteTable, checked

    models = _asked(models)
    fields = {"local": models.local or parts.READER, "records": str(kept.records)}
    key = None
    if models.remote is not None:
        usual = parts.key_variable(models.remote, models.remote_url)
        key = models.remote_key or usual
        named = {"remote": models.remote, "remote_key": key, "remote_url": models.remote_url}
        fields |= {name: value for name, value in named.items() if value}
    trusted, head = _trusted(models, trust)
    table = checked(RouteTable, {**fields, **trusted}, "options")
    text = _HEAD.format(path=kept.out) + head + _written(table, kept)
    write_atomically(kept.out, text)
    output.show(lambda: {"path": str(kept.out), kept.name: {**fields, **trusted}}, lambda: lines(text.rstrip()))
    note(f"{kept.out} is written: twosup ask, chat, answer and collect in this folder follow it")
    if models.remote is not None and key is None:
        provider = models.remote.partition(":")[0]
        note(f"no remote_key is written: the variable of {provider}'s key is not known here; --remote-key names it")
    if key and not os.environ.get(key) and models.remote_url is None:
        note(f"{key} is not in the environment yet: the remote model's key is read from there")


def _asked(models: Keys) -> Keys:
    """Returns the models, after asking in a terminal for those that no option names."""
    if models.local is not None or models.remote is not None or sys.stdin is None or not sys.stdin.isatty():
        return models
    local = typer.prompt("Local model: reader, reader:base or llama:PATH", default=parts.READER, err=True)
    remote = typer.prompt("Hosted model as provider:model (nothing: none)", default="", show_default=False, err=True)
    key = models.remote_key or (parts.key_variable(remote, models.remote_url) if remote else None)
    if key:
        key = typer.prompt("Variable of the environment with its key", default=key, err=True)
    return replace(models, local=local, remote=remote or None, remote_key=key)


def _trusted(models: Keys, trust: Judged) -> tuple[dict[str, str | float], str]:
    """Returns whom to trust, and a remark for the file on what was fitted on other data."""
    if trust.calibration is not None:
        return {"calibration": str(trust.calibration), "chat": "question", **_given(trust)}, ""
    from twosup_chain.cli.answering import trusting

    fields = {"local": models.local, "remote": models.remote, **_given(trust)}
    found, remark = trusting({name: value for name, value in fields.items() if value is not None})
    return {name: value for name, value in found.items() if name not in ("local", "remote")}, _comment(remark)


def _comment(remark: str) -> str:
    return fill(remark, _WIDTH, initial_indent="# ", subsequent_indent="# ") + "\n" if remark else ""


def _given(trust: Judged) -> dict[str, str | float]:
    names = [f"{role}_{what}" for role in ("local", "remote") for what in ("scorer", "threshold")]
    return {name: value for name in names if (value := getattr(trust, name)) is not None}


def _written(table: RouteTable, kept: Kept) -> str:
    """Returns the tables as TOML."""
    fields = table.model_dump(mode="json", exclude_unset=True)
    name = kept.name if re.fullmatch(r"[\w-]+", kept.name, re.ASCII) else _toml(kept.name)
    written = [f"[routes.{name}]", *(f"{field} = {_toml(value)}" for field, value in fields.items())]
    if kept.log is not None:
        written += ["", "[log]", f"where = {_toml(kept.log)}"]
    return "\n".join(written) + "\n"


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)  # JSON's texts, numbers and truth values are TOML's
