"""Classification by two supervisors: the table is made of recorded predictions alone."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest
from study.labels import HALVES, NONE, label_tables, labelled
from study.labels_page import labels_markdown


def write(path, truth, prediction, trust):
    with gzip.open(path, "wt", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["id", "prediction", "ground_truth", "sm_confidence"])
        lines.writerows(zip(map(str, range(len(truth))), prediction, truth, trust, strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """400 texts: the local model is right where it is sure, the hosted one on nine of ten, and says where none fits."""
    rng = np.random.default_rng(0)
    out = tmp_path_factory.mktemp("labels")
    truth = rng.choice(["a", "b", "c", NONE], 400, p=[0.3, 0.3, 0.3, 0.1])
    trust = rng.random(400)
    knows = (rng.random(400) < 0.4 + 0.6 * trust) & (truth != NONE)
    local = np.where(knows, truth, np.where(truth == "a", "b", "a"))
    remote = np.where(rng.random(400) < 0.9, truth, "c")
    write(out / "clinc-local.csv.gz", truth, local, trust)
    write(out / "clinc-remote.csv.gz", truth, remote, rng.random(400))
    return out


def test_what_says_that_no_label_fits_is_right_where_none_does(folder):
    study = labelled(folder, "clinc")
    columns = study.outcomes
    assert not columns.local_correct[study.outside].any()
    assert (columns.remote_correct & study.outside).sum() == (columns.remote_no_answer & study.outside).sum() > 0


def test_the_pair_matches_the_hosted_model_with_fewer_calls(folder):
    (found,) = label_tables(folder, draws=50).values()
    assert found["texts"] == 400
    assert found["ours"]["calls"].value < 0.95
    assert found["ours"]["over_remote"].low < 0.0 < found["ours"]["over_remote"].high
    assert found["risk"]["risk"] < 0.15
    assert {"AUC-RAC", "clinc", "out of scope"} <= set(_words(labels_markdown({"clinc": found}, HALVES)))


def _words(page):
    return {word for word in ("AUC-RAC", "clinc", "out of scope") if word in page}
