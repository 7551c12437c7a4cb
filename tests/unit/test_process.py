"""What belongs to a process: built once for all its threads, anew in a child, and forgotten with whoever held it."""

from __future__ import annotations

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from time import sleep

import pytest

from twosup_chain import _process
from twosup_chain._process import Loaded


class Thing:
    """What is built; the number says how often something was."""

    made = count(1)

    def __init__(self) -> None:
        sleep(0.01)
        self.number = next(Thing.made)


@pytest.fixture(autouse=True)
def first(monkeypatch):
    monkeypatch.setattr(Thing, "made", count(1))


def test_it_is_built_at_the_first_use_and_once_for_all_threads():
    loaded = Loaded(Thing)
    assert not loaded.there
    assert not loaded.hooked
    with ThreadPoolExecutor(8) as pool:
        assert {thing.number for thing in pool.map(lambda _: loaded.get(), range(32))} == {1}
    assert loaded.there
    assert loaded.hooked


def test_it_is_closed_with_whoever_held_it_and_no_fork_remembers_it():
    gc.collect()
    closed, before = [], len(_process._LOADED)
    for _ in range(50):
        Loaded(Thing, closed.append).get()
    gc.collect()
    assert [thing.number for thing in closed] == list(range(1, 51))
    assert len(_process._LOADED) == before


def test_dropped_it_is_closed_and_built_anew():
    closed = []
    loaded = Loaded(Thing, closed.append)
    first = loaded.get()
    loaded.drop()
    assert closed == [first]
    assert loaded.get().number == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_builds_its_own_and_leaves_its_parents_alone():
    closed = []
    loaded = Loaded(Thing, closed.append)
    loaded.get()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, f"{loaded.there} {loaded.get().number} {closed}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 99) == b"False 2 []"
    os.close(reading)
    os.close(writing)
    assert loaded.get().number == 1
