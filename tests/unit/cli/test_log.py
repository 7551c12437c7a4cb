from __future__ import annotations

import json
import time

import pytest
from typer.testing import CliRunner

from twosup_chain.cli.app import app
from twosup_chain.service.decision import Decision
from twosup_chain.service.log import DecisionLog


@pytest.fixture
def where(tmp_path):
    log = DecisionLog(tmp_path / "log.db")
    for i in range(3):
        given = {"id": f"dec_{i}", "route": "qa", "caller": None, "question": "x", "reason": "because"}
        known = {"source": "local", "status": "answered", "seconds": 0.5, "cost": 0.0, "always_remote": 0.01}
        log.put(Decision(**given, **known, currency="EUR", time=time.time() - 86400 * (2 - i)))
    log.store.close()
    return str(tmp_path / "log.db")


def run(*words):
    result = CliRunner().invoke(app, [*words])
    return result.exit_code, result.output


def test_tail_show_export_and_stats_tell_what_is_in_the_log(where):
    code, text = run("log", "tail", "--log", where, "-n", "2")
    assert (code, "dec_0" in text, "dec_2" in text) == (0, False, True)
    code, text = run("log", "tail", "--log", where, "--json", "--days", "1.5")
    assert [decision["id"] for decision in json.loads(text)] == ["dec_1", "dec_2"]
    assert "because" in run("log", "show", "dec_1", "--log", where)[1]
    lines = run("log", "export", "--log", where)[1].splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["dec_0", "dec_1", "dec_2"]
    text = run("log", "stats", "--log", where)[1]
    assert "3 decisions" in text
    assert "always asking the" in text
    assert json.loads(run("log", "stats", "--log", where, "--json")[1])["sources"] == {"local": 3}


def test_feedback_is_given_shown_counted_and_taken_back(where, monkeypatch):
    monkeypatch.setenv("TWOSUP_LOG", where)
    assert run("feedback", "dec_1", "--wrong", "--answer", "Ada")[0] == 0
    assert json.loads(run("log", "show", "dec_1", "--json")[1])["feedback"]["answer"] == "Ada"
    assert "of 1 labelled" in run("log", "stats")[1]
    assert "1 revoked" in run("feedback", "dec_1", "--revoke")[1]
    assert json.loads(run("log", "show", "dec_1", "--json")[1])["feedback"] is None


def test_old_decisions_are_deleted(where):
    assert run("log", "prune", "--days", "1.5", "--log", where)[0] == 0
    assert [d.id for d in DecisionLog(where).decisions()] == ["dec_1", "dec_2"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["log", "tail"], "--log is missing"),
        (["log", "tail", "--log", "none.db"], "no such file"),
        (["log", "show", "dec_9", "--log", "{}"], "dec_9"),
        (["log", "show", "dec_", "--log", "{}"], "several"),
        (["feedback", "dec_1", "--log", "{}"], "says nothing"),
        (["feedback", "dec_1", "--right", "--wrong", "--log", "{}"], "exclude"),
        (["feedback", "dec_1", "--revoke", "--right", "--log", "{}"], "leave --right"),
    ],
)
def test_what_cannot_be_done_is_one_line_that_says_why(where, words, said, monkeypatch):
    monkeypatch.delenv("TWOSUP_LOG", raising=False)
    code, text = run(*(word.format(where) for word in words))
    assert code == 2
    assert said in " ".join(text.split())
