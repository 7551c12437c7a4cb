"""How a server is run: in this process, or in several, each of which loads its own models after it was started."""

from __future__ import annotations

import os
import signal
import sys
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from twosup_chain.errors import ConfigurationError, MissingExtraError
from twosup_chain.service.app import Service
from twosup_chain.service.build import routes
from twosup_chain.service.config import ServerTable, checked, load
from twosup_chain.service.http import Keys
from twosup_chain.service.metrics import SHARED

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.applications import Starlette

#: The variables that tell a worker process which file it serves, and where, if not where the file says.
CONFIG, HOST = "TWOSUP_CONFIG", "TWOSUP_HOST"

#: How long a connection may idle, in seconds: longer than clients and proxies keep one, so that they close it, and no
#: request meets a connection that is being closed.
KEEP_ALIVE = 75


def service(path: str | Path, **changed: Any) -> Service:
    """Returns the server of a file; nothing is loaded yet.

    Args:
        path: The file.
        **changed: Options of its ``[server]`` that are others.

    Raises:
        TwosupError: The file, a part of a route or a key is wrong.
    """
    config = load(path)
    server = checked(ServerTable, {**config.server.model_dump(), **changed}, "--host")
    return Service(routes(config), server, Keys.of(server))


def app() -> Starlette:
    """Returns the ASGI application of the file that `CONFIG` names, for ``uvicorn --factory`` and worker processes."""
    if path := os.environ.get(CONFIG):
        changed = {"host": host} if (host := os.environ.get(HOST)) else {}
        return service(path, **changed).app()
    raise ConfigurationError(f"set {CONFIG} in the environment to the path of a twosup.toml")


def run(served: Service, path: Path | None = None) -> None:
    """Serves until it is told to end (SIGTERM, Ctrl-C); requests under way have their time.

    Args:
        served: The server.
        path: Its file, which worker processes read.

    Raises:
        MissingExtraError: uvicorn is not installed.
    """
    try:
        import uvicorn
    except ImportError:
        raise MissingExtraError("twosup serve", "uvicorn", "serve") from None
    for told in (signal.SIGTERM, signal.SIGINT):  # which uvicorn raises again once it has ended: this is its end
        signal.signal(told, lambda *_: sys.exit(0))
    server = served.server
    options: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "timeout_graceful_shutdown": server.grace,
        "timeout_keep_alive": KEEP_ALIVE,
        "access_log": False,
        "backlog": 2048,
    }
    if server.workers == 1 or path is None:
        uvicorn.run(served.app(), **options)
        return
    with TemporaryDirectory(prefix="twosup-") as counts:  # the workers count together
        os.environ |= {CONFIG: str(path), HOST: server.host, SHARED: counts}
        uvicorn.run(f"{__name__}:app", factory=True, workers=server.workers, **options)
