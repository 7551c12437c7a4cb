"""``twosup check``: on new records, and on a file that grows."""

from __future__ import annotations

import json
import time
from threading import Thread

import numpy as np
import pytest


def _write(path, n, *, first=0, worse=0.0, seed=0, domain=None) -> None:
    rng = np.random.default_rng(seed)
    with path.open("a") as file:
        for number in range(first, first + n):
            line = {"version": 1, "id": str(number), "digest": f"{number:x}", "answerable": True}
            line |= {"metadata": {"domain": domain}} if domain else {}
            for role, model, scorer in (("local", "reader-1", "answerability"), ("remote", "gpt-1", "grounded")):
                trust = rng.random()
                right = float(rng.random() < (0.5 + 0.5 * trust) * (1.0 - worse))
                line[role] = {"no_answer": False, "exact_match": right, "f1": right, "trust": {scorer: trust}}
                line[role]["model"] = model
            file.write(json.dumps(line) + "\n")


@pytest.fixture
def calibration(twosup, tmp_path):
    records, out = tmp_path / "records.jsonl", tmp_path / "calibration.json"
    _write(records, 500)
    assert twosup("calibrate", str(records), "--risk", "0.25", "--out", str(out)).exit_code == 0
    return str(out)


def test_new_records_are_checked(twosup, calibration, tmp_path) -> None:
    new = tmp_path / "new.jsonl"
    _write(new, 200, first=1000, seed=1)
    result = twosup("check", calibration, str(new))
    assert result.exit_code == 0
    assert result.stdout.startswith("200 new labelled questions")
    assert "95 % at every look" in result.stdout
    low, high = json.loads(twosup("check", calibration, str(new), "--json").stdout)["targets"][0]["at_any_time"]
    assert 0.0 < low < high < 0.5


def test_a_file_is_followed_until_a_promise_is_broken(twosup, calibration, tmp_path) -> None:
    live = tmp_path / "live.jsonl"
    _write(live, 300, first=1000, seed=2)
    with live.open("a") as file:
        file.write('{"version":')  # a line under way

    def go_on() -> None:
        time.sleep(0.5)
        live.write_text(live.read_text().removesuffix('{"version":'))
        time.sleep(1.5)
        _write(live, 700, first=2000, worse=0.9, seed=3)

    writer = Thread(target=go_on)
    writer.start()
    result = twosup("check", calibration, "--follow", str(live))
    writer.join()
    assert result.exit_code == 3
    assert result.stdout.startswith("300 questions")
    assert "no sign that it is broken" in result.stdout
    assert "1,000 questions" in result.stdout
    assert "BROKEN" in result.stdout
    assert "drifted" in result.stdout


def test_following_says_it_as_json(twosup, calibration, tmp_path) -> None:
    live = tmp_path / "live.jsonl"
    _write(live, 900, first=1000, worse=0.9, seed=4)
    report = json.loads(twosup("check", calibration, "--follow", str(live), "--json").stdout)
    assert report["promises"][0]["broken"] is True
    assert report["questions"] == 900


def test_either_records_or_a_file_to_follow(twosup, calibration, tmp_path) -> None:
    result = twosup("check", calibration)
    assert result.exit_code == 2
    assert "pass RECORDS to check, or --follow FILE" in result.stderr


@pytest.fixture
def grouped(twosup, tmp_path):
    records, out = tmp_path / "grouped.jsonl", tmp_path / "grouped.json"
    _write(records, 500, domain="law")
    _write(records, 500, first=500, seed=1, domain="news")
    options = ("--risk", "0.25", "--groups", "domain", "--out", str(out))
    assert twosup("calibrate", str(records), *options).exit_code == 0
    return str(out)


def test_promises_to_groups_are_checked_group_by_group(twosup, grouped, tmp_path) -> None:
    new = tmp_path / "new.jsonl"
    _write(new, 100, first=2000, seed=2, domain="law")
    _write(new, 50, first=3000, seed=3, domain="poems")
    for command in (("check", grouped, str(new)), ("calibrate", str(new), "--check", grouped)):
        result = twosup(*command)
        assert result.exit_code == 0
        assert result.stdout.startswith("100 new labelled questions with domain=law")
        assert "domain=poems: no promise" in result.stdout
        assert "domain=news: no new labelled question" in result.stdout
        found = json.loads(twosup(*command, "--json").stdout)
        assert list(found) == ["law"]
        assert found["law"]["questions"] == 100
    new.write_text("")
    _write(new, 5, first=3000, domain="poems")
    result = twosup("check", grouped, str(new))
    assert result.exit_code == 2
    assert "no new labelled question has a domain with a promise: law, news" in result.stderr


def test_each_group_is_followed_by_itself(twosup, grouped, tmp_path) -> None:
    live = tmp_path / "live.jsonl"
    _write(live, 300, first=1000, seed=2, domain="law")
    _write(live, 900, first=2000, worse=0.9, seed=3, domain="news")
    result = twosup("check", grouped, "--follow", str(live))
    assert result.exit_code == 3
    law, news = result.stdout.split("900 questions with domain=news")
    assert law.startswith("300 questions with domain=law")
    assert "BROKEN" not in law
    assert "BROKEN" in news
