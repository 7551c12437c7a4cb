"""Files of data, packed or not."""

from __future__ import annotations

import gzip

import pytest

from twosup_chain._packed import read_packed
from twosup_chain.errors import InputError


@pytest.mark.parametrize("name", ["data.json", "data.json.gz"])
def test_what_is_packed_is_told_by_the_content_not_by_the_name(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"plain")
    assert read_packed(path) == b"plain"
    path.write_bytes(gzip.compress(b"packed"))
    assert read_packed(path) == b"packed"


@pytest.mark.parametrize("damage", [lambda raw: raw[:-4], lambda raw: raw[:2] + b"x" + raw[3:]])
def test_a_damaged_archive_is_named(tmp_path, damage):
    path = tmp_path / "data.gz"
    path.write_bytes(damage(gzip.compress(b"packed" * 100)))
    with pytest.raises(InputError, match=r"data\.gz is a damaged archive"):
        read_packed(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*nowhere: No such file"):
        read_packed(tmp_path / "nowhere")
