"""`Step`: one call that a flow wants made, and where a flow stands before and after it."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from langchain_core.callbacks.base import BaseCallbackHandler, BaseCallbackManager
from langchain_core.runnables import Runnable, RunnableConfig

from twosup_chain._deadline import Clock, Done, Result
from twosup_chain._held import held
from twosup_chain._unkeyed import scrub_first


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

    waits: bool = field(init=False)  # whether the call may take long: what does not has no run below itself either

    def __post_init__(self) -> None:
        part: Any = self.runnable
        self.waits = getattr(part, "blocking", True) or (hasattr(part, "heavy") and part.heavy(self.input))

    @property
    def may_overrun(self) -> bool:
        """Whether the call may have to be left behind."""
        return self.clock is not None and self.clock.left is not None and self.waits

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
