"""Runs a decision that is written as a generator, in every call style; it knows nothing of trust.

A flow yields a `Step` and is sent the output of that step's Runnable; an error of the Runnable is thrown into the flow,
where it is an ordinary ``except``. In a batch all flows that wait at the earliest stage take it together, so that every
Runnable is called once with all its inputs. (The idea of one generator and several thin drivers is httpx's auth flow.)
"""

from __future__ import annotations

from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

from langchain_core.runnables.config import RunnableConfig, patch_config

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Sequence

    from langchain_core.callbacks.base import BaseCallbackManager
    from langchain_core.runnables import Runnable


class RunManager(Protocol):
    """What is needed of a run: callbacks for the runs below it."""

    def get_child(self, tag: str | None = None) -> BaseCallbackManager:
        """Returns the callbacks of a run below this one."""


Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Step:
    """One call that a flow wants made.

    Args:
        stage: Its place in the order of stages; a batch takes the earliest stage first.
        name: The tag of the call in traces.
        runnable: What to call.
        input: With what.
    """

    stage: int
    name: str
    runnable: Runnable[Any, Any]
    input: Any

    def config(self, parent: RunnableConfig, run_manager: RunManager) -> RunnableConfig:
        """Returns the config that nests, names and tags this call under its parent's run.

        The run below says in its metadata which part it is, and what the part itself tells (``trace_metadata``).
        """
        child = run_manager.get_child(self.name)
        config = patch_config(parent, callbacks=child, run_name=self.name)
        if child.handlers:  # without a listener it would only cost time
            told = getattr(self.runnable, "trace_metadata", {})
            config["metadata"] = {**config.get("metadata", {}), "twosup_part": self.name, **told}
        return config


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """The end of a flow."""

    value: Result


@runtime_checkable
class Piecewise(Protocol):
    """A Runnable with something to show before it is done: it gives pieces, which are passed on, and `Done`."""

    def pieces(self, input: Any, config: RunnableConfig) -> Generator[Any]:
        """Gives the pieces."""

    def apieces(self, input: Any, config: RunnableConfig) -> AsyncGenerator[Any]:
        """Gives the pieces asynchronously."""


if TYPE_CHECKING:
    Flow = Generator[Step, Any, Result]


def run(flow: Flow[Result], config: RunnableConfig, run_manager: RunManager) -> Result:
    """Runs one flow."""
    state = _start(flow)
    while isinstance(state, Step):
        try:
            output = state.runnable.invoke(state.input, state.config(config, run_manager))
        except Exception as error:  # noqa: BLE001 (the flow decides what an error means)
            state = _throw(flow, error)
        else:
            state = _send(flow, output)
    return state.value


async def arun(flow: Flow[Result], config: RunnableConfig, run_manager: RunManager) -> Result:
    """Runs one flow asynchronously; a cancellation ends it where it stands."""
    state = _start(flow)
    while isinstance(state, Step):
        try:
            output = await state.runnable.ainvoke(state.input, state.config(config, run_manager))
        except Exception as error:  # noqa: BLE001 (the flow decides what an error means)
            state = _throw(flow, error)
        else:
            state = _send(flow, output)
    return state.value


def stream(flow: Flow[Result], config: RunnableConfig, run_manager: RunManager) -> Generator[Any | Done[Result]]:
    """Runs one flow, passes on what its steps show meanwhile, and gives its end as the last piece."""
    state = _start(flow)
    while isinstance(state, Step):
        below = state.config(config, run_manager)
        output = None
        try:
            if isinstance(state.runnable, Piecewise):
                with closing(state.runnable.pieces(state.input, below)) as pieces:
                    for piece in pieces:
                        if isinstance(piece, Done):
                            output = piece.value
                        else:
                            yield piece
            else:
                output = state.runnable.invoke(state.input, below)
        except Exception as error:  # noqa: BLE001 (the flow decides what an error means)
            state = _throw(flow, error)
        else:
            state = _send(flow, output)
    yield state


async def astream(
    flow: Flow[Result], config: RunnableConfig, run_manager: RunManager
) -> AsyncGenerator[Any | Done[Result]]:
    """Runs one flow asynchronously, passes on what its steps show meanwhile, and gives its end as the last piece."""
    state = _start(flow)
    while isinstance(state, Step):
        below = state.config(config, run_manager)
        output = None
        try:
            if isinstance(state.runnable, Piecewise):
                async with aclosing(state.runnable.apieces(state.input, below)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, Done):
                            output = piece.value
                        else:
                            yield piece
            else:
                output = await state.runnable.ainvoke(state.input, below)
        except Exception as error:  # noqa: BLE001 (the flow decides what an error means)
            state = _throw(flow, error)
        else:
            state = _send(flow, output)
    yield state


def run_batch(
    flows: Iterable[Flow[Result]], configs: list[RunnableConfig], run_managers: Sequence[RunManager]
) -> list[Result | Exception]:
    """Runs many flows stage by stage; the error of a flow takes the place of its result."""
    batch = _Batch(flows, configs, run_managers)
    while group := batch.earliest():
        outputs = group.runnable.batch(group.inputs, group.configs, return_exceptions=True)
        batch.resume(group, outputs)
    return batch.results()


async def arun_batch(
    flows: Iterable[Flow[Result]], configs: list[RunnableConfig], run_managers: Sequence[RunManager]
) -> list[Result | Exception]:
    """Runs many flows stage by stage, asynchronously; the error of a flow takes the place of its result."""
    batch = _Batch(flows, configs, run_managers)
    while group := batch.earliest():
        outputs = await group.runnable.abatch(group.inputs, group.configs, return_exceptions=True)
        batch.resume(group, outputs)
    return batch.results()


@dataclass(frozen=True, slots=True)
class _Group:
    """The flows that wait for the same Runnable at the same stage."""

    places: list[int]
    runnable: Runnable[Any, Any]
    inputs: list[Any]
    configs: list[RunnableConfig]


class _Batch(Generic[Result]):
    """Where each flow of a batch stands: at a step, at its end, or broken."""

    def __init__(
        self, flows: Iterable[Flow[Result]], configs: list[RunnableConfig], run_managers: Sequence[RunManager]
    ) -> None:
        self.flows = list(flows)
        self.configs = configs
        self.run_managers = run_managers
        self.states: list[Step | Done[Result] | Exception] = [_attempt(_start, flow) for flow in self.flows]

    def earliest(self) -> _Group | None:
        waiting = [(place, state) for place, state in enumerate(self.states) if isinstance(state, Step)]
        if not waiting:
            return None
        _, first = min(waiting, key=lambda item: item[1].stage)
        group = [(i, step) for i, step in waiting if step.stage == first.stage and step.runnable is first.runnable]
        return _Group(
            places=[i for i, _ in group],
            runnable=first.runnable,
            inputs=[step.input for _, step in group],
            configs=[step.config(self.configs[i], self.run_managers[i]) for i, step in group],
        )

    def resume(self, group: _Group, outputs: list[Any]) -> None:
        for place, output in zip(group.places, outputs, strict=True):
            resume = _throw if isinstance(output, Exception) else _send
            self.states[place] = _attempt(resume, self.flows[place], output)

    def results(self) -> list[Result | Exception]:
        return [state.value if isinstance(state, Done) else state for state in self.states]  # type: ignore[misc]


def _attempt(resume: Callable[..., Step | Done[Result]], *arguments: Any) -> Step | Done[Result] | Exception:
    try:
        return resume(*arguments)
    except Exception as error:  # noqa: BLE001 (it becomes this flow's result)
        return error


# Only `send` and `throw` stand inside `except StopIteration`: a Runnable that raises it must not end the flow.
def _start(flow: Flow[Result]) -> Step | Done[Result]:
    return _send(flow, None)


def _send(flow: Flow[Result], output: Any) -> Step | Done[Result]:
    try:
        return flow.send(output)
    except StopIteration as end:
        return Done(end.value)


def _throw(flow: Flow[Result], error: Exception) -> Step | Done[Result]:
    try:
        return flow.throw(error)
    except StopIteration as end:
        return Done(end.value)
