"""The drivers run any flow, whatever it decides: stages in order, errors thrown in, StopIteration not mistaken."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForChainRun
from langchain_core.runnables import RunnableLambda, RunnableSerializable

from twosup_chain import _drive
from twosup_chain._drive import Done, Step


class Driven(RunnableSerializable[Any, Any]):
    """A Runnable whose whole behaviour is the flow function that it is given."""

    flow: Any

    def invoke(self, input, config=None, **_):
        return self._call_with_config(
            lambda value, run_manager: _drive.run(self.flow(value), config, run_manager), input, config
        )

    async def ainvoke(self, input, config=None, **_):
        return await self._acall_with_config(
            lambda value, run_manager: _drive.arun(self.flow(value), config, run_manager), input, config
        )

    def batch(self, inputs, config=None, *, return_exceptions=False, **_):
        return self._batch_with_config(
            lambda values, run_manager, config: _drive.run_batch(map(self.flow, values), config, run_manager),
            inputs,
            config,
            return_exceptions=return_exceptions,
        )

    async def abatch(self, inputs, config=None, *, return_exceptions=False, **_):
        return await self._abatch_with_config(
            lambda values, run_manager, config: _drive.arun_batch(map(self.flow, values), config, run_manager),
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
    driven = Driven(flow=flow)
    return [
        driven.invoke(value),
        asyncio.run(driven.ainvoke(value)),
        driven.batch([value])[0],
        asyncio.run(driven.abatch([value]))[0],
    ]


def test_a_flow_is_sent_the_output_of_its_step() -> None:
    def flow(value):
        doubled = yield Step(0, "double", DOUBLE, value)
        return (yield Step(1, "double again", DOUBLE, doubled))

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
            return (yield Step(0, "fails", RunnableLambda(fails), value))
        except (ZeroDivisionError, StopIteration, RuntimeError) as error:
            return type(error).__name__

    assert set(four_ways(flow, 3)) <= {"ZeroDivisionError", "StopIteration", "RuntimeError"}


def test_a_step_that_raises_stop_iteration_does_not_end_the_flow() -> None:
    def flow(value):
        yield Step(0, "stops", RunnableLambda(stops), value)
        return "the end"

    for call in (Driven(flow=flow).invoke, lambda value: Driven(flow=flow).batch([value])):
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
            yield Step(0, "early", early, value)
        return (yield Step(1, "late", late, value))

    assert Driven(flow=flow).batch([0, 1, 2, 3]) == [0, 1, 2, 3]
    assert asked == [("early", [1, 3]), ("late", [0, 1, 2, 3])]


def test_a_broken_flow_takes_only_its_own_slot() -> None:
    def flow(value):
        return (yield Step(0, "divide", RunnableLambda(lambda number: 6 // number), value))

    first, second, third = Driven(flow=flow).batch([1, 0, 3], return_exceptions=True)
    assert (first, third) == (6, 2)
    assert isinstance(second, ZeroDivisionError)


class Pieces(RunnableSerializable[Any, Any]):
    """Shows two pieces before its output."""

    def invoke(self, input, config=None, **_):
        raise NotImplementedError

    def pieces(self, input, config):
        yield from (1, 2, Done(input))

    async def apieces(self, input, config):
        for piece in (1, 2, Done(input)):
            yield piece


async def both_streams(flow):
    """Returns the pieces of a flow, which both drivers must give alike."""
    run = CallbackManagerForChainRun.get_noop_manager()
    pieces = list(_drive.stream(flow(), {}, run))
    assert pieces == [piece async for piece in _drive.astream(flow(), {}, run)]
    return pieces


async def test_a_stream_passes_on_the_pieces_of_its_steps_and_ends_with_the_result() -> None:
    def flow():
        shown = yield Step(0, "shown", Pieces(), "a")
        hidden = yield Step(1, "hidden", RunnableLambda(lambda value: value + "b"), shown)
        return hidden + "c"

    assert await both_streams(flow) == [1, 2, Done("abc")]


async def test_in_a_stream_too_an_error_of_a_step_is_an_ordinary_except() -> None:
    def flow():
        try:
            yield Step(0, "broken", RunnableLambda(broken), 1)
        except ZeroDivisionError:
            return "caught"

    assert await both_streams(flow) == [Done("caught")]
