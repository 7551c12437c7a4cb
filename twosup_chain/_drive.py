"""Runs what is written as a generator, in every call style; it knows nothing of trust.

A flow yields a `Step` and is sent the output of that step's Runnable; an error of the Runnable is thrown into the flow,
where it is an ordinary ``except``. Many flows at once are run in `_batch`. (The idea of one generator and several thin
drivers is httpx's auth flow.)
"""

from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass
from functools import partial
from inspect import signature
from time import monotonic
from typing import Any, ClassVar, Generic, cast

from langchain_core.runnables import Runnable, RunnableConfig, RunnableSerializable
from langchain_core.runnables.config import ensure_config, var_child_runnable_config
from langchain_core.runnables.utils import ConfigurableFieldSpec, Input, Output, get_unique_config_specs

from twosup_chain._deadline import Done, Result, Watch, awithin, elsewhere, within
from twosup_chain._halting import Halting
from twosup_chain._options import Options
from twosup_chain._secrets import scrub
from twosup_chain._step import Flow, RunManager, Step, send, start, throw
from twosup_chain._unkeyed import scrub_error, secrets_of
from twosup_chain._worker import check_wanted

_END = object()


@dataclass(frozen=True)
class _Driven:
    """How LangChain drives a flow; the signature, which it asks for twice a call, is there already."""

    drive: Callable[..., Any]
    flow: Callable[[Any], Flow[Any]]
    config: RunnableConfig
    __signature__: ClassVar = signature(lambda value, run_manager: None)  # noqa: ARG005

    def __call__(self, value: Any, run_manager: RunManager) -> Any:
        return self.drive(self.flow(value), self.config, run_manager)


class FlowRunnable(Halting, RunnableSerializable[Input, Output], Options, Generic[Input, Output]):
    """A Runnable that is written as a flow: `invoke` and `ainvoke` drive it."""

    @abstractmethod
    def flow(self, value: Input, **options: Any) -> Flow[Output]:
        """Returns what becomes of one input; `options` are the keyword arguments of the call."""

    def invoke(self, input: Input, config: RunnableConfig | None = None, **options: Any) -> Output:
        """Processes one input."""
        config = ensure_config(config)
        return self._call_with_config(_Driven(run, partial(self.flow, **options), config), input, config)

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **options: Any) -> Output:
        """Processes one input, asynchronously."""
        config = ensure_config(config)
        return await self._acall_with_config(_Driven(arun, partial(self.flow, **options), config), input, config)

    def __repr__(self) -> str:
        return scrub(super().__repr__(), *secrets_of(self))

    __str__ = __repr__

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """What can be configured at run time: everything that the parts declare."""
        return specs_of(self)


class Inline(Runnable[Input, Output]):
    """A part that is written as a flow and leaves no run of its own in traces; its steps do."""

    @abstractmethod
    def flow(self, value: Input, **options: Any) -> Flow[Output]:
        """Returns what becomes of one input; `options` are the keyword arguments of the call."""

    def invoke(self, input: Input, config: RunnableConfig | None = None, **options: Any) -> Output:
        """Processes one input."""
        return run(self.flow(input, **options), ensure_config(config))

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **options: Any) -> Output:
        """Processes one input, asynchronously."""
        return await arun(self.flow(input, **options), ensure_config(config))


def specs_of(whole: object) -> list[ConfigurableFieldSpec]:
    """Returns what the parts of a Runnable declare as configurable."""
    parts = [part for part in vars(whole).values() if isinstance(part, Runnable)]
    return get_unique_config_specs(spec for part in parts for spec in part.config_specs)


def run(flow: Flow[Result], config: RunnableConfig, run_manager: RunManager | None = None) -> Result:
    """Runs one flow."""
    *_, end = stream(flow, config, run_manager)
    return cast("Done[Result]", end).value


async def arun(flow: Flow[Result], config: RunnableConfig, run_manager: RunManager | None = None) -> Result:
    """Runs one flow asynchronously; a cancellation ends it where it stands."""
    *_, end = [piece async for piece in astream(flow, config, run_manager)]
    return cast("Done[Result]", end).value


def stream(
    flow: Flow[Result], config: RunnableConfig, run_manager: RunManager | None = None
) -> Generator[Any | Done[Result]]:
    """Runs one flow, passes on what its steps show meanwhile, and gives its end as the last piece.

    From the first step on that may overrun, it runs on another thread; when one does, that thread is left behind, and
    the flow goes on without it.
    """
    try:
        state = start(flow)
        watch = Watch()
        while isinstance(state, Step):
            if not state.may_overrun:
                state = yield from _advance(flow, state, config, run_manager, watch)
                continue
            with closing(elsewhere(partial(_rest, flow, state, config, run_manager, watch), watch)) as pieces:
                for piece in pieces:
                    if isinstance(piece, Done):
                        state = piece
                    else:
                        yield piece
            if watch.left:
                state, watch = throw(flow, watch.error), Watch()
        yield state
    finally:
        with suppress(ValueError):  # another thread is in it, and learns that nobody waits
            flow.close()


def _rest(
    flow: Flow[Result], state: Step | Done[Result], config: RunnableConfig, run_manager: RunManager | None, watch: Watch
) -> Generator[Any | Done[Result]]:
    """Runs a flow from a step on, and gives its end as the last piece."""
    while isinstance(state, Step):
        state = yield from _advance(flow, state, config, run_manager, watch)
    yield state


def _advance(
    flow: Flow[Result], step: Step, config: RunnableConfig, run_manager: RunManager | None, watch: Watch
) -> Generator[Any, None, Step | Done[Result]]:
    """Makes the call of a step, passes on what it shows, and returns where the flow stands then."""
    check_wanted()
    output = None
    try:
        watch.begin(step.limit, step.charge)
        try:
            child = step.config(config, run_manager)
            if _is_plain(step):
                output = _output(step, child)
            else:
                with closing(_pieces(step, child)) as pieces:
                    for piece in pieces:
                        if isinstance(piece, Done):
                            output = piece.value
                        else:
                            yield piece
        finally:
            watch.end()
    except Exception as error:  # noqa: BLE001 (the flow decides what an error means)
        return throw(flow, scrub_error(error, step.runnable))
    return send(flow, output)


async def astream(
    flow: Flow[Result], config: RunnableConfig, run_manager: RunManager | None = None
) -> AsyncGenerator[Any | Done[Result]]:
    """Runs one flow asynchronously, passes on what its steps show meanwhile, and gives its end as the last piece."""
    state = start(flow)
    while isinstance(state, Step):
        output = None
        try:
            async with aclosing(atimed(state, state.config(config, run_manager))) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Done):
                        output = piece.value
                    else:
                        yield piece
        except Exception as error:  # noqa: BLE001 (the flow decides what an error means)
            state = throw(flow, scrub_error(error, state.runnable))
        else:
            state = send(flow, output)
    yield state


class child_config:  # noqa: N801 (it stands in a `with`; a generator would cost more)
    """Makes a config that of the call under way: a binding would add the handlers of the run above, as they were."""

    __slots__ = ("_config", "_token")

    def __init__(self, config: RunnableConfig | None) -> None:
        self._config = config

    def __enter__(self) -> None:
        self._token = var_child_runnable_config.set(self._config)

    def __exit__(self, *_: object) -> None:
        var_child_runnable_config.reset(self._token)


def timed(step: Step, config: RunnableConfig) -> Generator[Any]:
    """Makes a call in the time that it has; gives what it shows before it is done, and at last its output."""
    limit = step.limit
    with closing(_pieces(step, config) if limit is None else within(partial(_pieces, step, config), limit)) as pieces:
        piece = None
        while not isinstance(piece, Done):
            started = monotonic()
            try:
                piece = next(pieces, _END)
            finally:
                step.charge(monotonic() - started)
            if piece is _END:
                return
            yield piece


async def atimed(step: Step, config: RunnableConfig) -> AsyncGenerator[Any]:
    """Makes a call in the time that it has, asynchronously."""
    limit = step.limit
    call = partial(_apieces, step, config)
    async with aclosing(call() if limit is None else awithin(call, limit)) as pieces:
        piece = None
        while not isinstance(piece, Done):
            started = monotonic()
            try:
                piece = await anext(pieces, _END)
            finally:
                step.charge(monotonic() - started)
            if piece is _END:
                return
            yield piece


def _is_plain(step: Step) -> bool:
    """Whether a call shows nothing before it is done."""
    return not (step.each or step.listener is not None or isinstance(step.runnable, Inline))


def _output(step: Step, config: RunnableConfig) -> Any:
    """Makes a plain call."""
    with child_config(config):
        return step.runnable.invoke(step.input, config, **step.options)


def _pieces(step: Step, config: RunnableConfig) -> Generator[Any]:
    """Makes a call; gives what it shows before it is done, and at last its output."""
    if step.each:
        with child_config(config):
            outputs = step.runnable.batch(step.input, config, return_exceptions=True, **step.options)
        yield Done([without_keys(output, step.runnable) for output in outputs])
    elif step.listener is None and isinstance(step.runnable, Inline):
        yield from stream(step.runnable.flow(step.input, **step.options), config)
    elif step.listener is None:
        yield Done(_output(step, config))
    else:
        chunks: Any = step.runnable.stream(step.input, config, **step.options)
        with closing(chunks):
            while True:
                with child_config(config):
                    chunk = next(chunks, _END)
                if chunk is _END:
                    return
                reason = step.listener.hear(chunk)
                if reason is not None:
                    with suppress(type(reason)):
                        chunks.throw(reason)
                    return
                if step.listener.shows:
                    yield chunk


async def _apieces(step: Step, config: RunnableConfig) -> AsyncGenerator[Any]:
    """Makes a call asynchronously; gives what it shows before it is done, and at last its output."""
    if step.each:
        with child_config(config):
            outputs = await step.runnable.abatch(step.input, config, return_exceptions=True, **step.options)
        yield Done([without_keys(output, step.runnable) for output in outputs])
    elif step.listener is None and isinstance(step.runnable, Inline):
        async with aclosing(astream(step.runnable.flow(step.input, **step.options), config)) as pieces:
            async for piece in pieces:
                yield piece
    elif step.listener is None:
        with child_config(config):
            output = await step.runnable.ainvoke(step.input, config, **step.options)
        yield Done(output)
    else:
        chunks: Any = step.runnable.astream(step.input, config, **step.options)
        async with aclosing(chunks):
            while True:
                with child_config(config):
                    chunk = await anext(chunks, _END)
                if chunk is _END:
                    return
                reason = step.listener.hear(chunk)
                if reason is not None:
                    with suppress(type(reason)):
                        await chunks.athrow(reason)
                    return
                if step.listener.shows:
                    yield chunk


def without_keys(output: Any, part: object) -> Any:
    """Returns what a part has returned; an error without the keys that the part holds."""
    return scrub_error(output, part) if isinstance(output, Exception) else output
