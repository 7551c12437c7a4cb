"""The published figures, from the published recordings: run where ``TWOSUP_PAPER_DATA`` names their folder.

The folder holds ``{squadv2,imagenet}_{local,remote}.csv.gz`` and ``rq2_table.csv`` of the replication package of DOI
10.1145/3617593 (testingautomated-usi/bisupervised), and may hold ``imdb_{local,remote}.csv.gz`` as well.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from twosup_chain.paper import read_recordings, replicate

FOLDER = Path(os.environ.get("TWOSUP_PAPER_DATA", "none"))
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="TWOSUP_PAPER_DATA names no folder")

CUTOFFS = (0.3, 0.5, 0.7)
EVEN_AND_BEST = ("even", "best")
#: Study: its files, its rows, its points, and what the paper and its package give.
STUDIES = {
    "SQuADv2 (possible only)": (
        "squadv2", "is_possible", EVEN_AND_BEST,
        {"n": 4724, "local_only": 0.63209, "remote_only": 0.69496, "auc_rac": 1.021079930170839,
         "points": [("remote-even", 0.330, 0.69496), ("best", 0.593, 0.72248)], "break_even": 0.9742,
         "aurc": (0.1767, 0.2649), "augrc": (0.1197, 0.1452)},
    ),
    "SQuADv2 (all)": (
        "squadv2", None, EVEN_AND_BEST,
        {"n": 10669, "local_only": 0.27988, "remote_only": 0.30771, "auc_rac": 0.8434259343350239,
         "points": [("remote-even", 0.499, 0.30771), ("best", 0.716, 0.319805)], "break_even": 0.9753,
         "aurc": (0.5350, 0.6592), "augrc": (0.3033, 0.3400)},
    ),
    "ImageNet": (
        "imagenet", None, CUTOFFS,
        {"n": 50000, "local_only": 0.6783, "remote_only": 0.85232, "auc_rac": 0.7774742209864614,
         "points": None, "break_even": 0.9635, "aurc": None, "augrc": None},
    ),
    "imdb": (
        "imdb", None, EVEN_AND_BEST,
        {"n": 25000, "local_only": 0.79432, "remote_only": 0.89476, "auc_rac": 0.803678997227384,
         "points": [("remote-even", 0.550, None), ("best", 0.672, 0.90004)], "break_even": 0.8568,
         "aurc": None, "augrc": None},
    ),
}  # fmt: skip
CELLS = {
    "remote_delta": "remote_delta",
    "sys_delta": "sys_delta",
    "sys_obj": "sys_obj",
    "s_05": "sys_s05",
    "s_1": "sys_s1",
    "s_2": "sys_s2",
}


@pytest.fixture(params=STUDIES)
def study(request):
    name = request.param
    files, where, points, expected = STUDIES[name]
    paths = [FOLDER / f"{files}_{role}.csv.gz" for role in ("local", "remote")]
    if not all(path.exists() for path in paths):
        pytest.skip(f"no recordings of {name}")
    return name, read_recordings(*paths, where=where), points, expected


def test_the_figures_are_the_papers(study):
    _, recordings, points, expected = study
    found = replicate(recordings.local, recordings.remote, points=points)
    assert found.n == expected["n"]
    assert found.auc_rac == expected["auc_rac"]
    assert (round(found.local_only, 5), round(found.remote_only, 5)) == (
        expected["local_only"],
        expected["remote_only"],
    )
    assert round(found.latency.break_even, 4) == expected["break_even"]
    for name in ("aurc", "augrc"):
        if expected[name] is not None:
            values = getattr(found, name)
            assert (round(values["local"], 4), round(values["remote"], 4)) == expected[name]
    for point, (name, cutoff, accuracy) in zip(found.points, expected["points"] or (), strict=False):
        assert (point.name, round(point.cutoff, 9)) == (name, cutoff)
        assert accuracy is None or point.accuracy == pytest.approx(accuracy, abs=5e-6)
    assert len(found.points) == len(points)


def test_every_cell_of_the_table_of_supervisors_is_the_papers_to_the_last_digit(study):
    name, recordings, points, _ = study
    with (FOLDER / "rq2_table.csv").open(newline="") as lines:
        expected = [row for row in csv.DictReader(lines) if row["case_s"] == name]
    found = replicate(recordings.local, recordings.remote, points=points, steps=100).as_dict()["table"]
    assert len(found) == len(expected) > 0
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours["target_fpr"], ours["row"]) == (float(theirs["target_fpr"]), theirs["1st_reject_rate"])
        for key, column in CELLS.items():
            assert ours[key] == (float(theirs[column]) if theirs[column] else None), (ours["row"], key)
