"""The command line where a stream is closed, full or of no width: the answer, or an error with its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.alone, pytest.mark.skipif(os.name != "posix", reason="descriptors are a matter of POSIX")]

PASSAGE = "The lighthouse was built in 1874 by Ada Marsh."
ASK = "ask 'When was the lighthouse built?' --local-threshold 0 -c {}"


@pytest.fixture
def passage(tmp_path):
    path = tmp_path / "passage.txt"
    path.write_text(PASSAGE)
    return path


def _run(command, redirection="", **environment):
    line = f"{sys.executable} -c 'from twosup_chain.cli import main; main()' {command} {redirection}"
    return subprocess.run(
        ["bash", "-c", line], check=False, capture_output=True, text=True, env={**os.environ, **environment}
    )


@pytest.mark.parametrize("columns", ["0", "00", "1", "-3", "wide", "", "20", "100000"])
def test_the_answer_is_shown_whatever_the_width(passage, columns):
    run = _run(ASK.format(passage), COLUMNS=columns)
    assert (run.returncode, run.stderr) == (0, "")
    assert "1874" in run.stdout
    assert max(map(len, run.stdout.splitlines())) <= 100


def test_help_is_shown_without_a_width():
    run = _run("--help", COLUMNS="0")
    assert run.returncode == 0
    assert "calibrate" in run.stdout


@pytest.mark.parametrize(
    ("command", "redirection", "code", "said"),
    [
        (ASK.format("-"), "<&-", 2, "cannot read standard input: it is closed"),
        (ASK.format("FILE"), "<&-", 0, ""),
        (ASK.format("FILE"), ">&-", 1, "standard output is closed"),
        (ASK.format("FILE") + " --json", ">&-", 1, "standard output is closed"),
        ("models", ">&- 2>&-", 1, ""),
        ("--version", ">&-", 1, "standard output is closed"),
        ("--help", ">&-", 1, "standard output is closed"),
        ("models --json", "> /dev/full", 1, "No space left on device"),
        ("--version", "> /dev/full", 1, "No space left on device"),
        ("ask 'Who?' -c /nowhere", "2>&-", 2, ""),
        ("calibrate /nowhere", "2>&-", 2, ""),
        ("no-such-command", "2>&- <&-", 2, ""),
    ],
)
def test_a_stream_that_is_closed_or_full_has_its_exit_code(passage, command, redirection, code, said):
    run = _run(command.replace("FILE", str(passage)), redirection)
    assert run.returncode == code
    assert said in run.stderr
    assert "Traceback" not in run.stderr
    assert not run.stdout or code == 0


def test_the_answer_comes_where_stderr_is_closed(passage):
    run = _run(ASK.format(passage), "2>&-")
    assert run.returncode == 0
    assert "1874" in run.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("out", ["/dev/null", "/dev/full", "link"])
def test_records_for_a_device_leave_the_device(tmp_path, out):
    path = out
    if out == "link":
        path = tmp_path / "link"
        path.symlink_to("/dev/null")
    run = _run(f"collect demo:tuning --out {path} --limit 2")
    assert (run.returncode != 0) == (out == "/dev/full")
    assert "Traceback" not in run.stderr
    assert Path(path).is_char_device()
