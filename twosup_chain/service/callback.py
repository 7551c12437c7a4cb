"""`DecisionCallback`: a chain's decisions go to a log without a server, whoever calls the chain and however."""

from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from twosup_chain.answerers.typed import Decision
from twosup_chain.outcomes.price import Price
from twosup_chain.schema import QAInput, TwoSupervisorResult
from twosup_chain.service.decision import Ticket, decision_of, text_of
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.money import bill


class DecisionCallback(BaseCallbackHandler):
    """Writes what a `TwoSupervisorChain` decides to a log: ``chain.invoke(question, {"callbacks": [callback]})``.

    A decision's id is that of its run, which the caller may choose: ``{"run_id": uuid7()}``; traces and log are joined
    by it. Of a `TwoSupervisorDecisionModel` each question of a request is a decision; its name follows the run's id,
    after a colon. The call returns once the decision is on the disk. A log that fails costs no answer: LangChain says
    so in its own log.

    Args:
        log: Where decisions go.
        text: Whether their texts are kept.
        route: The route that they are logged under.
        price: What the hosted model's tokens cost; ``None`` for no costs.
        **more: Fields of the decisions that a result does not tell: caller, calibration, ….

    Example:
        >>> log = DecisionLog("decisions.db")  # doctest: +SKIP
        >>> chain.invoke(question, {"callbacks": [DecisionCallback(log)], "run_id": id})  # doctest: +SKIP
    """

    def __init__(
        self, log: DecisionLog, *, text: bool = False, route: str = "chain", price: Price | None = None, **more: Any
    ) -> None:
        self._log = log
        self._text = text
        self._route = route
        self._price = price
        self._caller = more.pop("caller", None)
        self._more = more
        self._asked: dict[UUID, Any] = {}
        self._below: dict[UUID, object] = {}

    def on_chain_start(
        self,
        serialized: dict[str, Any] | None,  # noqa: ARG002 (LangChain's)
        inputs: Any,
        *,
        run_id: UUID,
        **_: Any,
    ) -> None:
        """Remembers what was asked."""
        self._asked[run_id] = inputs

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:  # noqa: ARG002 (LangChain's)
        """Forgets it."""
        self._asked.pop(run_id, None)
        self._below.pop(run_id, None)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **_: Any) -> None:
        """Writes the decision; a run that only passes on that of a run below has made none."""
        inputs, below = self._asked.pop(run_id, None), self._below.pop(run_id, None)
        typed: Any = getattr(
            outputs, "results", None
        )  # of a `TwoSupervisorResponse`, which an older core does not have
        if isinstance(typed, dict) and isinstance(inputs, dict) and "questions" in inputs:
            for name, result in typed.items():
                self._write(f"{run_id}:{name}", Decision.of(inputs, name), result)
        if not isinstance(outputs, TwoSupervisorResult):
            return
        if parent_run_id is not None:
            self._below[parent_run_id] = outputs
        if below is outputs:
            return
        self._write(str(run_id), QAInput.coerce(inputs), outputs)

    def _write(self, id: str, asked: QAInput, result: TwoSupervisorResult) -> None:
        ticket = Ticket(route=self._route, caller=self._caller, id=id)
        known = {**self._more, "text": text_of(asked, result) if self._text else None}
        if self._price is not None:
            known |= bill(asked, result, self._price)._asdict()
        self._log.put(decision_of(ticket, asked, result, **known)).result()
