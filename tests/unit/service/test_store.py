from __future__ import annotations

import copy
import gc
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from twosup_chain.errors import ConfigurationError
from twosup_chain.service import store as module
from twosup_chain.service.store import Store, StoreError

INSERT = "INSERT INTO spending VALUES (?, ?, ?)"


def put(store, purse, amount=1.0):
    return store.write(lambda connection: connection.run(INSERT, purse, "p", amount))


def purses(store):
    return {purse for (purse,) in store.read("SELECT purse FROM spending")}


def test_what_is_acknowledged_is_there_for_another_connection(store, where):
    put(store, "a").result()
    assert Store(where).read("SELECT * FROM spending") == [("a", "p", 1.0)]


def test_a_job_that_fails_fails_alone_and_leaves_nothing(store):
    def half(connection):
        connection.run(INSERT, "half", "p", 1.0)
        raise ZeroDivisionError

    jobs = [put(store, "a"), store.write(half), put(store, "b"), put(store, "a"), put(store, "c")]
    failed = [job for job in jobs if job.exception() is not None]
    assert failed == [jobs[1], jobs[3]]  # the other one: a key that is there
    assert purses(store) == {"a", "b", "c"}


def test_what_a_job_has_read_is_true_until_it_is_committed_among_writers(where):
    stores = [Store(where) for _ in range(4)]
    put(stores[0], "count", 0.0).result()

    def more(connection):
        ((amount,),) = connection.run("SELECT amount FROM spending WHERE purse = 'count'")
        connection.run("UPDATE spending SET amount = ? WHERE purse = 'count'", amount + 1.0)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda i: stores[i % 4].write(more).result(), range(200)))
    assert stores[0].read("SELECT amount FROM spending") == [(200.0,)]


def test_a_new_store_is_made_by_many_at_once(where):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda i: put(Store(where), str(i)).result(), range(8)))
    assert len(purses(Store(where))) == 8


def test_a_job_is_done_although_nobody_waits_for_it(store):
    futures = [put(store, str(i)) for i in range(50)]
    for future in futures:
        future.cancel()
    store.flush()
    assert len(purses(store)) == 50


def test_a_store_that_was_closed_opens_again_and_a_copy_has_a_writer_of_its_own(store):
    put(store, "a").result()
    store.close()
    another = copy.deepcopy(store)
    put(another, "b").result()
    assert purses(store) == {"a", "b"}


def test_a_store_that_nobody_holds_writes_what_waits_and_ends_its_thread(where):
    before = set(threading.enumerate())
    put(Store(where), "a")
    gc.collect()
    assert purses(Store(where)) == {"a"}
    assert set(threading.enumerate()) <= before


def test_an_older_store_is_brought_up_to_date_and_a_newer_one_refused(where, monkeypatch):
    put(Store(where), "a").result()
    more = (*module.MIGRATIONS, ("ALTER TABLE spending ADD COLUMN noted TEXT",))
    monkeypatch.setattr(module, "MIGRATIONS", more)
    assert Store(where).read("SELECT purse, noted FROM spending") == [("a", None)]
    monkeypatch.undo()
    with pytest.raises(StoreError, match="upgrade"):
        Store(where).read("SELECT 1")


def test_a_connection_that_is_lost_is_made_anew(where):
    if not where.startswith("postgresql"):
        pytest.skip("a file is not lost")
    store = Store(where)
    put(store, "a").result()
    store.read("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    put(store, "b").result()
    assert purses(store) == {"a", "b"}


def test_what_is_no_store_is_an_error_that_says_so(tmp_path):
    with pytest.raises(ConfigurationError, match="postgresql://"):
        Store(" ")
    (tmp_path / "text.db").write_text("no database " * 500)
    with pytest.raises(StoreError, match="text.db"):
        put(Store(tmp_path / "text.db"), "a")
    with pytest.raises(StoreError, match="cannot be opened"):
        put(Store(tmp_path), "a")


def test_a_password_in_a_url_is_not_shown():
    assert "hunter" not in repr(Store("postgresql://me:hunter2@nowhere.invalid/db"))
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError) as caught:
        put(Store("postgresql://me:hunter2@127.0.0.1:9/db"), "a")
    assert "hunter" not in str(caught.value)


def test_sqlite_works_in_wal_mode(tmp_path):
    put(Store(tmp_path / "a.db"), "a").result()
    assert sqlite3.connect(tmp_path / "a.db").execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_those_who_open_a_new_store_at_the_same_moment_wait_for_each_other(where, tmp_path):
    if "://" in where:
        pytest.skip("Postgres has no file to make")
    for number in range(20):
        stores = [Store(tmp_path / f"{number}.db") for _ in range(12)]
        together = threading.Barrier(len(stores))

        def use(store, together=together):
            together.wait()
            return store.write(lambda connection: connection.run("SELECT 1")).result()

        with ThreadPoolExecutor(len(stores)) as threads:
            assert list(threads.map(use, stores)) == [[(1,)]] * len(stores)
        for store in stores:
            store.close()
