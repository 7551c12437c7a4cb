"""What follows a decision in a server: feedback, and the hosted model in the shadow."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from serving import ask, route, serve

from twosup_chain.outcomes.price import Price
from twosup_chain.service.http import Keys
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.shadow import Shadow

KEYS = Keys({"me": b"my-own-key-1234567890", "you": b"your-own-key-123456789"}, {"ops": b"key-of-operators-1234"})


def logged(tmp_path, *said, rate=0.0, **options):
    made = route(*said, **options)
    log = DecisionLog(tmp_path / "log.db")
    shadow = Shadow(made.chain, rate=rate, price=Price(input=1.0, output=1.0), chat=made.chat) if rate else None
    return replace(made, sinks=(*made.sinks, log), shadow=shadow), log


def followed(log, number=1):
    """Returns the decision once its shadow is there."""
    for _ in range(100):
        found = [decision for decision in log.decisions() if decision.shadow]
        if len(found) == number:
            return found
        time.sleep(0.05)
    return pytest.fail("nothing was followed")


def test_feedback_is_joined_by_the_id_of_a_reply_and_taken_back(tmp_path) -> None:
    served, log = logged(tmp_path)
    with serve(served) as client:
        name = ask(client).headers["x-twosup-decision"]
        given = client.post("/v1/feedback", json={"id": name, "right": False, "answer": "Grace"})
        assert (given.status_code, given.json()["decision"], log.feedback()[name].answer) == (200, name, "Grace")
        assert client.post("/v1/feedback", json={"revoke": given.json()["id"]}).json()["revoked"] == 1
        assert not log.feedback()
        assert client.post("/v1/feedback", json={"id": name}).status_code == 400
        assert client.post("/v1/feedback", json={"id": "dec_none", "right": True}).status_code == 404


def test_nobody_speaks_of_what_somebody_else_was_told_but_operators(tmp_path) -> None:
    served, _ = logged(tmp_path)
    with serve(served, KEYS) as client:

        def say(name, body):
            key = {**KEYS.callers, **KEYS.admins}[name].decode()
            return client.post("/v1/feedback", json=body, headers={"authorization": f"Bearer {key}"})

        client.headers["authorization"] = f"Bearer {KEYS.callers['me'].decode()}"
        given = {"id": ask(client).headers["x-twosup-decision"], "right": True}
        assert say("you", given).status_code == 404
        assert say("me", given).json()["by"] == "me"
        said = say("ops", given).json()
        assert said["by"] == "ops"
        assert say("you", {"revoke": said["id"]}).status_code == 404


def test_without_a_log_there_is_nothing_to_join_feedback_to() -> None:
    with serve(route()) as client:
        assert client.post("/v1/feedback", json={"id": "x", "right": True}).status_code == 404


@pytest.mark.parametrize("path", ["chat", "answer"])
def test_a_trusted_local_answer_is_followed_in_the_shadow_which_nobody_waits_for(tmp_path, path) -> None:
    served, log = logged(tmp_path, "Grace", "Grace", rate=1.0, keeps_text=True)
    with serve(served) as client:
        if path == "chat":
            said = ask(client).json()["choices"][0]["message"]["content"]
        else:
            said = client.post("/v1/answer", json={"model": "docs", "question": "Who?", "context": "Ada wrote."}).json()
            said = said["answer"]
        assert said == "Ada"
        (decision,) = followed(log)
        assert len(client.decisions) == 2  # as it was told, and with what was seen in the shadow
    assert (decision.source, decision.agree, decision.text.answers) == (
        "local",
        False,
        {"local": "Ada", "remote": "Grace"},
    )
    assert decision.verdicts["remote"].trusted


def test_what_is_asked_in_the_shadow_is_paid_for_and_kept_when_the_server_ends(tmp_path) -> None:
    async def slow(asked):
        await asyncio.sleep(0.5)
        return "Grace"

    served, log = logged(tmp_path, rate=1.0, remote=slow)
    with serve(served) as client:
        client.post("/v1/answer", json={"model": "docs", "question": "Who?", "context": "Ada wrote."})
    (decision,) = log.decisions()
    assert decision.shadow


def test_what_never_leaves_does_not_leave_in_the_shadow(tmp_path) -> None:
    served, log = logged(tmp_path, "Grace", rate=1.0, never_escalate="Ada")
    with serve(served) as client:
        ask(client)
        time.sleep(0.3)
        (decision,) = log.decisions()
        assert not decision.shadow
        assert next(served.chat.remote.messages) == "Grace"  # it was not asked


def test_what_never_escalates_is_not_asked_in_the_shadow_either(tmp_path) -> None:
    rules = [{"metadata": {"private": "yes"}}, {"pattern": "secret"}]
    served, log = logged(tmp_path, *["Grace"] * 9, rate=1.0, never_escalate=rules)
    with serve(served) as client:
        ask(client, metadata={"private": "yes"})
        ask(client, context="Ada wrote the secret.")
        client.post(
            "/v1/answer", json={"model": "docs", "question": "Who?", "context": "Ada", "metadata": {"private": "yes"}}
        )
        ask(client)
        (seen,) = followed(log)
    assert seen.id == log.store.read("SELECT max(id) FROM decisions")[0][0]
