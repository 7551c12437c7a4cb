"""The ledger: a question is paid for once, whoever asks it, before and after a restart."""

from __future__ import annotations

import asyncio
import math
import time

import pytest
from langchain_core.runnables import RunnableLambda

from twosup_chain import Answer, QAInput, Supervisor, TwoSupervisorChain
from twosup_chain.errors import ConfigurationError
from twosup_chain.service.ledger import Ledger, question_digest
from twosup_chain.service.store import Store

ADA = QAInput(question="Who?", context="Ada.")
SAID = Answer("Ada", token_logprobs=[("Ada", -math.inf), ("!", -0.125)], scores={"x": 0.1}, usage=None, seconds=0.5)


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "replies.db")
    yield made
    made.close()


@pytest.fixture
def asked():
    return []


def chain_of(asked, reply=SAID, wait=0.0):
    async def remote(question):
        asked.append(question["question"])
        await asyncio.sleep(wait)
        if isinstance(reply, Exception):
            raise reply
        return reply

    judge = Supervisor("answerability", threshold=0.5)
    remote = RunnableLambda(lambda _: None, afunc=remote)
    return TwoSupervisorChain(local=lambda _: "x", local_supervisor=judge, remote=remote, remote_supervisor=judge)


async def test_who_asks_at_once_or_later_or_after_a_restart_gets_the_same_reply_of_one_call(store, asked):
    ledger = Ledger(chain_of(asked, wait=0.05), store)
    together = await asyncio.gather(*[ledger.ask(ADA) for _ in range(20)])
    later = await ledger.ask(ADA)
    other = await Ledger(chain_of(asked), store).ask(ADA)
    assert asked == ["Who?"]
    assert {said.model_dump_json() for said in (*together, later, other)} == {SAID.model_dump_json()}
    assert other == SAID
    assert ledger.calls == 1


async def test_one_who_leaves_does_not_take_the_call_along(store, asked):
    ledger = Ledger(chain_of(asked, wait=0.05), store)
    leaving = asyncio.create_task(ledger.ask(ADA))
    await asyncio.sleep(0.01)
    leaving.cancel()
    assert await ledger.ask(ADA) == SAID
    assert asked == ["Who?"]


async def test_what_failed_has_failed_for_all_who_ask_until_a_restart(store, asked):
    ledger = Ledger(chain_of(asked, ValueError("no")), store)
    for _ in range(2):
        assert isinstance(await ledger.ask(ADA), ValueError)
    assert asked == ["Who?"]
    assert await Ledger(chain_of(asked), store).ask(ADA) == SAID


async def test_so_many_calls_run_at_once_and_start_in_a_second_as_was_said(store, asked):
    pytest.importorskip("aiolimiter")
    ledger = Ledger(chain_of(asked), store, concurrency=1, rate=50.0)
    started = time.perf_counter()
    await asyncio.gather(*[ledger.ask(QAInput(question=f"Who {n}?", context="Ada.")) for n in range(11)])
    assert time.perf_counter() - started >= 10 / 50 - 0.03


def test_questions_differ_by_their_words_and_by_how_their_passages_are_cut():
    questions = [
        ADA,
        QAInput(question="Who?", context=["Ada", "."]),
        QAInput(question="Who? Ada.", context=""),
        QAInput(question="Who?", context="Ada. \ud800"),
    ]
    assert len({question_digest(question) for question in questions}) == len(questions)


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"rate": 0.0}, {"rate": math.nan}])
def test_an_option_out_of_range_is_refused(store, asked, options):
    with pytest.raises(ConfigurationError, match="both have to be above 0"):
        Ledger(chain_of(asked), store, **options)


def test_a_chain_without_a_hosted_model_is_refused(store):
    local = TwoSupervisorChain(local=lambda _: "x", local_supervisor=Supervisor("answerability", threshold=0.5))
    with pytest.raises(ConfigurationError, match="the chain has no hosted model"):
        Ledger(local, store)
