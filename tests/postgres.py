"""A Postgres server of a test's own, in a temporary folder; `missing` says why there can be none."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

_PLACES = [*map(str, Path("/usr/lib/postgresql").glob("*/bin")), os.environ.get("PATH", "")]


def _binary(name):
    return shutil.which(name, path=os.pathsep.join(_PLACES))


def missing():
    """Why no server can be started here; empty where one can."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed"
    if not (_binary("initdb") and _binary("postgres")):
        return "initdb and postgres are not installed (apt-get install postgresql)"
    return "" if os.geteuid() or _user() else "postgres does not run as root, and there is no other user to run it"


def _user():
    """The user that runs the server, where that must not be root."""
    if os.geteuid():
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


@contextmanager
def cluster(connections=100):
    """Starts a server that takes so many connections, and gives the URL of its database."""
    user, folder = _user(), Path(tempfile.mkdtemp(prefix="twosup-pg-"))
    if user:
        shutil.chown(folder, user)
    options = {"user": user, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    options |= {"env": {**os.environ, "LC_ALL": "C"}}
    data = folder / "data"
    subprocess.run([_binary("initdb"), "-D", data, "-U", "twosup", "-A", "trust", "-E", "UTF8"], check=True, **options)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        _binary("postgres"),
        "-D",
        data,
        "-p",
        str(port),
        "-k",
        folder,
        "-h",
        "127.0.0.1",
        "-N",
        str(connections),
    ]
    server = subprocess.Popen(command, **options)
    try:
        _wait(port)
        yield f"postgresql://twosup@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(2)  # fast shutdown
        server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port):
    import psycopg

    for _ in range(300):
        try:
            psycopg.connect(f"postgresql://twosup@127.0.0.1:{port}/postgres").close()
        except psycopg.Error:
            time.sleep(0.1)
        else:
            return
    message = "the Postgres server did not start within 30 s"
    raise RuntimeError(message)
