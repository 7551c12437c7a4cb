"""``twosup serve``: the chains of a file as a server that any OpenAI client can ask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twosup_chain.cli.command import command
from twosup_chain.cli.console import note
from twosup_chain.errors import ConfigurationError

if TYPE_CHECKING:
    from twosup_chain.service.app import Service


@dataclass(frozen=True, kw_only=True)
class Served:
    """What is served.

    Args:
        config: The file that says which routes there are (``[server]`` and ``[routes.NAME]``, see README).
        demo: Serve the demo, which needs no file and no key: the packaged reader, and a recording in the hosted model's
            place.
        host: The address to listen on, in place of the file's.
        port: The port, in place of the file's.
    """

    config: Path | None = None
    demo: bool = False
    host: Annotated[str | None, typer.Option(metavar="ADDRESS")] = None
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None


@command()
def serve(served: Served) -> None:
    """Serve chains to any OpenAI client, with a typed no-answer.

    [bold]Examples[/bold]

    [cyan]twosup serve --demo[/cyan]

    [cyan]twosup serve --config twosup.toml[/cyan]
    """
    from twosup_chain.service.serving import run

    if served.demo == (served.config is not None):
        raise ConfigurationError("say what to serve: --config FILE, or --demo")
    with TemporaryDirectory(prefix="twosup-") as folder:  # the demo's log lasts as long as it does
        service = _service(served, Path(folder))
        shown = f"http://{service.server.host}:{service.server.port}"
        note(f"{', '.join(service.routes)} at {shown}/v1 (status: {shown}/, Ctrl-C ends)")
        run(service, served.config)


def _service(served: Served, folder: Path) -> Service:
    from twosup_chain.service.serving import service

    changed: dict[str, Any] = {name: value for name in ("host", "port") if (value := getattr(served, name)) is not None}
    if served.config is not None:
        return service(served.config, **changed)
    from twosup_chain.demo.stand_in import ROUTE, route
    from twosup_chain.service.app import Service
    from twosup_chain.service.config import ServerTable, checked
    from twosup_chain.service.log import DecisionLog

    return Service({ROUTE: route(DecisionLog(folder / "decisions.db"))}, checked(ServerTable, changed, "--host"))
