"""The progress bar: what stands behind it, and that a pipe gets none."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from twosup_chain.cli import progress
from twosup_chain.cli.progress import progress_bar


@pytest.fixture
def shown(monkeypatch):
    """A terminal, and a clock that is a second further at every look."""
    file, clock = io.StringIO(), iter(range(100))
    terminal = Console(file=file, force_terminal=True, width=100, color_system=None, markup=False)
    monkeypatch.setattr(progress, "stderr", lambda: terminal)
    monkeypatch.setattr(progress, "perf_counter", lambda: next(clock))
    return file


def facts(bar):
    return bar._bar.tasks[0].fields["facts"]


def test_it_shows_the_count_the_facts_and_the_time_that_the_rest_takes(shown):
    with progress_bar("Reading") as bar:
        bar(0, 1000)
        assert facts(bar) == "0/1,000"
        bar(10, 1000, "2/s", "", "3 [failed]")
        assert facts(bar) == "10/1,000 · 2/s · 3 [failed] · 1 min 39 s left"
    assert "3 [failed]" in shown.getvalue()


def test_a_share_is_not_counted(shown):
    with progress_bar("Training") as bar:
        bar(0.5, 1.0, "step 3")
        assert facts(bar) == "step 3"


def test_where_stderr_is_no_terminal_only_what_is_said_is_printed(capsys):
    with progress_bar("Training") as bar:
        bar(1, 2, "step 1")
        bar.say("auroc [0.9]\x1b")
    assert capsys.readouterr().err == "auroc [0.9]␛\n"
