"""`Desk`: takes the requests of a route, one after the other is kept, whatever becomes of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from time import perf_counter
from typing import Any

import anyio
from langchain_core.runnables import RunnableConfig

from twosup_chain._secrets import scrub
from twosup_chain.chat._callbacks import HEAR
from twosup_chain.schema import QAInput, TwoSupervisorResult
from twosup_chain.service.admission import Admission
from twosup_chain.service.decision import Decision, Ticket, decision_of, text_of
from twosup_chain.service.money import bill
from twosup_chain.service.ports import ticket as current
from twosup_chain.service.route import Route
from twosup_chain.service.stages import Stages

_log = logging.getLogger(__name__)


class Request:
    """A request that is being decided.

    Args:
        ticket: What is known of it beforehand.
        asked: What is asked.
        past_local: Is called when the local model is done.
    """

    def __init__(self, ticket: Ticket, asked: QAInput, past_local: Callable[[], object]) -> None:
        self.ticket = ticket
        self.asked = asked
        self.result: TwoSupervisorResult | None = None
        self.stages = Stages(past_local)
        self.started = perf_counter()

    @property
    def config(self) -> RunnableConfig:
        """The config of the call that decides it."""
        ticket = self.ticket
        return {
            "callbacks": [self.stages],
            "metadata": {**ticket.metadata, "twosup_decision": ticket.id, "twosup_caller": ticket.caller},
            "configurable": {HEAR: self.hear},
        }

    def hear(self, asked: QAInput, result: TwoSupervisorResult) -> None:
        """Is told the decision, and what was asked with all that was sent."""
        self.asked, self.result = asked, result


class Desk:
    """Takes the requests of a route in this process.

    Args:
        route: The route.
        observe: Is told every decision besides the route's sinks, and must not fail.
    """

    def __init__(self, route: Route, observe: Callable[[Decision], None]) -> None:
        self.route = route
        self.admission = Admission(route.concurrency, route.queue)
        self._observe = observe
        self._shadows: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def request(self, ticket: Ticket, asked: QAInput) -> AsyncIterator[Request]:
        """Takes a request; what came of it is kept at the end, also where it failed or was given up.

        Raises:
            BusyError: Too many wait for the local model.
        """
        await self.admission.enter()
        loop, left = asyncio.get_running_loop(), False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                self.admission.leave()

        current.set(ticket)
        request, failure = Request(ticket, asked, partial(loop.call_soon_threadsafe, leave)), None
        try:
            yield request
        except BaseException as error:
            failure = error
            raise
        finally:
            leave()
            with anyio.CancelScope(shield=True):
                decision = self._decision(request, failure)
                self._observe(decision)
                await self._keep(decision)
            self._follow(request, decision)

    async def aclose(self, seconds: float) -> None:
        """Waits for what is asked in the shadow, which is paid for, so many seconds; then leaves it."""
        if self._shadows:
            _, late = await asyncio.wait(self._shadows, timeout=seconds)
            for task in late:
                task.cancel()

    def _decision(self, request: Request, failure: BaseException | None) -> Decision:
        known: dict[str, Any] = {
            "seconds": perf_counter() - request.started,
            "stages": dict(request.stages.seconds),
            "calibration": self.route.calibration and self.route.calibration.digest,
        }
        result, asked, ticket = request.result, request.asked, request.ticket
        if result is not None:
            if self.route.keeps_text:
                known["text"] = text_of(asked, result)
            if self.route.price is not None:
                known |= bill(asked, result, self.route.price)._asdict()
            return decision_of(ticket, asked, result, **known)
        gone = failure is None or not isinstance(failure, Exception)
        said = "the caller has left" if gone else scrub(f"{type(failure).__name__}: {failure}")
        known |= {"source": "none", "status": "failed", "reason": said, "error": said}
        return decision_of(ticket, asked, None, **known)

    def _follow(self, request: Request, decision: Decision) -> None:
        """Lets a decision be followed in the shadow, if it is one of the share; nobody waits for it."""
        shadow, result = self.route.shadow, request.result
        if shadow is None or result is None or not shadow.wants(decision):
            return

        async def follow() -> None:
            try:
                metadata = request.config["metadata"]
                seen = await shadow.follow(request.asked, result, decision, metadata=metadata)
            except Exception:  # noqa: BLE001 (nobody waits for it)
                _log.exception("the decision %s could not be followed in the shadow", decision.id)
            else:
                await self._keep(seen)

        task = asyncio.create_task(follow())
        self._shadows.add(task)
        task.add_done_callback(self._shadows.discard)

    async def _keep(self, decision: Decision) -> None:
        for sink in self.route.sinks:
            try:
                await sink.record(decision)
            except Exception:  # noqa: BLE001 (the caller has an answer all the same)
                _log.exception("the decision %s could not be kept", decision.id)
