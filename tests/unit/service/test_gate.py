"""The breaker, the caps and the retries act where the chain asks its hosted model, in every call style."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import HumanMessage

from twosup_chain import Answer, Supervisor, TwoSupervisorChain, TwoSupervisorChatModel
from twosup_chain._deadline import Clock
from twosup_chain.errors import ConfigurationError, DeadlineError, RefusalError
from twosup_chain.outcomes.price import Price
from twosup_chain.service.breaker import Breaker
from twosup_chain.service.budget import Caps
from twosup_chain.service.decision import Ticket
from twosup_chain.service.gate import RemoteGate
from twosup_chain.service.ports import ticket
from twosup_chain.service.retries import Attempt

NEVER = Supervisor(lambda asked, answer: 0.0, threshold=0.5)
ALWAYS = Supervisor(lambda asked, answer: 1.0, threshold=0.5)
USAGE = {"input_tokens": 1_000, "output_tokens": 100, "total_tokens": 1_100}
PRICE = Price(input=1.0, output=10.0)  # a call costs 0.002


class FailedError(Exception):
    def __init__(self, status=None, **headers):
        self.response = type("Reply", (), {"status_code": status, "headers": headers})


def chain(gate, remote=lambda _: Answer("b", usage=USAGE), **options):
    parts = {"local": lambda _: "a", "local_supervisor": NEVER, "remote_supervisor": ALWAYS, **options}
    return TwoSupervisorChain(remote=remote, gate=gate, **parts)


def capped(where, **caps):
    return RemoteGate(caps=Caps(**caps), price=PRICE, store=where, max_tokens=100, prompt_tokens=1_000)


def failing_first(times, error):
    calls = []

    def remote(_):
        calls.append(time.monotonic())
        if len(calls) <= times:
            raise error
        return "b"

    return remote, calls


@pytest.mark.parametrize("error", [FailedError(503), FailedError(429), ConnectionResetError(), TimeoutError()])
def test_what_may_pass_is_asked_again_in_every_call_style(error, monkeypatch):
    monkeypatch.setattr("twosup_chain.service.retries._FIRST", 0.001)
    for run in (
        lambda built: built.invoke("q"),
        lambda built: built.batch(["q"])[0],
        lambda built: asyncio.run(built.ainvoke("q")),
        lambda built: asyncio.run(built.abatch(["q"]))[0],
    ):
        remote, calls = failing_first(2, error)
        assert run(chain(RemoteGate(), remote)).source == "remote"
        assert len(calls) == 3


@pytest.mark.parametrize(
    "error", [FailedError(401), FailedError(400), RefusalError("no"), ValueError(), ConfigurationError("x")]
)
def test_what_does_not_pass_is_asked_once(error):
    remote, calls = failing_first(9, error)
    with pytest.raises(type(error)):
        chain(RemoteGate(), remote).invoke("q")
    assert len(calls) == 1


def test_a_server_that_says_when_to_come_again_is_heeded_if_there_is_time():
    remote, calls = failing_first(1, FailedError(429, **{"retry-after": "0.3"}))
    assert chain(RemoteGate(), remote).invoke("q").source == "remote"
    assert calls[1] - calls[0] >= 0.3  # by itself it would wait a quarter of a second at most
    remote, calls = failing_first(1, FailedError(429, **{"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"}))
    started = time.monotonic()
    assert chain(RemoteGate(), remote, on_remote_error="local").invoke("q").source == "local"
    assert time.monotonic() - started < 0.2


def test_a_dead_remote_costs_a_question_less_than_fifty_milliseconds_and_its_recovery_is_noticed():
    alive, waited = [], 0.4

    async def remote(_):
        if not alive:
            await asyncio.sleep(0.2)
            raise TimeoutError
        return "b"

    async def ask():
        gate = RemoteGate(breaker=Breaker(failures=5, seconds=waited), retries=0)
        built = chain(gate, remote, on_remote_error="no_answer")
        await asyncio.gather(*(built.ainvoke("q") for _ in range(5)))
        started = time.monotonic()
        result = await built.ainvoke("q")
        took = time.monotonic() - started
        alive.append(True)
        still = await built.ainvoke("q")
        await asyncio.sleep(waited)
        return result, took, still, await built.ainvoke("q")

    result, took, still, recovered = asyncio.run(ask())
    assert took < 0.05
    assert "the last 5 calls failed" in result.reason
    assert still.source == "none"
    assert recovered.answer == "b"


@pytest.mark.parametrize("instead", ["local", "no_answer"])
def test_a_cap_ends_questions_by_policy_without_an_error(where, instead):
    built = chain(capped(where, day=0.005, instead=instead))  # two calls, and no third
    results = [built.invoke("q") for _ in range(4)]
    assert [result.source for result in results] == ["remote"] * 2 + ["local" if instead == "local" else "none"] * 2
    assert "the cap of 0.005" in results[-1].reason


def test_two_hundred_questions_at_once_never_overshoot_a_cap(where):
    gate = capped(where, day=0.1)

    async def remote(_):
        await asyncio.sleep(0.01)
        return Answer("b", usage=USAGE)

    async def many():
        built = chain(gate, remote)
        return await asyncio.gather(*(built.ainvoke(f"q{i}") for i in range(200)))

    asked = sum(result.remote is not None for result in asyncio.run(many()))
    gate.budget.store.flush()
    assert 30 < asked <= 50
    assert gate.budget.spent(route="chain")["day"] == pytest.approx(asked * 0.002)


def test_two_hundred_threads_at_once_never_overshoot_a_cap(where):
    gate = capped(where, day=0.1)
    built = chain(gate)
    with ThreadPoolExecutor(200) as threads:
        results = list(threads.map(lambda i: built.invoke(f"q{i}"), range(200)))
    assert 30 < sum(result.remote is not None for result in results) <= 50


def test_the_caller_pays_from_a_purse_of_its_own(store):
    gate = capped(store, caller_day=0.005)
    for caller, sources in (("a", ["remote"] * 2 + ["none"]), ("b", ["remote"])):
        token = ticket.set(Ticket(route="r", caller=caller))
        assert [chain(gate).invoke("q").source for _ in sources] == sources
        ticket.reset(token)


@pytest.mark.parametrize(
    ("error", "cost"),
    [(FailedError(500), 0.0), (RefusalError("no", USAGE), 0.002), (TimeoutError(), 0.002001)],
    ids=["refused by the server", "paid for", "left behind: the bound"],
)
def test_what_a_failed_call_may_have_cost_counts(store, error, cost):
    gate = RemoteGate(caps=Caps(day=1.0), price=PRICE, store=store, max_tokens=100, prompt_tokens=1_000, retries=0)
    chain(gate, failing_first(9, error)[0], on_remote_error="local").invoke("q")
    gate.budget.store.flush()
    assert gate.budget.spent(route="chain")["day"] == pytest.approx(cost)


def test_a_question_that_is_given_up_counts_as_spent(store):
    gate = capped(store, day=1.0)

    async def given_up():
        async def remote(_):
            await asyncio.sleep(9)

        task = asyncio.create_task(chain(gate, remote).ainvoke("q"))
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(given_up())
    gate.budget.store.flush()
    assert gate.budget.spent(route="chain")["day"] == pytest.approx(0.002001)


def test_caps_without_what_they_take_are_an_error():
    with pytest.raises(ConfigurationError, match="price and store and max_tokens"):
        RemoteGate(caps=Caps(day=1.0))
    with pytest.raises(ConfigurationError, match="retries=-1"):
        RemoteGate(retries=-1)


def test_where_the_purses_cannot_be_read_nothing_passes_and_the_model_is_not_taken_for_dead(tmp_path):
    (tmp_path / "broken.db").write_text("no database " * 500)
    gate = RemoteGate(
        breaker=Breaker(failures=1), caps=Caps(day=1.0), price=PRICE, store=tmp_path / "broken.db", max_tokens=9
    )
    result = chain(gate).invoke("q")
    assert (result.source, result.remote) == ("none", None)
    assert "what was spent cannot be told" in result.reason
    assert gate.breaker.state == "closed"


def test_a_call_that_hangs_has_its_own_time_and_is_made_again_in_that_of_the_question():
    asked = []

    async def remote(_):
        asked.append(time.monotonic())
        if len(asked) == 1:
            await asyncio.sleep(9)
        return "b"

    started = time.monotonic()
    result = asyncio.run(chain(RemoteGate(timeout=0.2), remote, deadline=5.0).ainvoke("q"))
    assert (result.source, len(asked)) == ("remote", 2)
    assert time.monotonic() - started < 2.0


@pytest.mark.parametrize(("given", "deadline", "words"), [(0.1, 5.0, "timeout=… of"), (9.0, 0.1, "deadline=…")])
def test_an_error_says_which_time_is_up_and_by_default_a_call_has_half_of_the_questions(given, deadline, words):
    with pytest.raises(DeadlineError, match=words):
        chain(RemoteGate(timeout=given, retries=0), lambda _: time.sleep(0.5), deadline=deadline).invoke("q")
    assert Attempt(Clock(60.0), None).limit(0) == 30.0
    assert Attempt(Clock(None), None).limit(0) == 30.0
    assert Attempt(Clock(1.0), 5.0).limit(0) == 1.0


def test_what_nobody_can_bound_is_not_asked_under_a_cap_and_a_reply_without_usage_counts_as_dear_as_it_may_be(store):
    picture = {"type": "image_url", "image_url": {"url": "http://localhost/a.png"}}
    gate = capped(store, day=1.0)
    parts = {"local": GenericFakeChatModel(messages=iter(["a", "a"])), "local_supervisor": NEVER}
    hosted = GenericFakeChatModel(messages=iter(["b"]))
    built = TwoSupervisorChatModel(remote=hosted, remote_supervisor=ALWAYS, gate=gate, **parts)
    told = built.invoke([HumanMessage([{"type": "text", "text": "Who?"}, picture])]).response_metadata["twosup"]
    assert (told["source"], "nobody knows what it may cost" in told["reason"]) == ("none", True)
    assert gate.budget.spent(route="chain")["day"] == 0.0
    assert built.invoke("Who?").response_metadata["twosup"]["source"] == "remote"
    gate.budget.store.flush()
    assert gate.budget.spent(route="chain")["day"] > PRICE.of(1_000, 100)


def test_the_longest_reply_may_be_the_models_own_by_the_price(store):
    gate = RemoteGate(caps=Caps(day=1.0), price=PRICE.model_copy(update={"context": 5_000}), store=store)
    chain(gate, lambda _: "b").invoke("q")
    gate.budget.store.flush()
    assert gate.budget.spent(route="chain")["day"] == pytest.approx(PRICE.of(4_001, 5_000))
