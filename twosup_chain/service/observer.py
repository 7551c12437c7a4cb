"""`Observer`: runs beside what answers today, changes no answer, and logs what a chain would have decided."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from langchain_core.runnables import Runnable, RunnableLambda

from twosup_chain._drive import FlowRunnable
from twosup_chain._process import Loaded
from twosup_chain._step import Flow, Step
from twosup_chain.chain import TwoSupervisorChain
from twosup_chain.outcomes.price import Price
from twosup_chain.schema import QAInput
from twosup_chain.service.decision import Decision, Ticket, decision_of, text_of
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.money import bill
from twosup_chain.service.shadow import Shadow

#: Returns the question of an input.
Asks = Callable[[Any], object]

_log = logging.getLogger(__name__)


class Observer:
    """Decides, on a thread of its own, what a chain would have done with questions that another one has answered.

    The replies of today take the hosted model's place: nothing is asked but the chain's local model and supervisors.
    What it finds is in the log; `replay` says what would have been saved and risked.

    Args:
        chain: The chain; its `remote` stands for today's answers, and is not asked.
        log: Where decisions go.
        route: The route that they are logged under.
        price: What the tokens of today's answers cost; ``None`` for no costs.
        text: Whether texts are kept.
        most: How many questions may wait; those that come then are passed over, and counted.
    """

    def __init__(
        self,
        chain: TwoSupervisorChain,
        log: DecisionLog,
        *,
        route: str = "observed",
        price: Price | None = None,
        text: bool = False,
        most: int = 1000,
    ) -> None:
        self._chain = chain.model_copy(update={"gate": None, "fallback": None, "on_remote_error": "no_answer"})
        self._log = log
        self._route = route
        self._price = price
        self._text = text
        self._most = most
        self._pool = Loaded(lambda: ThreadPoolExecutor(1, "twosup-observer"))
        self._waiting: set[Future[None]] = set()
        self.passed_over = 0
        self.failed = 0

    def see(self, asked: object, reply: object) -> None:
        """Takes a question and what was replied to it; it neither waits nor fails.

        Args:
            asked: What `QAInput.coerce` takes.
            reply: What a chain's remote may return: a string, a message, an `Answer`, ….
        """
        if len(self._waiting) >= self._most:
            self.passed_over += 1
            return
        future = self._pool.get().submit(self._decide, asked, reply)
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)

    def around(self, existing: Runnable[Any, Any], *, ask: Asks = QAInput.coerce) -> Runnable[Any, Any]:
        """Returns a Runnable that answers as `existing` does, and is observed; what streams is best told to `see`.

        Args:
            existing: What answers today.
            ask: Returns the question of an input of `existing`, in a form that `QAInput.coerce` takes.
        """
        return Observed(existing=existing, observer=self, ask=ask)

    def flush(self) -> None:
        """Waits until all that was seen is decided and logged."""
        for future in list(self._waiting):
            future.result()
        self._log.store.flush()

    def _decide(self, asked: object, reply: object) -> None:
        try:
            self._log.put(self._decision(QAInput.coerce(asked), reply))
        except Exception:  # noqa: BLE001 (nobody is to notice that it is observed)
            self.failed += 1
            _log.exception("an observed question could not be decided")

    def _decision(self, asked: QAInput, reply: object) -> Decision:
        known: Any = RunnableLambda(lambda _: reply)
        chain = self._chain.model_copy(update={"remote": known})
        result = chain.invoke(asked)
        more: dict[str, Any] = {"text": text_of(asked, result)} if self._text else {}
        if self._price is not None:
            more |= bill(asked, result, self._price)._asdict()
        decision = decision_of(Ticket(route=self._route), asked, result, **more)
        shadow = Shadow(chain, rate=1.0, price=self._price)
        if shadow.wants(decision):  # today's answer is there all the same
            decision = asyncio.run(shadow.follow(asked, result, decision))
            if decision.shadow_cost is not None:
                decision = decision.model_copy(update={"always_remote": decision.shadow_cost, "shadow_cost": None})
        return decision


class Observed(FlowRunnable[Any, Any]):
    """What answers today, and is observed."""

    existing: Runnable[Any, Any]
    observer: Any
    ask: Any

    def flow(self, value: Any, **options: Any) -> Flow[Any]:
        """Returns the reply, as it is."""
        reply = yield Step(self.existing, value, options=options)
        try:
            asked = self.ask(value)
        except Exception:  # noqa: BLE001 (nobody is to notice that it is observed)
            self.observer.failed += 1
            _log.exception("the question of an observed input could not be told")
        else:
            self.observer.see(asked, reply)
        return reply
