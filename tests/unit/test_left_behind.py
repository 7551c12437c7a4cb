"""A question runs on one thread beside its caller's; what overruns is left behind with it, and touches nothing more."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableLambda
from on_time import ends_after

from twosup_chain import Answer, Supervisor, TwoSupervisorChain
from twosup_chain._deadline import Clock
from twosup_chain._drive import FlowRunnable
from twosup_chain._gate import Gate
from twosup_chain._step import Step

ASKED = {"question": "Who?", "context": "Ada wrote it."}
SURE, UNSURE = Answer("Ada", scores={"trust": 1.0}), Answer("Ada", scores={"trust": 0.0})


def _trust(question, answer, local=None) -> float:
    return answer.scores.get("trust", 1.0)


def _chain(remote, *, local=lambda _: UNSURE, deadline=0.3, **options) -> TwoSupervisorChain:
    judge = Supervisor(_trust, threshold=0.5)
    options = {"on_remote_error": "no_answer", **options}
    return TwoSupervisorChain(
        local=local, local_supervisor=judge, remote=remote, remote_supervisor=judge, deadline=deadline, **options
    )


class Hanging:
    """Hangs until it is let go, and then answers; it knows when it has."""

    def __init__(self) -> None:
        self.go, self.returned = threading.Event(), threading.Event()

    def __call__(self, _) -> Answer:
        self.go.wait(5.0)
        self.returned.set()
        return SURE

    def let_go(self) -> None:
        self.go.set()
        assert self.returned.wait(5.0)
        time.sleep(0.05)  # what follows it has had its time


def test_all_calls_of_a_question_are_made_on_one_thread_beside_the_callers() -> None:
    seen = []

    def note(answer):
        return lambda _: seen.append(threading.get_ident()) or answer

    chain = _chain(note(UNSURE), local=note(UNSURE), fallback=note(SURE))
    assert chain.invoke(ASKED).source == "fallback"
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert threading.get_ident() not in seen


def test_an_answer_that_comes_too_late_is_dropped_and_its_thread_asks_nobody_else() -> None:
    hanging, asked = Hanging(), []
    chain = _chain(hanging, fallback=lambda _: asked.append("fallback") or SURE, on_remote_error="fallback")
    result = chain.invoke(ASKED)
    assert (result.source, result.remote, asked) == ("fallback", None, ["fallback"])
    hanging.let_go()
    assert (result.source, result.remote, asked) == ("fallback", None, ["fallback"])


def test_what_is_left_behind_makes_no_further_call_of_its_own() -> None:
    hanging, asked = Hanging(), []

    class Twice(FlowRunnable):
        def flow(self, value, **_):
            yield Step(RunnableLambda(hanging), value)
            return (yield Step(RunnableLambda(asked.append), value))

    assert _chain(Twice()).invoke(ASKED).status == "untrusted"
    hanging.let_go()
    assert asked == []


def test_the_rest_of_the_question_has_a_thread_that_may_be_left_behind_too() -> None:
    local, remote = Hanging(), Hanging()
    for _ in ends_after(0.6):
        result = _chain(remote, local=local, deadline=0.6).invoke(ASKED)
    assert result.reason.count("DeadlineError: no reply within 0.") == 2
    local.go.set()
    remote.go.set()


def test_a_chain_as_fallback_has_its_own_time_within_that_of_the_whole() -> None:
    slow, never = Hanging(), Hanging()
    inner = _chain(slow, deadline=0.2, on_remote_error="local")
    found = _chain(never, fallback=inner, on_remote_error="fallback", deadline=2.0).invoke(ASKED)
    assert (found.source, found.answer) == ("fallback", "Ada")
    endless = inner.model_copy(update={"deadline": None})
    for _ in ends_after(0.4):
        found = _chain(never, fallback=endless, on_remote_error="fallback", deadline=0.4).invoke(ASKED)
    assert found.status == "untrusted"
    slow.go.set()
    never.go.set()


def test_a_call_with_less_time_than_the_one_before_is_not_waited_for_any_longer() -> None:
    hanging = Hanging()

    class Shorter(Gate):
        def through(self, asked, call, clock):
            return (yield from call(clock=Clock(0.3)))

    for _ in ends_after(0.4):
        result = _chain(hanging, local=lambda _: time.sleep(0.1) or UNSURE, gate=Shorter(), deadline=30.0).invoke(ASKED)
    assert "the remote failed ('DeadlineError: no reply within 0.3 s" in result.reason
    hanging.go.set()


class Through(Gate):
    """Lets everything pass, and knows whether a question that it let pass has ended."""

    def __init__(self) -> None:
        self.inside = 0

    def through(self, asked, call, clock):
        self.inside += 1
        try:
            return (yield from call())
        finally:
            self.inside -= 1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer here")
@pytest.mark.skipif(os.name == "nt", reason="signals are others there")
def test_an_interrupt_ends_the_question_at_once_while_its_call_hangs() -> None:
    hanging, gate = Hanging(), Through()
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            _chain(hanging, gate=gate, deadline=30.0).invoke(ASKED)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - started < 2.0
    assert gate.inside == 0
    hanging.let_go()


def test_handlers_hear_of_the_runs_in_their_order_whatever_thread_they_run_on() -> None:
    heard = []

    class Hear(BaseCallbackHandler):
        def on_chain_start(self, serialized, inputs, *, parent_run_id=None, **kwargs):
            heard.append(("start", kwargs.get("name"), parent_run_id is None))

        def on_chain_end(self, outputs, *, parent_run_id=None, **kwargs):
            heard.append(("end", None, parent_run_id is None))

    assert _chain(lambda _: SURE).invoke(ASKED, {"callbacks": [Hear()]}).source == "remote"
    names = [name for what, name, _ in heard if what == "start"]
    assert names[0] == "TwoSupervisorChain"
    assert names[1:] == ["local", "local_supervisor", "remote", "remote_supervisor"]
    assert (heard[0][2], heard[-1]) == (True, ("end", None, True))
