"""The user's own code by name: found, run once, and a clear error where it is not there."""

from __future__ import annotations

import math
import sys

import pytest

from twosup_chain._own import load_own
from twosup_chain.errors import ConfigurationError

FILE = """
from dataclasses import dataclass

@dataclass
class Scale:
    factor: float = 2.0

class Inner:
    sure = 0.9

def half(question, answer):
    return 0.5
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def test_a_name_in_a_file_is_found_and_the_file_is_run_once(file):
    assert load_own(f"{file}:half")(None, None) == 0.5
    assert load_own(f"{file}:Inner.sure") == 0.9
    assert load_own(f"{file}:Scale") is load_own(f"{file}:Scale")
    assert load_own(f"{file}:Scale")().factor == 2.0


def test_a_name_in_an_importable_module_is_found():
    assert load_own("math:sqrt") is math.sqrt


@pytest.mark.parametrize("spec", ["half", ":half", "mine.py:", "mine.py:1st", "mine.py:a..b"])
def test_what_names_nothing_is_said_with_how_to_write_it(spec):
    with pytest.raises(ConfigurationError, match=r"--scorer '.*' names nothing .*'module:name'"):
        load_own(spec, "--scorer")


def test_a_name_that_is_not_there_lists_those_that_are(file):
    with pytest.raises(ConfigurationError, match=r"has no 'halve'; it has Inner, Scale, dataclass, half"):
        load_own(f"{file}:halve")


def test_a_module_that_cannot_be_imported_says_why_and_how_files_are_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"no_such\.module cannot be imported: .*'no_such/module\.py:half'"):
        load_own("no_such.module:half")
    with pytest.raises(ConfigurationError, match="FileNotFoundError"):
        load_own(f"{tmp_path}/none.py:half")
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0")
    before = set(sys.modules)
    with pytest.raises(ConfigurationError, match="ZeroDivisionError"):
        load_own(f"{broken}:half")
    assert set(sys.modules) == before
