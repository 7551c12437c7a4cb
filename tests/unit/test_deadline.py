"""A question ends by its deadline, whatever hangs, in every call style; the time of a batch is each question's own."""

from __future__ import annotations

import asyncio
import os
import pickle
import threading
import time
from contextvars import ContextVar

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import ConfigurableField, RunnableLambda
from on_time import ends_after

from twosup_chain import Answer, Supervisor, TwoSupervisorChain, TwoSupervisorChatModel
from twosup_chain._deadline import _Threads
from twosup_chain.errors import ConfigurationError, DeadlineError

ASKED = {"question": "Who?", "context": "Ada wrote it."}
SURE, UNSURE = Answer("Ada", scores={"trust": 1.0}), Answer("Ada", scores={"trust": 0.0})
NEVER = 2.0


def _trust(question, answer, local=None) -> float:
    return answer.scores.get("trust", 1.0)


TRUST = Supervisor(_trust, threshold=0.5)


def _hang(_):
    time.sleep(NEVER)
    return SURE


async def _ahang(_):
    await asyncio.sleep(NEVER)
    return SURE


async def _deaf(_):
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        try:
            await asyncio.sleep(NEVER)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
    return SURE


HANGING = RunnableLambda(_hang, _ahang)


def _chain(remote=HANGING, *, local=lambda _: UNSURE, deadline=0.4, **options) -> TwoSupervisorChain:
    options = {"on_remote_error": "no_answer", **options}
    return TwoSupervisorChain(
        local=local, local_supervisor=TRUST, remote=remote, remote_supervisor=TRUST, deadline=deadline, **options
    )


def test_a_hung_remote_ends_by_the_deadline_in_every_call_style() -> None:
    chain = _chain()
    for _ in ends_after(0.4):
        one = chain.invoke(ASKED)
    assert (one.status, one.source) == ("untrusted", "none")
    assert one.error.startswith("DeadlineError: no reply within 0.")
    for _ in ends_after(0.4):
        many = chain.batch([ASKED, {**ASKED, "question": "Whose?"}])
    for _ in ends_after(0.4):
        (streamed,) = chain.stream(ASKED)
    assert [r.status for r in (*many, streamed)] == ["untrusted"] * 3


@pytest.mark.parametrize("remote", [HANGING, RunnableLambda(_hang, _deaf), RunnableLambda(_hang)])
async def test_a_hung_remote_ends_by_the_deadline_asynchronously(remote) -> None:
    chain = _chain(remote)
    for _ in ends_after(0.4):
        one = await chain.ainvoke(ASKED)
    for _ in ends_after(0.4):
        many = await chain.abatch([ASKED, {**ASKED, "question": "Whose?"}])
    for _ in ends_after(0.4):
        streamed = [piece async for piece in chain.astream(ASKED)]
    assert [r.status for r in (one, *many, *streamed)] == ["untrusted"] * 4


def test_the_policy_decides_what_becomes_of_it() -> None:
    with pytest.raises(DeadlineError, match=r"raise deadline=… \(None for no limit\)") as met:
        _chain(on_remote_error="raise").invoke(ASKED)
    assert pickle.loads(pickle.dumps(met.value)).seconds == met.value.seconds  # noqa: S301
    assert _chain(on_remote_error="local").invoke(ASKED).answer == "Ada"
    found = _chain(on_remote_error="fallback", fallback=lambda _: SURE).invoke(ASKED)
    assert found.source == "fallback"


def test_a_model_that_hangs_leaves_time_for_the_next() -> None:
    found = _chain(lambda _: SURE, local=_hang, deadline=0.6).invoke(ASKED)
    assert (found.source, found.answer) == ("remote", "Ada")
    for _ in ends_after(0.6):
        found = _chain(local=_hang, deadline=0.6, fallback=HANGING).invoke(ASKED)
    assert found.status == "untrusted"


def test_a_scorer_that_hangs_trusts_nothing() -> None:
    def hung(question, answer, local=None) -> float:
        return _hang(None)

    chain = TwoSupervisorChain(local=lambda _: SURE, local_supervisor=Supervisor(hung, threshold=0.5), deadline=0.3)
    for _ in ends_after(0.3):
        assert chain.invoke(ASKED).status == "untrusted"


def test_an_answer_in_time_is_what_it_was() -> None:
    assert _chain(lambda _: SURE).invoke(ASKED).source == "remote"
    assert _chain(lambda _: SURE, deadline=None).invoke(ASKED).source == "remote"


def test_calls_share_idle_threads_and_a_hung_one_keeps_its_own() -> None:
    chain, seen = _chain(lambda _: seen.add(threading.current_thread()) or SURE), set()
    for _ in range(50):
        assert chain.invoke(ASKED).source == "remote"
    assert len(seen) <= 3
    for _ in range(3):
        assert _chain(deadline=0.1).invoke(ASKED).status == "untrusted"
        assert chain.invoke(ASKED).source == "remote"
    for thread in seen:
        assert thread.daemon


def test_idle_threads_end() -> None:
    threads, done = _Threads(idle=0.05), threading.Event()
    threads.call(done.set)
    assert done.wait(1.0)
    until = time.monotonic() + 2.0
    while threads._idle:
        assert time.monotonic() < until
        time.sleep(0.01)
    again = threading.Event()
    threads.call(again.set)
    assert again.wait(1.0)


def test_a_call_sees_the_context_and_its_errors_are_raised_here() -> None:
    setting: ContextVar[str] = ContextVar("setting", default="none")
    setting.set("mine")
    assert _chain(lambda _: Answer(setting.get(), scores={"trust": 1.0})).invoke(ASKED).answer == "mine"

    def interrupted(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _chain(interrupted).invoke(ASKED)
    assert _chain(lambda _: SURE).invoke(ASKED).source == "remote"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own() -> None:
    chain = _chain(lambda _: SURE)
    assert chain.invoke(ASKED).source == "remote"
    child = os.fork()
    if child == 0:
        os._exit(0 if chain.invoke(ASKED).source == "remote" else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_the_default_is_a_minute_and_it_can_be_configured() -> None:
    assert TwoSupervisorChain(local=_hang, local_supervisor=TRUST).deadline == 60.0
    configurable = _chain(deadline=None).configurable_fields(deadline=ConfigurableField(id="deadline"))
    for _ in ends_after(0.3):
        assert configurable.invoke(ASKED, {"configurable": {"deadline": 0.3}}).status == "untrusted"


@pytest.mark.parametrize("deadline", [0, -1, float("nan"), "soon"])
def test_a_deadline_that_is_none_is_named(deadline) -> None:
    with pytest.raises(ConfigurationError, match="deadline"):
        _chain(deadline=deadline)


async def test_one_slow_call_costs_no_other_question_its_answer() -> None:
    def answer(asked):
        return _hang(asked) if asked.question == "0?" else SURE

    async def aanswer(asked):
        return await _ahang(asked) if asked.question == "0?" else SURE

    asked = [{**ASKED, "question": f"{i}?"} for i in range(20)]
    chain = _chain(RunnableLambda(answer, aanswer))
    for _ in ends_after(0.4):
        found = chain.batch(asked)
    for _ in ends_after(0.4):
        afound = await chain.abatch(asked)
    for results in (found, afound):
        assert [r.source for r in results] == ["none"] + ["remote"] * 19


async def test_what_waits_for_others_does_not_use_up_its_time() -> None:
    async def slow(_):
        await asyncio.sleep(0.1)
        return SURE

    asked = [{**ASKED, "question": f"{i}?"} for i in range(8)]
    found = await _chain(RunnableLambda(_hang, slow)).abatch(asked, {"max_concurrency": 1})
    assert {r.source for r in found} == {"remote"}


async def test_a_batch_asks_so_many_at_once_as_it_may_and_the_same_question_once() -> None:
    asked_for, now, most = [], 0, 0
    lock = threading.Lock()

    def begin(asked) -> None:
        nonlocal now, most
        with lock:
            asked_for.append(asked.question)
            now += 1
            most = max(most, now)

    def end() -> Answer:
        nonlocal now
        with lock:
            now -= 1
        return SURE

    def answer(asked):
        begin(asked)
        time.sleep(0.01)
        return end()

    async def aanswer(asked):
        begin(asked)
        await asyncio.sleep(pause)
        return end()

    chain = _chain(RunnableLambda(answer, aanswer), deadline=NEVER * 20)
    questions = [{**ASKED, "question": f"{i % 100}?"} for i in range(300)]
    for limit, pause, config in ((32, 0.3, None), (3, 0.01, {"max_concurrency": 3})):  # noqa: B007 (read above)
        asked_for, most = [], 0
        assert {r.answer for r in await chain.abatch(questions, config)} == {"Ada"}
        assert (sorted(asked_for), most) == (sorted({q["question"] for q in questions}), limit)
        asked_for, most = [], 0
        assert {r.answer for r in chain.batch(questions, config)} == {"Ada"}
        assert len(asked_for) == 100
        assert most <= limit
    asked_for = []
    other = {**ASKED, "context": "Grace wrote it."}
    for results in (await chain.abatch([ASKED, other, ASKED, "Who?"]), chain.batch([ASKED, other, ASKED, "Who?"])):
        assert results[0] is results[2]  # one usage, which a sum counts once
        assert len({id(result) for result in results}) == 3
    assert len(asked_for) == 6


class _HungModel(GenericFakeChatModel):
    def _generate(self, *args, **kwargs):
        time.sleep(NEVER)


class _Trickling(GenericFakeChatModel):
    def _stream(self, *args, **kwargs):
        for chunk in super()._stream(*args, **kwargs):
            time.sleep(0.15)
            yield chunk


@pytest.mark.parametrize("kind", [_HungModel, _Trickling])
async def test_a_chat_model_ends_by_its_deadline_too(kind) -> None:
    def chat(**options):
        return TwoSupervisorChatModel(
            local=GenericFakeChatModel(messages=iter([AIMessage("a")] * 9)),
            local_supervisor=Supervisor(lambda *_, **__: 0.0, threshold=1.0),
            remote=kind(messages=iter([AIMessage("word " * 60)] * 9)),
            remote_supervisor=Supervisor(lambda *_, **__: 1.0, threshold=0.0, missing=1.0),
            on_remote_error="no_answer",
            deadline=0.4,
            **options,
        )

    for _ in ends_after(0.4):
        chunks = [*chat(remote_tokens="at_once").stream("Go")]
    assert chunks[-1].response_metadata["twosup"]["error"].startswith("DeadlineError")
    for _ in ends_after(0.4):
        chunks = [chunk async for chunk in chat(remote_tokens="at_once").astream("Go")]
    if kind is _HungModel:
        for _ in ends_after(0.4):
            said = chat().invoke("Go")
        for _ in ends_after(0.4):
            said = await chat().ainvoke("Go")
        assert said.response_metadata["twosup"]["status"] == "untrusted"


def test_a_reader_of_a_stream_may_take_its_time() -> None:
    chat = TwoSupervisorChatModel(
        local=GenericFakeChatModel(messages=iter([AIMessage("a b c")])),
        local_supervisor=Supervisor(_trust, threshold=0.0, missing=1.0),
        deadline=0.3,
    )
    said = ""
    for chunk in chat.stream("Go"):
        said += chunk.content
        time.sleep(0.15)
    assert said == "a b c"


async def test_of_many_questions_that_begin_at_once_each_lets_the_loop_do_others_work() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    async def answer(_):
        begun.append(ticks)
        await asyncio.sleep(0.01)
        return SURE

    begun: list[int] = []
    heart = asyncio.create_task(tick())
    chain = _chain(RunnableLambda(_hang, answer), deadline=30.0)
    await asyncio.gather(*(chain.ainvoke({**ASKED, "question": f"{i}?"}) for i in range(100)))
    heart.cancel()
    assert len(set(begun)) == len(begun) == 100


async def test_the_default_executor_is_left_to_others(monkeypatch) -> None:
    loop = asyncio.get_running_loop()

    def starved(executor, *_):
        assert executor is not None, "the default executor was used"

    monkeypatch.setattr(loop, "run_in_executor", starved)
    from twosup_chain import ExtractiveReader

    reader = ExtractiveReader()
    found = await asyncio.gather(*(reader.ainvoke(ASKED) for _ in range(40)))
    assert {answer.text for answer in found} == {"Ada"}
    assert (await reader.abatch([ASKED] * 2))[1].text == "Ada"
    assert reader.worker.waiting == 0
