from __future__ import annotations

import asyncio
import time

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda

from twosup_chain import Answer, Supervisor, TwoSupervisorChain
from twosup_chain.outcomes.price import Price
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.observer import Observer

USAGE = {"input_tokens": 1_000, "output_tokens": 100, "total_tokens": 1_100}
CHAIN = TwoSupervisorChain(
    local=lambda asked: Answer("Ada"),
    local_supervisor=Supervisor(lambda asked, answer: 0.0 if "hard" in asked.question else 1.0, threshold=0.5),
    remote=lambda asked: pytest.fail("it is not asked"),
    remote_supervisor=Supervisor(lambda asked, answer: 0.75, threshold=0.5),
)


@pytest.fixture
def log(tmp_path):
    return DecisionLog(tmp_path / "log.db")


def test_answers_are_as_they_were_in_every_call_style_and_what_a_chain_would_do_is_logged(log):
    def today(asked):
        return AIMessage(f"Byron, {asked['question']}", usage_metadata=USAGE)

    observer = Observer(CHAIN, log, price=Price(input=1.0, output=10.0), text=True)
    existing = RunnableLambda(today)
    observed = observer.around(existing)
    easy, hard = ({"question": question, "context": "Ada wrote it."} for question in ("easy?", "hard?"))
    assert observed.invoke(easy) == existing.invoke(easy)
    assert observed.batch([easy, hard]) == existing.batch([easy, hard])
    assert asyncio.run(observed.ainvoke(hard)) == existing.invoke(hard)
    observer.flush()
    found = sorted(log.decisions(), key=lambda d: d.source)
    assert [d.source for d in found] == ["local", "local", "remote", "remote"]
    assert {d.always_remote for d in found} == {0.002}
    assert [d.cost for d in found] == [0.0, 0.0, 0.002, 0.002]
    assert [d.shadow for d in found] == [True, True, False, False]
    assert {d.shadow_cost for d in found} == {None}
    assert found[0].text.answers == {"local": "Ada", "remote": "Byron, easy?"}
    assert observer.failed == 0


def test_an_error_of_what_answers_today_is_its_own_and_an_observers_is_nobodys(log):
    observer = Observer(CHAIN, log)
    with pytest.raises(ZeroDivisionError):
        observer.around(RunnableLambda(lambda _: 1 / 0)).invoke("q")
    assert observer.around(RunnableLambda(lambda _: "a")).invoke({"no": "question"}) == "a"
    observer.see("", "a blank question")
    observer.flush()
    assert observer.failed == 2


def test_what_waits_too_long_is_passed_over_and_nobody_waits_for_it(log):
    slow = CHAIN.model_copy(update={"local": RunnableLambda(lambda _: time.sleep(0.2) or "a")})
    observer = Observer(slow, log, most=2)
    started = time.monotonic()
    for _ in range(5):
        observer.see("easy?", "b")
    assert time.monotonic() - started < 0.15
    observer.flush()
    assert observer.passed_over == 3
    assert len(list(log.decisions())) == 2
