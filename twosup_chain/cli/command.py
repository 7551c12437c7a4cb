"""Commands from option records: name, type, default and help of an option are written once, in a frozen dataclass.

A field is an option, and what its class says of it under ``Args:`` is its help. Where Typer is to know more (a short
name, a word for the value, a least value), the field is an ``Annotated[type, typer.Option(…)]``.
"""

import inspect
import re
import warnings
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import MISSING, Field, fields
from functools import wraps
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer
from rich.markup import escape
from typer.models import ArgumentInfo, OptionInfo

from twosup_chain.cli.console import note
from twosup_chain.cli.words import spoken
from twosup_chain.errors import ConfigurationError, TwosupError

#: What stands for the value of an option, by its type.
_METAVARS: dict[Any, str] = {int: "N", float: "NUMBER", str: "NAME", Path: "FILE"}

_ENTRY = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)
_LITERAL, _NAME = re.compile(r"``\"?(.+?)\"?``"), re.compile(r"`(\w+)`")


def command(**told: OptionInfo | ArgumentInfo) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes a function whose parameters are option records a command whose options are the records' fields.

    A field that several records share is one option, which goes into each of them. What Typer is to know of fields of
    records that were not written for the command line is `told` by their names.
    """

    def expand(function: Callable[..., None]) -> Callable[..., None]:
        records = {name: kind for name, kind in get_type_hints(function).items() if name != "return"}
        parameters: dict[str, inspect.Parameter] = {}
        for kind in records.values():
            for parameter in _parameters(kind, told):
                parameters.setdefault(parameter.name, parameter)
        flags = _flags(parameters.values())

        @wraps(function)
        def run(**given: Any) -> None:
            said: set[str] = set()

            def warn(message: Warning | str, *_: Any, **__: Any) -> None:
                if (line := spoken(str(message), flags)) not in said:  # several parts may find the same
                    said.add(line)
                    note(line)

            with warnings.catch_warnings():
                warnings.showwarning = warn
                try:
                    function(**{name: _filled(kind, given) for name, kind in records.items()})
                except TwosupError as error:
                    error.args = (spoken(str(error), flags),)
                    raise

        run.__signature__ = inspect.Signature(list(parameters.values()))  # type: ignore[attr-defined]
        run.__annotations__ = {name: parameter.annotation for name, parameter in parameters.items()}
        return run

    return expand


def flags_of(*kinds: Any) -> dict[str, str]:
    """Returns the options of records by the names of their fields, as `spoken` takes them."""
    return _flags([parameter for kind in kinds for parameter in _parameters(kind, {})])


def _flags(parameters: Iterable[inspect.Parameter]) -> dict[str, str]:
    found = {}
    for parameter in parameters:
        info = get_args(parameter.annotation)[1]
        word = info.default if isinstance(info, OptionInfo) else info.metavar
        found[parameter.name] = word if isinstance(word, str) else _flag(parameter.name)
    return found


def _parameters(kind: Any, told: dict[str, Any]) -> list[inspect.Parameter]:
    hints, helps, panel = get_type_hints(kind, include_extras=True), _helps(kind), getattr(kind, "panel", None)
    found: dict[str, inspect.Parameter] = {}
    flags: dict[str, str] = {}
    infos: dict[str, Any] = {}
    for field in fields(kind):
        name, hint, default = field.name, hints[field.name], _default(field)
        hint, *extras = get_args(hint) if get_origin(hint) is Annotated else [hint]
        infos[name] = info = copy(told.get(name) or next(iter(extras), typer.Option()))
        if isinstance(info, OptionInfo):
            info.rich_help_panel = panel
            info.metavar = info.metavar or _METAVARS.get(next(iter({hint, *get_args(hint)} & _METAVARS.keys()), None))
            if default is False and info.default is ...:
                info.default = _flag(name)  # without a --no-… beside it
        info.show_default = default is not inspect.Parameter.empty
        flags[name] = info.default if isinstance(info.default, str) else _flag(name)
        annotation = Annotated[_shown_type(hint, required=default is inspect.Parameter.empty), info]  # type: ignore[valid-type]
        found[name] = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
    for name, info in infos.items():
        info.help = _NAME.sub(lambda match: flags.get(match[1]) or _flag(match[1]), helps.get(name, ""))
    return list(found.values())


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default if field.default != () else None
    return inspect.Parameter.empty if field.default_factory is MISSING else None


def _shown_type(hint: Any, *, required: bool) -> Any:
    """Returns the type as Typer takes it: a tuple and a mapping are options that may be repeated."""
    if get_origin(hint) not in (tuple, dict):
        return hint
    several: Any = GenericAlias(list, (str if get_origin(hint) is dict else get_args(hint)[0],))
    return several if required else several | None


def _filled(kind: Any, given: dict[str, Any]) -> Any:
    hints = get_type_hints(kind)
    values = {}
    for field in fields(kind):
        value, origin = given[field.name], get_origin(hints[field.name])
        if origin is dict:
            value = dict(_pair(field.name, item) for item in value or ())
        values[field.name] = tuple(value or ()) if origin is tuple else value
    return kind(**values)


def _pair(name: str, item: str) -> tuple[str, float]:
    key, _, value = item.rpartition("=")
    try:
        return (key or item), float(value)
    except ValueError:
        raise ConfigurationError(f"{name}: {item!r} is not NAME=NUMBER, as in Books=0.5") from None


def _helps(kind: type) -> dict[str, str]:
    """Returns what the class and those that it is made of say of their fields, as Typer's markup."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        found |= {name: " ".join(text.split()) for name, text in _ENTRY.findall(inspect.cleandoc(base.__doc__ or ""))}
    return {name: _LITERAL.sub(r"[bold]\1[/bold]", escape(text)) for name, text in found.items()}
