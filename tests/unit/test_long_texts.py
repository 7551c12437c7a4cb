"""Long texts: an event loop waits for none of them, and no answer is longer than it may be, through the whole chain."""

from __future__ import annotations

import asyncio
import gc
import random
import time

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from on_time import ends_after

from twosup_chain import Answer, Supervisor, TwoSupervisorChain, _citing
from twosup_chain._worker import GivenUp, leaving
from twosup_chain.answerers.reply import LONGEST
from twosup_chain.scoring.scorer import Scorer
from twosup_chain.text.words import words as tokens

UNSURE = Answer("x", scores={"answerability": 0.0})
#: How much the loop may compute between two beats, in seconds of its own thread.
STALL = 0.25


def words(n: int) -> str:
    return " ".join(random.Random(0).choices([f"word{i}" for i in range(5_000)], k=n))  # noqa: S311


def chain_of(reply: object) -> TwoSupervisorChain:
    async def answer(_):
        return reply

    async def unsure(_):
        return UNSURE

    return TwoSupervisorChain(
        local=RunnableLambda(lambda _: UNSURE, unsure),
        local_supervisor=Supervisor("answerability", threshold=0.5),
        remote=RunnableLambda(lambda _: reply, answer),
        remote_supervisor=Supervisor("in_context", threshold=0.0),
        deadline=None,
    )


async def asked(reply: object, context: object):
    """Returns the result, and the most that the loop computed between two beats: of three times the least."""
    tries = []
    while len(tries) < 3 and (not tries or tries[-1][1] >= STALL):  # what else the process does may fall on a beat
        tries.append(await asked_once(reply, context))
    return min(tries, key=lambda found: found[1])


async def asked_once(reply: object, context: object):
    worst = 0.0

    async def beat() -> None:
        nonlocal worst
        while True:
            before = time.thread_time()
            await asyncio.sleep(0.005)
            worst = max(worst, time.thread_time() - before)

    gc.collect()
    gc.freeze()  # a full pass of the collector over all that other tests have left is not the chain's computing
    heart = asyncio.create_task(beat())
    result = await chain_of(reply).ainvoke({"question": "Who?", "context": context})
    await asyncio.sleep(0.02)
    heart.cancel()
    gc.unfreeze()
    return result, worst


@pytest.mark.slow
async def test_an_answer_that_is_not_verbatim_in_a_million_words_stalls_nobody():
    text = words(1_000_000)
    for reply in ("the keeper of the lighthouse", "word1 word2 word3 word4"):
        result, stall = await asked(reply, text)
        assert (result.answer, result.citations) == (reply, ())
        assert stall < STALL


async def test_an_answer_that_stands_forty_thousand_times_has_a_hundred_citations():
    for context in ("Ada " * 40_000, ["Ada " * 400] * 100):
        result, stall = await asked("Ada", context)
        assert [c.start for c in result.citations] == list(range(0, 400, 4))
        assert stall < STALL


@pytest.mark.parametrize("kind", [str, Answer, AIMessage, lambda text: {"text": text}])
async def test_a_reply_of_a_million_words_is_cut_off_and_the_reason_says_so(kind):
    text = words(1_000_000)
    reply = kind(text)
    result, stall = await asked(reply, "Ada wrote it.")
    assert result.answer == f"{text[:LONGEST]}…"
    assert f"the remote answer is cut off after {LONGEST:,} characters" in result.reason
    assert stall < STALL
    assert chain_of(reply).invoke({"question": "Who?", "context": "Ada wrote it."}).answer == result.answer


async def test_a_long_answer_that_is_no_longer_than_it_may_be_is_left_alone():
    text = "a" * LONGEST
    result, _ = await asked(text, f"So: {text}")
    assert (result.answer, len(result.citations)) == (text, 1)
    assert "cut off" not in result.reason


async def test_long_texts_are_searched_in_every_call_style():
    context = f"{'word ' * 20_000}Ada wrote it."
    value, chain = {"question": "Who?", "context": context}, chain_of("Ada")
    results = [chain.invoke(value), *chain.batch([value]), *chain.stream(value), *await chain.abatch([value])]
    assert {r.citations[0].text for r in results} == {"Ada"}
    assert {r.citations[0].start for r in results} == {100_000}


def slow(*_, **__):
    time.sleep(1.5)
    return 1.0


@pytest.mark.parametrize("style", ["invoke", "ainvoke", "batch", "abatch"])
def test_to_search_long_texts_takes_no_longer_than_the_deadline(monkeypatch, style) -> None:
    monkeypatch.setattr(_citing, "citations", slow)
    asked = {"question": "Who?", "context": f"{'word ' * 20_000}Ada wrote it."}
    sure, quick = (
        Supervisor(lambda *_: 1.0, threshold=0.5),
        Scorer(name="quick on most texts", function=slow, blocking=False),
    )
    for judge, status, said in (
        (Supervisor(quick, threshold=0.5), "untrusted", "the remote supervisor could not judge"),
        (sure, "answered", "its citations could not be looked up ('DeadlineError: no reply within"),
    ):
        chain = chain_of("Ada").model_copy(update={"deadline": 0.5, "remote_supervisor": judge})
        calls = {
            "invoke": lambda chain=chain: chain.invoke(asked),
            "ainvoke": lambda chain=chain: asyncio.run(chain.ainvoke(asked)),
            "batch": lambda chain=chain: chain.batch([asked])[0],
            "abatch": lambda chain=chain: asyncio.run(chain.abatch([asked]))[0],
        }
        for _ in ends_after(0.5):
            result = calls[style]()
        assert (result.status, result.citations) == (status, ())
        assert said in result.reason


def test_a_search_that_nobody_waits_for_any_longer_ends() -> None:
    run, call = leaving()
    assert len(run(tokens, "word " * 100_000)) == 100_000
    call.given_up = True
    with pytest.raises(GivenUp):
        run(tokens, "word " * 100_000)


def test_where_the_reader_found_its_answer_is_cited_without_a_search() -> None:
    context = f"{'word ' * 20_000}Ada wrote it."
    answer = Answer("Ada", start=100_000, end=100_003, document=0)
    chain = TwoSupervisorChain(
        local=lambda _: answer,
        local_supervisor=Supervisor(lambda *_: 0.0, threshold=0.5),
        remote=lambda _: time.sleep(1.0),
        remote_supervisor=Supervisor(lambda *_: 0.0, threshold=0.5),
        on_remote_error="local",
        deadline=0.2,
    )
    found = chain.invoke({"question": "Who?", "context": context})
    assert (found.source, [c.start for c in found.citations]) == ("local", [100_000])
