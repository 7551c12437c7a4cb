"""The companion wheel holds the larger reader, is below 100 MB, and installing it is all that ``"base"`` needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from twosup_chain.reader.folder import MODEL_FILE

COMPANION = Path(__file__).parents[2] / "companions" / "reader_base"
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not (COMPANION / f"{MODEL_FILE}.gz").is_file(), reason=f"{COMPANION} holds no model"),
]

CODE = """
from twosup_chain import ExtractiveReader
reader = ExtractiveReader(model="base", num_threads=2)
passage = "The mill at Upper Dean was built in 1790 by Anna Hartley. It burnt down in 1851. "
question = {"question": "Who built the mill?", "context": passage}
print(reader.invoke(question).model, reader.invoke(question).text)
reader.batch([{**question, "context": passage * (1 + i % 8)} for i in range(24)])
print([int(line.split()[1]) / 1e3 for line in open("/proc/self/status") if line.startswith("VmRSS")][0])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built by the command that CONTRIBUTING.md gives."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, COMPANION]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (built,) = folder.iterdir()
    return built


def test_the_wheel_is_below_100_megabytes(wheel):
    assert wheel.name.startswith("twosup_chain_reader_base-1.")
    assert 50e6 < wheel.stat().st_size < 100e6


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_installed_it_answers_in_less_than_500_megabytes(wheel, tmp_path):
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path, wheel]
    subprocess.run(install, check=True, capture_output=True, text=True)
    there = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", CODE], env=there, capture_output=True, text=True, check=True)
    model, megabytes = done.stdout.splitlines()
    assert model.startswith("twosup-reader-base@")
    assert model.endswith(" Anna Hartley")
    assert float(megabytes) < 500
