"""What others hook into a route: a `Gate` before its hosted model, and a `Sink` for its decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from twosup_chain.schema import QAInput
    from twosup_chain.service.decision import Decision, Ticket


@runtime_checkable
class Gate(Protocol):
    """Is asked before every call of a route's hosted model: a budget, a breaker."""

    async def enter(self, asked: QAInput, ticket: Ticket) -> None:
        """Lets a question pass to the hosted model.

        Raises:
            Exception: It must not: that is a failure of the hosted model, and the route's ``on_remote_error`` applies.
        """

    def leave(self, decision: Decision) -> Decision:
        """Is told what became of a request, once for each, whether it was let in or not, failed or was given up.

        Returns:
            The decision, with what the gate knows of it (its cost, say).
        """


@runtime_checkable
class Sink(Protocol):
    """Keeps decisions."""

    async def record(self, decision: Decision) -> None:
        """Keeps a decision; the caller has its answer once this has returned."""

    async def aclose(self) -> None:
        """Keeps what is still to be kept, at the end of the process."""
