from __future__ import annotations

import asyncio
from time import time
from uuid import uuid4

import pytest

from twosup_chain import Answer, Supervisor, TwoSupervisorChain
from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.outcomes.price import Price
from twosup_chain.schema import QAInput
from twosup_chain.service.callback import DecisionCallback
from twosup_chain.service.decision import DecisionText, Ticket, decision_of
from twosup_chain.service.feedback import Feedback
from twosup_chain.service.log import DecisionLog, UnknownDecisionError

ASKED = QAInput("Who wrote it?", "Ada wrote it.")
CHAIN = TwoSupervisorChain(
    local=lambda asked: Answer("Ada", scores={"odd": float("nan"), "good": 0.5}, usage={"input_tokens": 3}),
    local_supervisor=Supervisor(lambda asked, answer: 0.25, threshold=0.5),
    remote=lambda asked: 1 / 0 if "fail" in asked.question else Answer("Ada Lovelace", model="big"),
    remote_supervisor=Supervisor(lambda asked, answer: 0.75, threshold=0.5),
    on_remote_error="no_answer",
)


def made(question=ASKED, **fields):
    return decision_of(Ticket(route="qa"), question, CHAIN.invoke(question)).model_copy(update=fields)


@pytest.fixture
def log(store):
    return DecisionLog(store)


def test_a_decision_is_read_as_it_was_written_but_for_numbers_that_are_none(log):
    decision = made()
    log.put(decision).result()
    cleaned = decision.model_copy(update={"scores": {"local": {"good": 0.5}, "remote": {}}})
    assert log.get(decision.id) == cleaned
    assert list(log.decisions()) == [cleaned]


def test_without_texts_no_word_of_question_or_answer_is_in_the_database(log, where):
    failing = QAInput("Why does Marmalade fail?", "Ada wrote it.")
    log.put(made(failing)).result()
    log.put(made(error="ValueError: Ada said Marmalade", reason="the remote failed ('ValueError: Ada\\'s')")).result()
    log.put(made(status="failed", error="ValueError: Ada", reason="ValueError: Ada")).result()
    withheld = "RemoteWithheldError: the cap of 5 is reached"
    log.put(made(error=withheld, reason=f"the remote failed ('{withheld}')")).result()
    rows = str(log.store.read("SELECT * FROM decisions"))
    assert "ZeroDivisionError" in rows
    assert "ValueError" in rows
    assert rows.count(withheld) == 2  # which quotes nobody
    assert "Ada" not in rows
    assert "Marmalade" not in rows


def test_texts_that_are_kept_are_redacted_first(store):
    text = DecisionText(question="Call 555-12", context=("at 555-12",), answers={"final": "555-12", "local": None})
    DecisionLog(store, redact=lambda said: said.replace("555-12", "###")).put(made(text=text)).result()
    (kept,) = DecisionLog(store).decisions()
    assert kept.text == DecisionText(question="Call ###", context=("at ###",), answers={"final": "###", "local": None})


def test_texts_that_cannot_be_redacted_are_not_kept(store):
    text = DecisionText(question="Call 555-12")
    DecisionLog(store, redact=lambda said: 1 / 0).put(made(text=text)).result()
    (kept,) = DecisionLog(store).decisions()
    assert kept.text is None
    assert "ZeroDivisionError" in kept.reason


def test_keys_and_letters_that_no_encoder_takes_are_cleaned(log):
    text = DecisionText(question="?")
    log.put(made(text=text, error="sk-" + "a1B2" * 12 + " \ud800\0")).result()
    (kept,) = log.decisions()
    assert "a1B2a1B2" not in kept.error


def test_decisions_are_found_by_route_time_and_the_beginning_of_an_id(log):
    now = time()
    for i in range(5):
        ticket = Ticket(route="ab"[i % 2], id=f"dec_{i}{uuid4().hex}", time=now + i)
        log.put(decision_of(ticket, ASKED, CHAIN.invoke(ASKED)))
    log.store.flush()
    assert [d.id[:5] for d in log.decisions(route="a")] == ["dec_0", "dec_2", "dec_4"]
    assert [d.id[:5] for d in log.decisions(since=now + 3)] == ["dec_3", "dec_4"]
    assert [d.id[:5] for d in log.decisions(last=2)] == ["dec_3", "dec_4"]
    assert log.get("dec_3").time == now + 3
    for unknown in ("dec_", "dec_7", "%"):
        with pytest.raises(UnknownDecisionError):
            log.get(unknown)


def test_feedback_is_joined_by_id_and_can_be_revoked(log):
    first, second = made(), made()
    for decision in (first, second):
        log.put(decision)
    log.give(Feedback(decision=first.id, right=True)).result()
    last = log.give(Feedback(decision=first.id, right=False, answer="Byron")).result()
    log.give(Feedback(decision=second.id, answer="")).result()
    assert log.feedback()[first.id] == last
    assert log.feedback(second.id)[second.id].answer == ""
    assert log.revoke(last.id).result() == 1
    assert log.feedback()[first.id].right
    assert log.revoke(first.id).result() == 1
    assert set(log.feedback()) == {second.id}
    with pytest.raises(UnknownDecisionError):
        log.give(Feedback(decision="dec_none", right=True)).result()
    with pytest.raises(InputError, match="says nothing"):
        Feedback(decision=first.id)


def test_old_decisions_and_their_feedback_are_deleted(store):
    log = DecisionLog(store, keep_days=30)
    old = decision_of(Ticket(route="a", time=time() - 31 * 86400), ASKED, CHAIN.invoke(ASKED))
    DecisionLog(store).put(old).result()
    DecisionLog(store).give(Feedback(decision=old.id, right=True)).result()
    new = made()
    log.put(new).result()
    assert [d.id for d in log.decisions()] == [new.id]
    assert not log.feedback()
    with pytest.raises(ConfigurationError, match="keep_days"):
        DecisionLog(store, keep_days=0)


def test_a_chain_without_a_server_logs_every_decision_once_in_every_call_style(log):
    callback = DecisionCallback(log, text=True, route="mine", caller="me", price=Price(input=1.0, output=1.0))
    config = {"callbacks": [callback]}
    run = uuid4()
    chain = CHAIN | (lambda result: result)  # passes on what is decided below it

    async def asynchronous():
        await chain.ainvoke(ASKED, config)
        await chain.abatch([ASKED, "Who?"], config)
        return [result async for result in CHAIN.astream(ASKED, config)]

    CHAIN.invoke(ASKED, {**config, "run_id": run})
    chain.invoke(ASKED, config)
    CHAIN.batch([ASKED, "Who?"], config)
    assert log.get(str(run)).text.answers == {"local": "Ada", "remote": "Ada Lovelace"}
    asyncio.run(asynchronous())
    found = list(log.decisions())
    assert len(found) == 8
    assert {(d.route, d.caller, d.currency) for d in found} == {("mine", "me", "USD")}
    assert all(d.cost > 0.0 and d.estimated for d in found)  # its tokens are not reported
    assert not callback._asked
    assert not callback._below


def test_a_log_is_a_sink_that_acknowledges_what_is_on_the_disk(log, where):
    async def records():
        await asyncio.gather(*(log.record(made()) for _ in range(20)))
        count = len(list(DecisionLog(where).decisions()))
        await log.aclose()
        return count

    assert asyncio.run(records()) == 20
