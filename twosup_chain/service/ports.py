"""What others hook into a route beside its gate: a `Sink` for its decisions; and whose request is under way."""

from contextvars import ContextVar
from typing import Protocol, runtime_checkable

from twosup_chain.service.decision import Decision, Ticket

#: The request that is under way here: the calls below it, in whichever thread or task, find it.
ticket: ContextVar[Ticket | None] = ContextVar("twosup_ticket", default=None)


@runtime_checkable
class Sink(Protocol):
    """Keeps decisions."""

    async def record(self, decision: Decision) -> None:
        """Keeps a decision; the caller has its answer once this has returned."""

    async def aclose(self) -> None:
        """Keeps what is still to be kept, at the end of the process."""
