"""What the chain itself costs, against LangChain's own sequence of as many functions, in the same run."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from langchain_core.runnables import RunnableLambda

from twosup_chain import Supervisor, TwoSupervisorChain

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.benchmark

VALUE = {"question": "q", "context": "nothing of the kind"}
SEQUENCE = RunnableLambda(lambda x: x) | RunnableLambda(lambda x: x) | RunnableLambda(lambda x: x)
CHAIN = TwoSupervisorChain(  # every part is reached: local, remote and fallback
    local=lambda question: "a",
    local_supervisor=Supervisor("in_context", threshold=0.5),
    remote=lambda question: "b",
    remote_supervisor=Supervisor("in_context", threshold=0.5),
    fallback=lambda given: "c",
)


def ratio(ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int = 21, calls: int = 100) -> float:
    """The processor time of `calls` calls, all threads together: the least of ours by the least of theirs."""

    def seconds(function: Callable[[], object]) -> float:
        start = time.process_time()
        for _ in range(calls):
            function()
        return time.process_time() - start

    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    return min(a for a, _ in pairs) / min(b for _, b in pairs)


def test_invoke_costs_at_most_twice_a_sequence_of_three_functions() -> None:
    """With a deadline, all three functions are called on one other thread, since each could hang."""
    untimed = CHAIN.model_copy(update={"deadline": None})
    for name, chain in (("no deadline", untimed), ("a deadline", CHAIN)):
        assert chain.invoke(VALUE).source == "fallback"
        found = ratio(partial(chain.invoke, VALUE), lambda: SEQUENCE.invoke(VALUE))
        print(f"invoke, {name}: {found:.2f}x a sequence of three functions")
        assert found <= 2.0


def test_ainvoke_costs_at_most_twice_a_sequence_of_three_functions() -> None:
    with asyncio.Runner() as runner:
        found = ratio(lambda: runner.run(CHAIN.ainvoke(VALUE)), lambda: runner.run(SEQUENCE.ainvoke(VALUE)), calls=50)
    print(f"ainvoke: {found:.2f}x a sequence of three functions")
    assert found <= 2.0


def test_a_batch_of_64_costs_at_most_twice_that_of_a_sequence_of_three_functions() -> None:
    found = ratio(lambda: CHAIN.batch([VALUE] * 64), lambda: SEQUENCE.batch([VALUE] * 64), rounds=9, calls=3)
    print(f"batch: {found:.2f}x a sequence of three functions")
    assert found <= 2.0
