"""``twosup replicate``: figures for people, as JSON, as files; and what goes wrong is one line."""

from __future__ import annotations

import csv
import gzip
import json
import sys
from xml.etree import ElementTree as ET

import pytest

from twosup_chain.paper import read_recordings, replicate

LOCAL = "id,keep,correct,sm_confidence,pred_time\n" + "".join(
    f"{i},{i % 5 > 0},{i % 3 == 0 or i > 30},{i / 50},0.5\n" for i in range(50)
)
REMOTE = "id,keep,correct,big_confidence,pred_time\n" + "".join(
    f"{i},{i % 5 > 0},{i % 7 > 0},{(i * 13 % 50) / 50},2.0\n" for i in range(50)
)


@pytest.fixture
def files(tmp_path):
    local, remote = tmp_path / "local.csv", tmp_path / "remote.csv.gz"
    local.write_text(LOCAL)
    remote.write_bytes(gzip.compress(REMOTE.encode()))
    return ["--local", str(local), "--remote", str(remote)]


def test_json_is_what_the_library_finds(twosup, files):
    result = twosup(
        "replicate", *files, "--where", "keep", "--steps", "100", "--points", "0.3,best", "--fpr", "0.1", "--json"
    )
    assert (result.exit_code, result.stderr) == (0, "")
    recordings = read_recordings(files[1], files[3], where="keep")
    expected = replicate(recordings.local, recordings.remote, steps=100, points=[0.3, "best"], target_fprs=[0.1])
    assert json.loads(result.stdout) == expected.as_dict()
    assert expected.n == 40


def test_columns_can_be_given(twosup, files):
    given = ("--local-score", "id", "--remote-score", "pred_time", "--correct", "keep", "--seconds", "id,pred_time")
    figures = json.loads(twosup("replicate", *files, *given, "--json").stdout)
    assert figures["local_only"] == figures["remote_only"] == 0.8
    assert figures["latency"]["local_seconds"] == 24.5 + 0.5


def test_the_report_shows_models_points_supervisors_and_break_even_on_80_columns(twosup, files, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = twosup("replicate", *files)
    assert result.exit_code == 0
    for words in ("n = 50", "remote-even", "0.00 (local_baseline)", "1.00 (remote_baseline)", "less than 75.00% of"):
        assert words in " ".join(result.stdout.split())
    assert "…" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_without_times_the_report_says_so(twosup, files, tmp_path):
    for name in ("local.csv", "remote.csv.gz"):
        (tmp_path / name).write_text("correct,score\n1,0.5\n0,0.25\n")
    assert "No times were recorded." in twosup("replicate", *files).stdout


def test_a_local_model_as_slow_as_the_hosted_one_saves_no_time(twosup, files, tmp_path):
    (tmp_path / "local.csv").write_text(LOCAL.replace(",0.5\n", ",3.0\n"))
    assert "a cascade saves no time" in twosup("replicate", *files).stdout


def test_the_folder_gets_the_picture_and_every_table(twosup, files, tmp_path):
    out = tmp_path / "new" / "folder"
    result = twosup("replicate", *files, "--out", str(out), "--json")
    assert (result.exit_code, result.stderr) == (0, f"written to {out}\n")
    names = [f"{table}.{kind}" for table in ("models", "points", "supervisors") for kind in ("csv", "md", "tex")]
    assert {path.name for path in out.iterdir()} == {*names, "figures.json", "rac.svg", "rac.png"}
    figures = json.loads(result.stdout)
    assert json.loads((out / "figures.json").read_text()) == figures
    with (out / "supervisors.csv").open() as lines:
        assert [row["row"] for row in csv.DictReader(lines)] == [row["row"] for row in figures["table"]]
    assert ET.parse(out / "rac.svg").getroot().tag.endswith("svg")  # noqa: S314 - it is our own
    assert (out / "rac.png").read_bytes()[:4] == b"\x89PNG"


def test_without_matplotlib_the_tables_are_written_and_the_remark_says_what_to_install(
    twosup, files, tmp_path, monkeypatch
):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = twosup("replicate", *files, "--out", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert "no picture: a picture needs matplotlib: pip install 'twosup-chain[plot]'" in result.stderr
    assert (tmp_path / "out" / "supervisors.tex").exists()
    assert not (tmp_path / "out" / "rac.svg").exists()


def test_files_of_different_lengths_are_remarked_on(twosup, files, tmp_path):
    (tmp_path / "local.csv").write_text(LOCAL.rsplit("\n", 3)[0] + "\n")
    result = twosup("replicate", *files, "--json")
    assert json.loads(result.stdout)["n"] == 48
    assert "the first 48 of both count" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--points", "even,worst"], "--points: 'worst' is not even, best or a cutoff in [0, 1]"),
        (["--points", "1.2"], "--points: '1.2' is not even, best or a cutoff in [0, 1]"),
        (["--points", "even,"], "--points 'even,': give a list without gaps, separated by commas"),
        (["--fpr", "5"], "--fpr: '5' is not a false-positive rate in [0, 1]"),
        (["--fpr", "nan"], "--fpr: 'nan' is not a false-positive rate in [0, 1]"),
        (["--steps", "0"], "Invalid value for '--steps'"),
        (["--local-score", "trust"], "has no column 'trust'; it has: id, keep, correct, sm_confidence, pred_time"),
        (["--correct", "keep", "--truth", "id"], "--correct and --prediction/--truth say the same in two ways"),
        (["--where", "id"], "id='2' is not True or False"),
        (["--out", "/dev/null/x"], "cannot write to /dev/null/x: "),
    ],
)
def test_what_goes_wrong_is_one_line_with_exit_code_2(twosup, files, options, message):
    result = twosup("replicate", *files, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_missing_file_is_one_line(twosup, files):
    result = twosup("replicate", "--local", "none.csv", *files[2:])
    assert (result.exit_code, result.stderr) == (2, "error: cannot read none.csv: No such file or directory\n")
