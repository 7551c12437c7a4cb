"""`Store`: the database of a service, a file of SQLite's or a server of Postgres's, with one writer a process.

What is to be written is a job. The writer takes all that wait and does them in one transaction; whoever waits for a job
is told once that is committed. So a process that is killed loses nothing that was acknowledged, and many who wait
together wait for one write to the disk. Writers of several processes take turns, in Postgres too: what a job has read
is true until it is committed.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from time import monotonic, sleep
from typing import Any, Protocol, TypeVar

from twosup_chain._process import Loaded
from twosup_chain._secrets import scrub
from twosup_chain.errors import ConfigurationError, MissingExtraError, TwosupError

Result = TypeVar("Result")

_POSTGRES = ("postgres://", "postgresql://")
#: How long a writer waits for its turn, in seconds.
_PATIENCE = 30.0
#: How long until it tries again where SQLite does not wait, in seconds.
_AGAIN = 0.01
#: The most jobs of one transaction.
_MOST = 500
#: The lock that writers of one Postgres database take turns by.
_LOCK = 7_205_759_403_792_793_601

_VERSION = "SELECT version FROM twosup_version"
#: How the tables came to be, a version each; what stands here is never changed, only added to.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        (
            "CREATE TABLE decisions (id TEXT PRIMARY KEY, time DOUBLE PRECISION NOT NULL, route TEXT NOT NULL, "
            "body TEXT NOT NULL)"
        ),
        "CREATE INDEX decisions_by_time ON decisions (time)",
        (
            "CREATE TABLE feedback (id TEXT PRIMARY KEY, time DOUBLE PRECISION NOT NULL, decision TEXT NOT NULL, "
            "body TEXT NOT NULL)"
        ),
        "CREATE INDEX feedback_by_decision ON feedback (decision)",
        (
            "CREATE TABLE spending (purse TEXT NOT NULL, period TEXT NOT NULL, amount DOUBLE PRECISION NOT NULL, "
            "PRIMARY KEY (purse, period))"
        ),
    ),
    ("CREATE TABLE replies (id TEXT PRIMARY KEY, body TEXT NOT NULL)",),
)


class StoreError(TwosupError):
    """The database cannot be opened, or what was to be written could not be."""


class Connection(Protocol):
    """What is needed of a connection to a database; ``?`` stands for a value in every statement."""

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Runs a statement, and returns the rows that it gives."""

    def stream(self, statement: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Runs a query, and gives its rows as they come."""

    def begin(self) -> None:
        """Begins a transaction, once no other writer is at work."""

    def close(self) -> None:
        """Closes it; what is not committed is undone."""


class Store:
    """A database with the tables of a service; they are made, or brought up to date, when it is first used.

    Args:
        where: The path of a SQLite file, which is made if it is not there, or the URL of a Postgres database
            (``postgresql://…``; extra ``postgres``).

    Raises:
        StoreError: At the first use: it cannot be opened, or was written by a newer version.
        MissingExtraError: At the first use: psycopg is not installed.
    """

    def __init__(self, where: str | Path) -> None:
        if not str(where).strip():
            raise ConfigurationError(f"store={where!r}: give the path of a SQLite file, or a postgresql:// URL")
        self._where = str(where)
        self._writer = Loaded(partial(_Writer, partial(_opened, self._where, repr(self))), _Writer.close)

    def __reduce__(self) -> tuple[type, tuple[str]]:
        """A copy has a writer of its own."""
        return type(self), (self._where,)

    def __repr__(self) -> str:
        return f"Store({scrub(self._where) if '://' not in self._where else 'postgresql://…'!r})"

    def write(self, job: Callable[[Connection], Result]) -> Future[Result]:
        """Has a job done in a transaction; the future holds what it returns, once that is committed.

        A job may be done twice, the first time in vain: all that it does, it does to the connection.
        """
        return self._writer.get().put(job)

    def read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Returns the rows of a query."""
        return list(self.stream(statement, *values))

    def stream(self, statement: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Gives the rows of a query as they come."""
        with closing(_opened(self._where, repr(self))) as connection:
            yield from connection.stream(statement, *values)

    def flush(self) -> None:
        """Waits until all that was to be written is committed."""
        if self._writer.there:
            self.write(lambda _: None).result()

    def close(self) -> None:
        """Writes what waits, and closes the connection; the next use opens another."""
        self._writer.drop()


def _opened(where: str, shown: str) -> Connection:
    """Returns a new connection, once the tables are up to date."""
    connection = _Postgres(where) if where.startswith(_POSTGRES) else _SQLite(where)
    try:
        _migrate(connection, shown)
    except BaseException:
        connection.close()
        raise
    return connection


class _SQLite:
    def __init__(self, path: str) -> None:
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._own = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
            self._write_ahead()
            self.run("PRAGMA synchronous=FULL")
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the SQLite file {path} cannot be opened: {error}") from error

    def _write_ahead(self) -> None:
        """Has changes written ahead; where another connection does so just now, SQLite does not wait by itself."""
        until = monotonic() + _PATIENCE
        while True:
            try:
                self.run("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or monotonic() > until:
                    raise
                sleep(_AGAIN)
            else:
                return

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self._own.execute(statement, values).fetchall()

    def stream(self, statement: str, *values: object) -> Iterator[tuple[Any, ...]]:
        yield from self._own.execute(statement, values)

    def begin(self) -> None:
        self.run("BEGIN IMMEDIATE")

    def close(self) -> None:
        self._own.close()


class _Postgres:
    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ImportError:
            raise MissingExtraError("a store in Postgres", "psycopg", "postgres") from None
        try:
            self._own = psycopg.connect(url, autocommit=True, connect_timeout=int(_PATIENCE))
        except psycopg.Error as error:
            raise StoreError(f"the Postgres database cannot be reached: {scrub(str(error), url)}") from None

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        cursor = self._own.execute(statement.replace("?", "%s"), values or None)
        return cursor.fetchall() if cursor.description else []

    def stream(self, statement: str, *values: object) -> Iterator[tuple[Any, ...]]:
        with self._own.transaction(), self._own.cursor("twosup") as cursor:  # on the server: rows come in portions
            yield from cursor.execute(statement.replace("?", "%s"), values or None)

    def begin(self) -> None:
        self.run("BEGIN")
        self.run("SELECT pg_advisory_xact_lock(?)", _LOCK)

    def close(self) -> None:
        self._own.close()


def _migrate(connection: Connection, where: str) -> None:
    """Makes the tables, or brings them up to date."""
    newest = len(MIGRATIONS)
    with suppress(Exception):  # there is no such table, unless something is wrong, which the next lines meet as well
        if connection.run(_VERSION) == [(newest,)]:
            return
    connection.begin()
    connection.run("CREATE TABLE IF NOT EXISTS twosup_version (version INTEGER NOT NULL)")
    found = next((version for (version,) in connection.run(_VERSION)), 0)
    if found > newest:
        raise StoreError(f"{where} is of version {found}, and this twosup_chain reads up to {newest}: upgrade it")
    for statement in (statement for version in MIGRATIONS[found:] for statement in version):
        connection.run(statement)
    connection.run("DELETE FROM twosup_version")
    connection.run("INSERT INTO twosup_version VALUES (?)", newest)
    connection.run("COMMIT")


class _Writer:
    """Does jobs on a thread of its own, all that wait in one transaction."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = connect()
        self._jobs: SimpleQueue[tuple[Callable[[Connection], Any], Future[Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="twosup-store", daemon=True)
        self._thread.start()

    def put(self, job: Callable[[Connection], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        self._jobs.put((job, future))
        return future

    def close(self) -> None:
        self._jobs.put(None)
        if threading.current_thread() is not self._thread:  # where nobody holds the store any longer, it may be
            self._thread.join()

    def _work(self) -> None:
        group = [self._jobs.get()]
        while True:
            while len(group) < _MOST and not self._jobs.empty():
                group.append(self._jobs.get())
            jobs = [item for item in group if item is not None]
            for _, future in jobs:
                future.set_running_or_notify_cancel()  # it is done even where nobody waits for it any longer
            self._do(jobs)
            if len(jobs) < len(group):
                self._forget()
                return
            group = [self._jobs.get()]

    def _do(self, jobs: Sequence[tuple[Callable[[Connection], Any], Future[Any]]], *, again: bool = True) -> None:
        try:
            results = self._transaction([job for job, _ in jobs])
        except Exception as error:  # noqa: BLE001 (whoever waits is told)
            self._forget()
            for job, future in jobs:
                if again:  # alone: no job fails for another, and the connection may have been lost
                    self._do([(job, future)], again=False)
                elif not future.cancelled():
                    future.set_exception(error)
            return
        for (_, future), result in zip(jobs, results, strict=True):
            if not future.cancelled():
                future.set_result(result)

    def _transaction(self, jobs: Sequence[Callable[[Connection], Any]]) -> list[Any]:
        if not jobs:
            return []
        connection = self._connection = self._connection or self._connect()
        connection.begin()
        results = [job(connection) for job in jobs]
        connection.run("COMMIT")
        return results

    def _forget(self) -> None:
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
        self._connection = None
