"""Files of data, packed or not."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys

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


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices are a matter of POSIX")
@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "folder", "link to a pipe"])
def test_what_is_no_file_is_named_at_once(tmp_path, kind):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link to a pipe").symlink_to("pipe")
    with pytest.raises(InputError, match="has to be a file|Is a directory"):
        read_packed(tmp_path / kind)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda raw: gzip.compress(raw[:50]) + gzip.compress(raw[50:])])
def test_a_file_that_is_too_large_packed_or_unpacked_is_named(tmp_path, pack):
    path = tmp_path / "bomb"
    path.write_bytes(pack(bytes(100)))
    assert len(read_packed(path, most=100)) == 100
    with pytest.raises(InputError, match="bomb: it is larger than"):
        read_packed(path, most=99)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory hold on Linux")
def test_an_archive_larger_than_the_memory_is_named(tmp_path):
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(bytes(300_000_000), 1))
    program = (
        "import resource, sys, pathlib; from twosup_chain._packed import read_packed;"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize();"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 100_000_000,) * 2);"
        "read_packed(pathlib.Path(sys.argv[1]))"
    )
    run = subprocess.run([sys.executable, "-c", program, path], check=False, capture_output=True, text=True)
    assert "InputError: cannot read" in run.stderr
    assert "larger than the memory" in run.stderr
