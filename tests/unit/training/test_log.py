"""The log of a training run and the curves drawn from it."""

from __future__ import annotations

import pytest

from twosup_chain.training.log import Progress, RunLog, read_log


def test_entries_carry_step_and_seconds_and_are_reported(tmp_path):
    progress, seen = Progress(), []
    log = RunLog(tmp_path / "run", progress, seen.append)
    log.write("start", kinds={"answerable": 3})
    progress.step, progress.seconds = 20, 1.26
    log.write("train", loss=0.5)
    assert read_log(log.path) == seen
    assert seen[1] == {"event": "train", "step": 20, "seconds": 1.3, "loss": 0.5}


def test_what_a_resumed_run_did_again_counts_once(tmp_path):
    progress = Progress()
    log = RunLog(tmp_path, progress, lambda _: None)
    for step, event in ((0, "start"), (20, "train"), (40, "train"), (20, "start"), (40, "train")):
        progress.step = step
        log.write(event)
    assert [(e["step"], e["event"]) for e in read_log(log.path)] == [
        (0, "start"),
        (20, "train"),
        (20, "start"),
        (40, "train"),
    ]


def test_curves_are_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    progress = Progress()
    log = RunLog(tmp_path, progress, lambda _: None)
    for step in (20, 40):
        progress.step = step
        log.write("train", loss=1 / step)
        log.write("evaluation", exact=0.1, f1=0.2, auroc=0.5, balanced_f1=0.5)
    log.draw()
    assert (tmp_path / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
