"""A file of records on any file system, and what is no file."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from twosup_chain.errors import InputError, RecordsError, ResumeError
from twosup_chain.records import file as file_module
from twosup_chain.records.file import RecordFile
from twosup_chain.records.lines import read_records
from twosup_chain.records.prediction import RecordedPrediction
from twosup_chain.records.question import QuestionRecord
from twosup_chain.text.questions import LabelledQuestion

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks, pipes and devices are a matter of POSIX")

FAILED = RecordedPrediction.failed(RuntimeError("down"), text=True)
RECORD = QuestionRecord.of(
    LabelledQuestion(id="a", question="Who?", context="Ada.", answers=("Ada",)), local=FAILED, remote=FAILED, text=True
)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_where_there_are_no_locks_it_is_said_that_two_collectors_are_not_kept_apart(tmp_path, monkeypatch, code):
    def flock(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(file_module.fcntl, "flock", flock)
    with (
        pytest.warns(RuntimeWarning, match="two collectors that write there at once are not kept apart"),
        RecordFile(tmp_path / "records.jsonl") as file,
    ):
        file.append(RECORD)
    assert [record.id for record in read_records(tmp_path / "records.jsonl")] == ["a"]


def test_where_there_are_locks_the_second_collector_is_refused(tmp_path):
    with (
        RecordFile(tmp_path / "records.jsonl"),
        pytest.raises(ResumeError, match="another collector"),
        RecordFile(tmp_path / "records.jsonl"),
    ):
        pass


@pytest.mark.parametrize("linked", [False, True])
def test_records_for_a_device_are_written_through(tmp_path, linked):
    path = Path("/dev/null")
    if linked:
        path = tmp_path / "link"
        path.symlink_to("/dev/null")
    with RecordFile(path) as file:
        file.append(RECORD)
        assert file.holds("a")
    assert stat.S_ISCHR(path.stat().st_mode)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_device_is_said_and_stays():
    with RecordFile("/dev/full") as file, pytest.raises(OSError, match="No space left"):
        file.append(RECORD)
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_records_go_through_a_link(tmp_path):
    (tmp_path / "link.jsonl").symlink_to("records.jsonl")
    with RecordFile(tmp_path / "link.jsonl") as file:
        file.append(RECORD)
    assert (tmp_path / "link.jsonl").is_symlink()
    assert [record.id for record in read_records(tmp_path / "records.jsonl")] == ["a"]


def test_a_pipe_without_a_reader_a_folder_and_a_pipe_to_read_are_named(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(InputError, match="cannot write the records"):
            RecordFile(path)
        with pytest.raises(RecordsError, match="cannot read the records"):
            list(read_records(path))


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000 + b"\n",
        b'{"version":3,"id":' + b"[" * 900 + b"]" * 900 + b"}\n",
        b'{"version":3,"local":' + b'{"local":' * 900 + b"1" + b"}" * 900 + b"}\n",
        b'{"version":3,"id":"a","seconds":1e999}\n',
        b'{"version":3,"id":NaN}\n',
        b'{"version":' + b"9" * 5000 + b"}\n",
        b"\xff\xfe\n",
        b'{"version":3,"id":"\\ud800"}\n',
    ],
)
def test_a_hostile_line_is_an_error_that_names_it(tmp_path, line):
    path = tmp_path / "records.jsonl"
    path.write_bytes(line)
    with pytest.raises(RecordsError, match=r"records\.jsonl, line 1"):
        list(read_records(path))


def test_a_line_without_end_is_named_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("twosup_chain.records.lines._LONGEST", 1000)
    (tmp_path / "records.jsonl").write_bytes(RECORD.as_line() + b"x" * 2000)
    with pytest.raises(RecordsError, match="line 2: a line of more than"):
        list(read_records(tmp_path / "records.jsonl"))
