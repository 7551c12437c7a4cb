"""The log of a training run."""

from __future__ import annotations

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
