"""Runs what is written as a generator, in every call style; it knows nothing of trust.

A flow yields a `Step` and is sent the output of that step's Runnable; an error of the Runnable is thrown into the flow,
where it is an ordinary ``except``. Many flows at once are run in `_batch`. (The idea of one generator and several thin
drivers is httpx's auth flow.)
"""

from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from inspect import signature
from time import monotonic
from typing import Any, ClassVar, Generic, Protocol, cast

from langchain_core.callbacks.base import BaseCallbackHandler, BaseCallbackManager
from langchain_core.runnables import Runnable, RunnableConfig, RunnableSerializable
from langchain_core.runnables.config import ensure_config, var_child_runnable_config
from langchain_core.runnables.utils import ConfigurableFieldSpec, Input, Output, get_unique_config_specs

from twosup_chain._deadline import Clock, Done, Result, awithin, within
from twosup_chain._held import held
from twosup_chain._options import Options
from twosup_chain._secrets import scrub
from twosup_chain._unkeyed import scrub_error, scrub_first, secrets_of


class RunManager(Protocol):
    """What is needed of a run: callbacks for the runs below it."""

    inheritable_handlers: list[BaseCallbackHandler]

    def get_child(self, tag: str | None = None) -> BaseCallbackManager:
        """Returns the callbacks of a run below this one."""


class Listener(Protocol):
    """What hears a stream chunk by chunk."""

    @property
    def shows(self) -> bool:
        """Whether the chunks are passed on while they come."""

    @property
    def heard(self) -> bool:
        """Whether any chunk has come."""

    def hear(self, chunk: Any) -> Exception | None:
        """Takes the next chunk; returns why the stream is to be stopped here, if it is."""


_END = object()

#: The callbacks of a call of which nobody is told.
_NOBODY = BaseCallbackManager([])


@dataclass(slots=True)
class Step:
    """One call that a flow wants made."""

    runnable: Runnable[Any, Any]
    input: Any
    options: dict[str, Any] = field(default_factory=dict)  # keyword arguments
    each: bool = False  # `input` is a list, of which each is to meet an output or an error; not in a batch
    listener: Listener | None = None  # hears the chunks in place of the flow, which is sent None; not in a batch
    stage: int = 0  # its place in the order of stages; a batch takes the earliest stage first
    name: str | None = None  # the tag of the call in traces, and the name of its run
    held: bool = False  # nobody is shown what it writes (`_held`)
    clock: Clock | None = None  # the question's time; a call that does not end in its share of it is left behind

    @property
    def waits(self) -> bool:
        """Whether the call may take long: what does not has no run below itself either."""
        return getattr(self.runnable, "blocking", True)

    @property
    def limit(self) -> float | None:
        """How long the call may take, in seconds; ``None`` for as long as it likes, as what never waits does."""
        limit = None if self.clock is None else self.clock.limit(self.stage)
        return limit if self.waits else None

    def charge(self, seconds: float) -> None:
        """Takes what the call has taken off the question's time."""
        if self.clock is not None:
            self.clock.charge(seconds)

    def config(self, parent: RunnableConfig, run_manager: RunManager | None) -> RunnableConfig:
        """Returns the config that nests, names and tags this call under its parent's run.

        The run below says in its metadata which part it is, and what the part itself tells (``trace_metadata``).
        Without a run manager, the flow has no run of its own, and the call takes the flow's place.
        """
        if run_manager is None:
            return parent
        if not (run_manager.inheritable_handlers or self.waits):
            return {**parent, "callbacks": _NOBODY}  # the usual case of a supervisor, and cheap
        child = run_manager.get_child(self.name)
        config = cast("RunnableConfig", {**parent, "callbacks": child, "run_name": self.name, "run_id": None})
        if self.held:
            config = held(config)
        if self.name is not None and child.handlers:  # without a listener it would only cost time
            told = getattr(self.runnable, "trace_metadata", {})
            config["metadata"] = {**config.get("metadata", {}), "twosup_part": self.name, **told}
        scrub_first(child, self.runnable)
        return config


Flow = Generator[Step, Any, Result]


@dataclass(frozen=True)
class _Driven:
    """How LangChain drives a flow; the signature, which it asks for twice a call, is there already."""

    drive: Callable[..., Any]
    flow: Callable[[Any], Flow[Any]]
    config: RunnableConfig
    __signature__: ClassVar = signature(lambda value, run_manager: None)  # noqa: ARG005

    def __call__(self, value: Any, run_manager: RunManager) -> Any:
        return self.drive(self.flow(value), self.config, run_manager)


class FlowRunnable(RunnableSerializable[Input, Output], Options, Generic[Input, Output]):
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
    """Runs one flow, passes on what its steps show meanwhile, and gives its end as the last piece."""
    state = start(flow)
    while isinstance(state, Step):
        output = None
        try:
            with closing(timed(state, state.config(config, run_manager))) as pieces:
                for piece in pieces:
                    if isinstance(piece, Done):
                        output = piece.value
                    else:
                        yield piece
        except Exception as error:  # noqa: BLE001 (the flow decides what an error means)
            state = throw(flow, scrub_error(error, state.runnable))
        else:
            state = send(flow, output)
    yield state


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


def _pieces(step: Step, config: RunnableConfig) -> Generator[Any]:
    """Makes a call; gives what it shows before it is done, and at last its output."""
    if step.each:
        with child_config(config):
            outputs = step.runnable.batch(step.input, config, return_exceptions=True, **step.options)
        yield Done([without_keys(output, step.runnable) for output in outputs])
    elif step.listener is None and isinstance(step.runnable, Inline):
        yield from stream(step.runnable.flow(step.input, **step.options), config)
    elif step.listener is None:
        with child_config(config):
            output = step.runnable.invoke(step.input, config, **step.options)
        yield Done(output)
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


# Only `send` and `throw` stand inside `except StopIteration`: a Runnable that raises it must not end the flow.
def start(flow: Flow[Result]) -> Step | Done[Result]:
    """Returns where a flow stands after its beginning."""
    return send(flow, None)


def send(flow: Flow[Result], output: Any) -> Step | Done[Result]:
    """Returns where a flow stands once it has been sent an output."""
    try:
        return flow.send(output)
    except StopIteration as end:
        return Done(end.value)


def throw(flow: Flow[Result], error: Exception) -> Step | Done[Result]:
    """Returns where a flow stands once it has met an error."""
    try:
        return flow.throw(error)
    except StopIteration as end:
        return Done(end.value)
