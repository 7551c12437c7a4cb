"""The drivers run any flow, whatever it decides: stages in order, errors thrown in, StopIteration not mistaken."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, CallbackManagerForChainRun
from langchain_core.runnables import Runnable, RunnableLambda, RunnableSerializable

from twosup_chain import _batch, _drive
from twosup_chain._deadline import Done
from twosup_chain._drive import FlowRunnable, Inline
from twosup_chain._step import Step


class Driven(FlowRunnable[Any, Any]):
    """A Runnable whose whole behaviour is the flow function that it is given."""

    function: Any

    def __init__(self, function) -> None:
        super().__init__(function=function)

    def flow(self, value, **_):
        return self.function(value)

    def batch(self, inputs, config=None, *, return_exceptions=False, **_):
        return self._batch_with_config(
            lambda values, run_manager, config: _batch.run_batch(map(self.flow, values), config, run_manager),
            inputs,
            config,
            return_exceptions=return_exceptions,
        )

    async def abatch(self, inputs, config=None, *, return_exceptions=False, **_):
        return await self._abatch_with_config(
            lambda values, run_manager, config: _batch.arun_batch(map(self.flow, values), config, run_manager),
            inputs,
            config,
            return_exceptions=return_exceptions,
        )


DOUBLE = RunnableLambda(lambda value: 2 * value)


def broken(value):
    raise ZeroDivisionError(value)


def stops(value):
    raise StopIteration(value)


def four_ways(flow, value):
    driven = Driven(flow)
    return [
        driven.invoke(value),
        asyncio.run(driven.ainvoke(value)),
        driven.batch([value])[0],
        asyncio.run(driven.abatch([value]))[0],
    ]


def test_a_flow_is_sent_the_output_of_its_step() -> None:
    def flow(value):
        doubled = yield Step(DOUBLE, value, name="double")
        return (yield Step(DOUBLE, doubled, stage=1, name="double again"))

    assert four_ways(flow, 3) == [12] * 4


def test_a_flow_may_end_before_its_first_step() -> None:
    def flow(value):
        return value
        yield

    assert four_ways(flow, 3) == [3] * 4


@pytest.mark.parametrize("fails", [broken, stops])
def test_an_error_of_a_step_is_an_ordinary_except(fails) -> None:
    def flow(value):
        try:
            return (yield Step(RunnableLambda(fails), value, name="fails"))
        except (ZeroDivisionError, StopIteration, RuntimeError) as error:
            return type(error).__name__

    assert set(four_ways(flow, 3)) <= {"ZeroDivisionError", "StopIteration", "RuntimeError"}


def test_a_step_that_raises_stop_iteration_does_not_end_the_flow() -> None:
    def flow(value):
        yield Step(RunnableLambda(stops), value, name="stops")
        return "the end"

    for call in (Driven(flow).invoke, lambda value: Driven(flow).batch([value])):
        with pytest.raises((RuntimeError, StopIteration)):
            call(3)


def test_a_batch_takes_the_earliest_stage_first_and_each_runnable_once() -> None:
    asked = []

    class Counting(RunnableSerializable[Any, Any]):
        name: str

        def invoke(self, input, config=None, **_):
            return input

        def batch(self, inputs, config=None, **_):
            asked.append((self.name, list(inputs)))
            return list(inputs)

    early, late = Counting(name="early"), Counting(name="late")

    def flow(value):
        if value % 2:
            yield Step(early, value, name="early")
        return (yield Step(late, value, stage=1, name="late"))

    assert Driven(flow).batch([0, 1, 2, 3]) == [0, 1, 2, 3]
    assert asked == [("early", [1, 3]), ("late", [0, 1, 2, 3])]


def test_a_broken_flow_takes_only_its_own_slot() -> None:
    def flow(value):
        return (yield Step(RunnableLambda(lambda number: 6 // number), value, name="divide"))

    first, second, third = Driven(flow).batch([1, 0, 3], return_exceptions=True)
    assert (first, third) == (6, 2)
    assert isinstance(second, ZeroDivisionError)


class Writing(Runnable[str, str]):
    """Streams the characters of its input; it knows how many were asked for and whether it was told why to stop."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.told: list[Exception] = []

    def invoke(self, input, config=None, **_):
        return input

    def stream(self, input, config=None, **_):
        try:
            for character in input:
                self.asked.append(character)
                yield character
        except ValueError as error:
            self.told.append(error)
            raise

    async def astream(self, input, config=None, **_):
        try:
            for character in input:
                self.asked.append(character)
                yield character
        except ValueError as error:
            self.told.append(error)
            raise


class Hearing:
    """Keeps what it hears, and stops at a full stop."""

    def __init__(self, *, shows: bool) -> None:
        self.shows = shows
        self.heard = ""

    def hear(self, chunk):
        self.heard += chunk
        return ValueError("enough") if chunk == "." else None


class Shouting(Inline[str, str]):
    """Writes a text, and then says it louder."""

    def __init__(self, writing, *, shows: bool = True) -> None:
        self.writing = writing
        self.hearing = Hearing(shows=shows)

    def flow(self, value, **_):
        yield Step(self.writing, value, listener=self.hearing)
        return (yield Step(RunnableLambda(str.upper), self.hearing.heard))


async def both_streams(flow):
    """Returns the pieces of a flow, which both drivers must give alike."""
    run = CallbackManagerForChainRun.get_noop_manager()
    pieces = list(_drive.stream(flow(), {}, run))
    assert pieces == [piece async for piece in _drive.astream(flow(), {}, run)]
    return pieces


async def test_a_stream_passes_on_what_the_listeners_of_its_steps_show_and_ends_with_the_result() -> None:
    def flow():
        shown = yield Step(Shouting(Writing()), "ab", name="shown")
        hidden = yield Step(Shouting(Writing(), shows=False), "cd", stage=1, name="hidden")
        return shown + hidden

    assert await both_streams(flow) == ["a", "b", Done("ABCD")]


async def test_a_stream_that_its_listener_has_heard_enough_of_is_told_why_and_not_read_on() -> None:
    writing = Writing()
    assert await both_streams(lambda: Shouting(writing).flow("a.b")) == ["a", Done("A.")]
    assert writing.asked == ["a", "."] * 2
    assert [str(error) for error in writing.told] == ["enough"] * 2


def test_a_part_written_as_a_flow_leaves_no_run_of_its_own_and_its_steps_stand_in_its_place() -> None:
    seen = []

    class Trace(BaseCallbackHandler):
        def on_chain_start(self, serialized, inputs, *, tags=None, **kwargs):
            seen.append((kwargs.get("name"), tags))

    def flow(value):
        return (yield Step(Shouting(Writing()), value, name="part"))

    assert Driven(flow).invoke("a", {"callbacks": [Trace()]}) == "A"
    assert seen == [("Driven", []), ("part", ["part"])]


def test_many_inputs_of_a_part_written_as_a_flow_are_processed_one_by_one() -> None:
    def flow(value):
        return (yield Step(Shouting(Writing()), value, each=True))

    assert Driven(flow).invoke(["a"]) == ["A"]
    assert asyncio.run(Driven(flow).ainvoke(["a"])) == ["A"]


def test_a_step_of_many_inputs_meets_an_output_or_an_error_for_each() -> None:
    def flow(value):
        return (yield Step(RunnableLambda(lambda number: 6 // number), value, each=True))

    driven = Driven(flow)
    for two, error in (driven.invoke([3, 0]), asyncio.run(driven.ainvoke([3, 0]))):
        assert two == 2
        assert isinstance(error, ZeroDivisionError)


async def test_in_a_stream_too_an_error_of_a_step_is_an_ordinary_except() -> None:
    def flow():
        try:
            yield Step(RunnableLambda(broken), 1, name="broken")
        except ZeroDivisionError:
            return "caught"

    assert await both_streams(flow) == [Done("caught")]
