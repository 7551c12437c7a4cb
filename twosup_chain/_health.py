"""How the models below a part fare in this process: `Health`, and how they are found and warmed up."""

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from langchain_core.runnables import Runnable

from twosup_chain._options import Record

#: So deep are models looked for: a reader in a scorer in a supervisor in a binding.
_DEEPEST = 8


class ModelHealth(Record):
    """How a model that runs in this process fares."""

    model: str  # its file or folder
    loaded: bool  # it is in memory; its digests, where it has any, were verified when it was loaded
    watches_forks: bool  # a process that is forked off would load its own
    waiting: int  # jobs of callers in an event loop that have not begun


class Health(Record):
    """How the models of a chain fare that run in this process."""

    models: tuple[ModelHealth, ...]  # each of them once
    ready: bool  # all are in memory


@runtime_checkable
class Engine(Protocol):
    """A model that runs in this process."""

    def warm_up(self) -> None:
        """Loads the model."""

    def health(self) -> ModelHealth:
        """Returns how it fares."""


def engines(whole: Runnable[Any, Any]) -> list[Engine]:
    """Returns the models below a part that run in this process, each once."""
    return list({id(engine): engine for engine in _below(whole, set(), 0)}.values())


def health(whole: Runnable[Any, Any]) -> Health:
    """Returns how they fare."""
    models = tuple(engine.health() for engine in engines(whole))
    return Health(models=models, ready=all(model.loaded for model in models))


def _below(value: object, seen: set[int], depth: int) -> Iterator[Engine]:
    if id(value) in seen or depth > _DEEPEST or isinstance(value, Record):
        return
    seen.add(id(value))
    if isinstance(value, Engine) and not isinstance(value, Runnable):
        yield value
    elif isinstance(value, Runnable) or type(value).__module__.startswith("twosup_chain."):
        for item in getattr(value, "__dict__", {}).values():
            yield from _below(item, seen, depth + 1)
