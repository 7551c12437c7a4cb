"""A short run of the fuzz campaign."""

from __future__ import annotations

from fuzz.campaign import run_files, run_readings


def test_random_readings_are_right_or_refused():
    assert sum(run_readings(300, seed=1).values()) == 300


def test_mutated_files_are_read_right_or_refused_by_name():
    assert all(sum(counts.values()) == 200 and counts["read"] < 200 for counts in run_files(200, seed=1).values())
