"""Pictures of a reader: what is drawn of its training and of its evaluation."""

from __future__ import annotations

import numpy as np
import pytest

from twosup_chain.training.evaluate import ReaderEvaluation
from twosup_chain.training.log import Progress, RunLog
from twosup_chain.training.pictures import draw_evaluation, draw_run

pytest.importorskip("matplotlib")


def test_curves_of_a_run_are_a_picture(tmp_path):
    progress = Progress()
    log = RunLog(tmp_path, progress, lambda _: None)
    for step in (20, 40):
        progress.step = step
        log.write("train", loss=1 / step)
        log.write("evaluation", exact=0.1, f1=0.2, auroc=0.5, balanced_f1=0.5)
    draw_run(log.path)
    assert (tmp_path / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_pictures_of_an_evaluation_are_drawn_in_two_formats(tmp_path):
    right, trust = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.4, 0.7, 0.2])
    measures = dict.fromkeys(("exact", "f1", "forced_exact", "forced_f1"), right)
    found = ReaderEvaluation(
        model="m",
        ids=("a", "b", "c", "d"),
        predictions=("A", None, "C", None),
        answerable=right.astype(bool),
        answerability=trust,
        refused=0,
        seconds=0.0,
        **measures,
    )
    draw_evaluation(found, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{suffix}" for name in ("risk_coverage", "reliability") for suffix in ("svg", "png")
    }
