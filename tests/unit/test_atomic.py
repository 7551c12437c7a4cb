"""Files that are replaced at once, or not at all, and that others may read as any other file."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.skipif(os.name != "posix", reason="devices are a matter of POSIX")
class TestWhatIsNoFileOfItsOwn:
    @pytest.mark.parametrize("name", ["target", "/dev/null"])
    def test_a_link_is_followed_and_stays(self, tmp_path, name):
        target, link = tmp_path / name, tmp_path / "link"
        link.symlink_to(target)
        write_atomically(link, "new")
        assert link.is_symlink()
        assert target.read_text() == ("" if name == "/dev/null" else "new")

    def test_a_chain_of_links_across_folders_is_followed(self, tmp_path):
        (tmp_path / "far").mkdir()
        (tmp_path / "one").symlink_to("two")
        (tmp_path / "two").symlink_to("far/file")
        write_folder(tmp_path, {"one": "new"})
        assert (tmp_path / "far" / "file").read_text() == "new"
        assert [path.name for path in (tmp_path / "far").iterdir()] == ["file"]
        assert (tmp_path / "one").is_symlink()
        assert (tmp_path / "two").is_symlink()

    def test_a_pipe_is_written_to(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        try:
            write_atomically(tmp_path / "pipe", "through")
            assert os.read(reading, 100) == b"through"
            assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
        finally:
            os.close(reading)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
    def test_a_full_device_is_an_error_and_stays(self):
        with pytest.raises(OSError, match="No space left"):
            write_atomically(Path("/dev/full"), "more")
        assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)

    @pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors of Linux")
    @pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
    def test_the_file_that_standard_output_goes_to_is_added_to(self, tmp_path, name):
        program = (
            "from pathlib import Path; from twosup_chain._atomic import write_atomically;"
            f"print('before', flush=True); write_atomically(Path({name!r}), 'through\\n'); print('after')"
        )
        with (tmp_path / "out").open("ab") as out:
            subprocess.run([sys.executable, "-c", program], check=True, stdout=out)
        assert (tmp_path / "out").read_text() == "before\nthrough\nafter\n"

    def test_a_line_for_a_pipe_is_written(self):
        reading, writing = os.pipe()
        append_line(writing, b"one\n", Path("pipe"))
        assert os.read(reading, 100) == b"one\n"
        os.close(reading)
        os.close(writing)


def test_a_folder_in_the_place_of_a_file_leaves_the_others_alone(tmp_path):
    (tmp_path / "one").write_text("old")
    (tmp_path / "two").mkdir()
    with pytest.raises(InputError, match="cannot write to .*: Is a directory"):
        write_folder(tmp_path, {"one": "new", "two": "new"})
    assert (tmp_path / "one").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


@pytest.mark.skipif(os.name != "posix", reason="limits are a matter of POSIX")
def test_where_a_limit_of_size_hits_yesterdays_report_stays_whole(tmp_path):
    write_folder(tmp_path, {"figures.json": "old", "index.html": "old"})
    program = (
        "import resource, sys; from twosup_chain._atomic import write_folder;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "write_folder(sys.argv[1], {'figures.json': 'new', 'index.html': 'x' * 2000})"
    )
    run = subprocess.run([sys.executable, "-c", program, tmp_path], check=False, capture_output=True, text=True)
    assert "InputError: cannot write to" in run.stderr
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"figures.json": "old", "index.html": "old"}
