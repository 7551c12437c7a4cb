"""`follow`: only what is new in a file is read, whatever becomes of the file."""

from __future__ import annotations

from contextlib import suppress

import pytest

from twosup_chain import Answer, calibrate, collect
from twosup_chain.calibration import follow as module
from twosup_chain.calibration.follow import follow
from twosup_chain.calibration.monitor import Monitor
from twosup_chain.errors import RecordsError
from twosup_chain.records.lines import read_entries
from twosup_chain.text.questions import LabelledQuestion


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """A file of 100 records, as `collect` writes it."""
    path = tmp_path_factory.mktemp("follow") / "records.jsonl"
    questions = [LabelledQuestion(str(n), f"Who wrote {n}?", f"Ada wrote {n}.", answers=("Ada",)) for n in range(100)]
    made = Answer("Ada", scores={"answerability": 0.9}, model="fake")
    collect(questions, local=lambda _: made, remote=lambda _: made, out=path, scorers=["answerability", "grounded"])
    return path


@pytest.fixture
def lines(records):
    return records.read_bytes().splitlines(keepends=True)


@pytest.fixture
def watching(records, tmp_path, monkeypatch, lines):
    """A file that is followed, the reports, and how many lines were read of it."""
    made = calibrate(records, remote_rate=0.9, local_scorer="answerability", remote_scorer="grounded")
    live, read = tmp_path / "live.jsonl", []

    def counting(paths, places):
        for entry in read_entries(paths, places):
            read.append(str(places[-1]).rpartition(" ")[2])
            yield entry

    monkeypatch.setattr("twosup_chain.outcomes.rows.read_entries", counting)
    steps = iter(())

    def sleep(_pause):
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    monkeypatch.setattr(module.time, "sleep", sleep)

    def watch(*changes):
        nonlocal steps
        steps = iter(changes)
        found = []
        with suppress(KeyboardInterrupt):
            found.extend(report.questions for report in follow(Monitor(made), live))
        return found

    return live, watch, read


def test_a_line_is_read_once_and_when_it_is_whole(watching, lines) -> None:
    live, watch, read = watching

    def append(text):
        return lambda: live.open("ab").write(text)

    half = len(lines[20]) // 2
    found = watch(
        append(b"".join(lines[:20]) + lines[20][:half]), append(b""), append(lines[20][half:]), append(lines[21])
    )
    assert found == [20, 21, 22]
    assert read == [str(number) for number in range(1, 23)]


def test_a_file_that_is_cut_off_or_replaced_is_read_from_its_start_and_no_question_counts_twice(
    watching, lines, tmp_path
) -> None:
    live, watch, read = watching

    def rotate():
        other = tmp_path / "other.jsonl"
        other.write_bytes(b"".join(lines[10:60]))
        other.replace(live)

    found = watch(
        lambda: live.write_bytes(b"".join(lines[:20])),
        lambda: live.write_bytes(b"".join(lines[18:22])),  # cut off, and grown again
        rotate,
        live.unlink,
        lambda: live.write_bytes(b"".join(lines[:70])),
    )
    assert found == [20, 22, 60, 70]
    assert len(read) == 20 + 4 + 50 + 70


def test_the_line_that_is_no_record_is_named_by_its_place_in_the_file(watching, lines) -> None:
    live, watch, _ = watching
    with pytest.raises(RecordsError, match=r"live\.jsonl, line 3"):
        watch(lambda: live.write_bytes(lines[0] + lines[1]), lambda: live.open("ab").write(b"no record\n"))
