"""Stores to test on: a SQLite file and, where the machine has one, a Postgres server of the tests' own."""

from __future__ import annotations

import postgres
import pytest

from twosup_chain.service.store import Store


@pytest.fixture(scope="session")
def server():
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def where(request, tmp_path):
    """Where a new, empty store is."""
    if request.param == "sqlite":
        yield str(tmp_path / "twosup.db")
        return
    import psycopg

    url = request.getfixturevalue("server")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    yield url


@pytest.fixture
def store(where):
    made = Store(where)
    yield made
    made.close()
