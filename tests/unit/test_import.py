"""What importing the package costs and loads: no engine, no LangChain, next to no time."""

from __future__ import annotations

import statistics
import subprocess
import sys

import pytest

import twosup_chain

ENGINES = (
    "onnxruntime",
    "llama_cpp",
    "torch",
    "transformers",
    "matplotlib",
    "langchain",
    "langchain_openai",
    "tokenizers",
)


def _python(code: str) -> str:
    """Returns what a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_everything_loads_no_engine_and_making_a_reader_neither():
    statement = "from twosup_chain import *; ExtractiveReader()"
    assert _python(f"import sys; {statement}; print([m for m in {ENGINES!r} if m in sys.modules])") == "[]\n"


def test_importing_the_package_alone_does_not_even_load_langchain_core_or_numpy():
    assert (
        _python("import sys, twosup_chain; print({'langchain_core', 'numpy', 'pydantic'} & {*sys.modules})")
        == "set()\n"
    )


def test_every_public_name_can_be_imported_and_is_listed():
    assert all(getattr(twosup_chain, name) is not None for name in twosup_chain.__all__)
    assert sorted(twosup_chain.__all__) == twosup_chain.__all__
    assert {*twosup_chain.__all__} <= {*dir(twosup_chain)}


def _seconds(statement: str) -> float:
    """Returns how much processor time a statement takes in a fresh interpreter, measured there."""
    return float(_python(f"from time import process_time as t; t0 = t(); {statement}; print(t() - t0)"))


def _ratio(statement: str, reference: str, rounds: int) -> float:
    """Returns the ratio of the medians of several runs; they alternate, so that a slow moment slows both."""
    pairs = [(_seconds(statement), _seconds(reference)) for _ in range(rounds)]
    ours, theirs = map(statistics.median, zip(*pairs, strict=True))
    return ours / theirs


def test_importing_the_package_costs_at_most_one_and_a_half_times_the_runnables_it_builds_on():
    assert _ratio("import twosup_chain", "import langchain_core.runnables", rounds=3) <= 1.5


@pytest.mark.benchmark
def test_importing_the_chain_costs_at_most_one_and_a_half_times_the_runnable_that_it_is():
    statement = "from twosup_chain import TwoSupervisorChain, Supervisor"
    ratio = _ratio(statement, "from langchain_core.runnables import RunnableSerializable", rounds=9)
    assert ratio <= 1.5, f"{ratio:.2f}"
