"""Runs many flows stage by stage: all that wait at the earliest stage take it together.

What runs in this process, and a Runnable with a batch of its own, is called once with all its inputs. Any other is
called for each of them, several at a time: so each has its own time, and one that hangs holds up no other.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, Generic

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import get_executor_for_config

from twosup_chain._deadline import Done, Result, awithin, within
from twosup_chain._drive import atimed, child_config, timed, without_keys
from twosup_chain._step import Flow, RunManager, Step, send, start, throw
from twosup_chain.errors import InputError
from twosup_chain.schema import QAInput, QAInputLike

#: How many calls of a batch run at once, where ``max_concurrency`` of its config does not say.
CONCURRENCY = 32


def run_batch(
    flows: Iterable[Flow[Result]],
    configs: list[RunnableConfig],
    run_managers: Sequence[RunManager | None],
    keys: Sequence[object] | None = None,
) -> list[Result | Exception]:
    """Runs many flows stage by stage; the error of a flow takes the place of its result.

    Of flows that have the same key only the first is run, for all of them.
    """
    batch = _Batch(flows, configs, run_managers, keys)
    while group := batch.earliest():
        if group.together:
            outputs = group.settled(_attempt(_last, group.timed()))
        else:
            with get_executor_for_config({"max_concurrency": group.concurrency}) as executor:
                calls = [*map(timed, group.steps, group.configs)]
                outputs = list(executor.map(partial(_attempt, _last), calls))
        batch.resume(group, outputs)
    return batch.results()


async def arun_batch(
    flows: Iterable[Flow[Result]],
    configs: list[RunnableConfig],
    run_managers: Sequence[RunManager | None],
    keys: Sequence[object] | None = None,
) -> list[Result | Exception]:
    """Runs many flows stage by stage, asynchronously; the error of a flow takes the place of its result."""
    batch = _Batch(flows, configs, run_managers, keys)
    while group := batch.earliest():
        if group.together:
            outputs = group.settled(await _alast(group.atimed()))
        else:
            slots = asyncio.Semaphore(group.concurrency)
            calls = map(atimed, group.steps, group.configs)
            outputs = await asyncio.gather(*(_alast(call, slots) for call in calls))
        batch.resume(group, outputs)
    return batch.results()


@dataclass(frozen=True, slots=True)
class _Group:
    """The flows that wait for the same Runnable at the same stage."""

    places: list[int]
    steps: list[Step]
    configs: list[RunnableConfig]

    @property
    def together(self) -> bool:
        """Whether the Runnable is called once: its batch does more than to call it for each input."""
        return not type(self.steps[0].runnable).batch.__module__.startswith("langchain_core.")

    @property
    def concurrency(self) -> int:
        return self.configs[0].get("max_concurrency") or CONCURRENCY

    def timed(self) -> Generator[Any]:
        """Makes one call of all, in the time that they have together."""
        started, limit = monotonic(), self._limit
        yield from self._call() if limit is None else within(self._call, limit)
        self._charge(monotonic() - started)

    async def atimed(self) -> AsyncGenerator[Any]:
        """Makes one call of all, asynchronously."""
        started, limit = monotonic(), self._limit
        async for piece in self._acall() if limit is None else awithin(self._acall, limit):
            yield piece
        self._charge(monotonic() - started)

    def settled(self, outputs: Any) -> list[Any]:
        """Returns an output each; an error of the call is everybody's."""
        return [outputs] * len(self.steps) if isinstance(outputs, Exception) else outputs

    @property
    def _limit(self) -> float | None:
        limits = [limit for step in self.steps if (limit := step.limit) is not None]
        return sum(limits) if limits else None  # quick ones take nothing of the time of those that are not

    def _charge(self, seconds: float) -> None:
        for step in self.steps:
            step.charge(seconds / len(self.steps))

    def _call(self) -> Generator[Any]:
        inputs = [step.input for step in self.steps]
        with child_config(None):  # each has its own config
            outputs = self.steps[0].runnable.batch(inputs, self.configs, return_exceptions=True)
        yield Done(outputs)

    async def _acall(self) -> AsyncGenerator[Any]:
        inputs = [step.input for step in self.steps]
        with child_config(None):
            outputs = await self.steps[0].runnable.abatch(inputs, self.configs, return_exceptions=True)
        yield Done(outputs)


class _Batch(Generic[Result]):
    """Where each flow of a batch stands: at a step, at its end, or broken."""

    def __init__(
        self,
        flows: Iterable[Flow[Result]],
        configs: list[RunnableConfig],
        run_managers: Sequence[RunManager | None],
        keys: Sequence[object] | None,
    ) -> None:
        self.flows = list(flows)
        firsts: dict[object, int] = {}
        self.first_like = [firsts.setdefault(key, i) for i, key in enumerate(keys or range(len(self.flows)))]
        self.configs = configs
        self.run_managers = run_managers
        self.states: dict[int, Step | Done[Result] | Exception] = {
            place: _attempt(start, self.flows[place]) for place in firsts.values()
        }

    def earliest(self) -> _Group | None:
        self._pass_over()
        waiting = [(place, state) for place, state in self.states.items() if isinstance(state, Step)]
        if not waiting:
            return None
        _, first = min(waiting, key=lambda item: item[1].stage)
        group = [(i, step) for i, step in waiting if step.stage == first.stage and step.runnable is first.runnable]
        return _Group(
            places=[i for i, _ in group],
            steps=[step for _, step in group],
            configs=[step.config(self.configs[i], self.run_managers[i]) for i, step in group],
        )

    def _pass_over(self) -> None:
        """Makes the steps fail for which no time is left."""
        for place in self.states:
            while isinstance(state := self.states[place], Step):
                spent = _attempt(lambda step: step.limit, state)
                if not isinstance(spent, Exception):
                    break
                self.states[place] = _attempt(throw, self.flows[place], spent)

    def resume(self, group: _Group, outputs: list[Any]) -> None:
        for place, step, output in zip(group.places, group.steps, outputs, strict=True):
            resume = throw if isinstance(output, Exception) else send
            self.states[place] = _attempt(resume, self.flows[place], without_keys(output, step.runnable))

    def results(self) -> list[Result | Exception]:
        ends = (self.states[first] for first in self.first_like)
        return [end.value if isinstance(end, Done) else end for end in ends]  # type: ignore[misc]


def _last(pieces: Generator[Any]) -> Any:
    """Returns the output of a call."""
    return [piece.value for piece in pieces if isinstance(piece, Done)][-1]


async def _alast(pieces: AsyncGenerator[Any], slots: asyncio.Semaphore | None = None) -> Any:
    """Returns the output of a call, or the error that it met, once there is a slot for it."""
    try:
        async with slots or asyncio.Semaphore():
            return [piece.value async for piece in pieces if isinstance(piece, Done)][-1]
    except Exception as error:  # noqa: BLE001 (each flow decides what an error means)
        return error


def _attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001 (each flow decides what an error means)
        return error


def keys_of(inputs: list[QAInputLike], config: object) -> list[object] | None:
    """Returns a key for each input, the same for equal questions; ``None`` where each has a config of its own."""
    return None if isinstance(config, list) else [_key(value) for value in inputs]


def _key(value: QAInputLike) -> object:
    try:
        return repr(QAInput.coerce(value))
    except InputError:
        return object()  # it fails by itself
