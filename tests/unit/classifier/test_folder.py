"""A classifier's folder: it is read as it was written, or not at all."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from twosup_chain import TextClassifier
from twosup_chain.classifier.folder import CONFIG_FILE, HEAD_FILE, read, write
from twosup_chain.errors import ModelFileError


@pytest.fixture
def broken(folder, tmp_path):
    """A copy to break."""
    return shutil.copytree(folder, tmp_path / "broken")


def test_it_comes_back_as_it_was_written(folder, tmp_path):
    config, head = read(folder)
    known = {name: value for name, value in config if name not in {"head", "format"}}
    assert write(tmp_path / "again", head, **known) == config
    again = read(tmp_path / "again")[1]
    for name, array in head.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)


def test_a_head_of_another_fit_is_refused(broken):
    with np.load(broken / HEAD_FILE) as arrays:
        other = {name: arrays[name] for name in arrays.files}
    np.savez(broken / HEAD_FILE, **{**other, "bias": other["bias"] + 1})
    with pytest.raises(ModelFileError, match=r"head.npz: classifier.json beside it was written for"):
        read(broken)


@pytest.mark.parametrize(
    "change", [{"format": 2}, {"temperature": 0.0}, {"labels": ["one"]}, {"encoder": 1}, {"more": 1}]
)
def test_a_broken_configuration_is_refused(broken, change):
    path = broken / CONFIG_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelFileError, match=r"classifier.json.*train-classifier"):
        read(broken)


def test_what_is_no_head_is_refused(broken):
    (broken / HEAD_FILE).write_bytes(b"PK")
    with pytest.raises(ModelFileError, match=r"cannot read .*head.npz"):
        read(broken)


def test_labels_that_are_not_the_heads_are_refused(broken):
    path = broken / CONFIG_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"labels": list("abcdefg")}))
    with pytest.raises(ModelFileError, match="4 rows for 7 labels"):
        read(broken)


def test_another_versions_encoder_is_refused(broken):
    path = broken / CONFIG_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"encoder": "0" * 64}))
    with pytest.raises(ModelFileError, match=r"fitted on the encoder 000000000000….*fit it again"):
        TextClassifier(model=str(broken)).warm_up()
