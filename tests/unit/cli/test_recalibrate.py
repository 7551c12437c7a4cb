from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from twosup_chain import calibrate
from twosup_chain.cli.app import app
from twosup_chain.outcomes.outcomes import Outcomes
from twosup_chain.schema import Verdict
from twosup_chain.service.decision import Decision, DecisionText
from twosup_chain.service.feedback import Feedback
from twosup_chain.service.log import DecisionLog

LOW, HIGH, N = 0.25, 0.75, 200
BY = {"local": "mine", "remote": "theirs"}


@pytest.fixture
def files(tmp_path):
    """A log in which the local model is right where its score is high, and wrong where it is low, and a calibration."""
    import numpy as np

    log = DecisionLog(tmp_path / "log.db")
    score = np.array([HIGH if i % 2 else LOW for i in range(N)])
    outcomes = Outcomes(local_score=score, remote_score=score, local_correct=score > 0.5, remote_correct=score > 0.5)
    old = calibrate(outcomes, risk=0.1, confidence=0.9, local_scorer="mine", remote_scorer="theirs")
    old.save(tmp_path / "old.json")
    for i in range(N):
        verdicts = {
            role: Verdict(score=score[i], threshold=at.threshold, trusted=score[i] >= at.threshold, scorer=at.scorer)
            for role, at in old.settings.items()
        }
        given = {
            "id": f"dec_{i}",
            "route": "r",
            "caller": None,
            "time": i + 1.0,
            "question": f"{i:064x}"[::-1],
            "reason": "",
        }
        decision = Decision(
            **given,
            source="local" if i % 2 else "none",
            status="answered" if i % 2 else "untrusted",
            seconds=0.1,
            verdicts=verdicts,
            shadow=bool(i % 2),
            no_answer=dict.fromkeys(BY, False),
            agree=True,
            text=DecisionText(question="?", answers=dict.fromkeys(BY, "a" if i % 2 else "b")),
        )
        log.put(decision)
        log.give(Feedback(decision=decision.id, answer="a"))
    log.store.close()
    return str(tmp_path / "log.db"), str(tmp_path / "old.json"), str(tmp_path / "new.json")


def run(*words):
    result = CliRunner().invoke(app, [*words])
    return result.exit_code, result.output


def test_a_log_and_its_feedback_give_a_calibration_with_the_promises_of_the_old_one(files):
    log, old, new = files
    code, text = run("recalibrate", old, "--log", log, "--out", new)
    assert (code, "is written" in text) == (0, True)
    found = json.loads(open(new).read())  # noqa: PTH123, SIM115
    assert [promise["limit"] for promise in found["promises"]] == [0.1]
    assert (found["local"]["scorer"], found["remote"]["scorer"]) == ("mine", "theirs")
    assert LOW < found["local"]["threshold"] <= HIGH


def test_replay_and_watch_speak_of_the_same_decisions(files):
    log, old, _ = files
    found = json.loads(run("log", "replay", old, "--log", log, "--json")[1])
    assert (found["decisions"], found["kept"]["value"], found["lacking"]) == (N, 0.5, "")
    assert "would be others" in run("log", "replay", old, "--log", log)[1]
    watched = json.loads(run("log", "watch", old, "--log", log, "--json")[1])
    assert (watched["questions"], watched["promises"][0]["broken"]) == (N, False)
    assert "no sign that it is broken" in " ".join(run("log", "watch", old, "--log", log)[1].split())


def test_a_log_without_labels_says_what_to_do(files):
    log, old, _ = files
    opened = DecisionLog(log)
    for i in range(1, N, 2):
        opened.revoke(f"dec_{i}")
    opened.store.close()
    code, text = run("recalibrate", old, "--log", log)
    assert code == 2
    assert "shadow_rate" in text
    assert "nothing is measured" in run("log", "replay", old, "--log", log)[1]
