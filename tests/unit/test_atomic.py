"""Files that are replaced at once, or not at all, and that others may read as any other file."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from twosup_chain._atomic import append_line, write_atomically, write_folder
from twosup_chain.errors import InputError


@pytest.fixture
def umask():
    """Returns a function that sets the umask until the test ends."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path, umask, mask, mode):
    umask(mask)
    write_atomically(tmp_path / "new.json", "{}")
    assert _mode(tmp_path / "new.json") == mode
    assert [path.name for path in tmp_path.iterdir()] == ["new.json"]


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path, umask):
    path = tmp_path / "old.json"
    path.write_text("old")
    path.chmod(0o640)
    write_atomically(path, "new")
    assert (_mode(path), path.read_text()) == (0o640, "new")


def test_what_was_there_stays_where_the_new_text_cannot_be_written(tmp_path):
    path = tmp_path / "old.json"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["old.json"]


def test_files_of_a_folder_are_written_all_or_none(tmp_path):
    folder = tmp_path / "a" / "b"
    write_folder(folder, {"one": "1", "two": "2"})
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"one": "1", "two": "2"}
    with pytest.raises(UnicodeEncodeError):
        write_folder(folder, {"one": "new", "two": "\ud800"})
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"one": "1", "two": "2"}
    with pytest.raises(InputError, match="cannot write to .*one: "):
        write_folder(folder / "one", {"three": "3"})


def test_a_line_is_appended_whole(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text("one\n")
    with path.open("ab", buffering=0) as file:
        append_line(file.fileno(), b"two\n", path)
    assert path.read_text() == "one\ntwo\n"


@pytest.mark.parametrize("failure", [OSError(errno.EIO, "broken"), KeyboardInterrupt(), None])
def test_what_could_be_written_of_a_line_only_in_part_is_taken_back(tmp_path, monkeypatch, failure):
    path, write = tmp_path / "lines.jsonl", os.write
    path.write_text("one\n")

    def write_in_part(descriptor, line):
        written = write(descriptor, line[:2])
        if failure is not None:
            raise failure
        return written

    monkeypatch.setattr(os, "write", write_in_part)
    with path.open("ab", buffering=0) as file, pytest.raises(type(failure) if failure else OSError):
        append_line(file.fileno(), b"two\n", path)
    assert path.read_text() == "one\n"
