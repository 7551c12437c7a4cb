"""`Shadow`: a share of the questions that the local model was trusted with goes to the hosted model all the same.

Nobody is given that answer. It makes a decision one of which both predictions are known, as recalibrating takes them.
"""

import hashlib
from typing import Any

from langchain_core.runnables import RunnableLambda

from twosup_chain._options import shorten
from twosup_chain.chain import TwoSupervisorChain
from twosup_chain.chat._draft import Turn
from twosup_chain.chat._exchange import Exchange
from twosup_chain.chat.model import TwoSupervisorChatModel
from twosup_chain.errors import ConfigurationError
from twosup_chain.outcomes.price import Price
from twosup_chain.schema import Answer, QAInput, TwoSupervisorResult
from twosup_chain.service.decision import Decision, predictions, text_of
from twosup_chain.service.money import bill
from twosup_chain.supervisor import Supervisor


class Shadow:
    """Asks a chain's hosted model in the shadow, through the chain's own rules, caps and breaker.

    Args:
        chain: The chain.
        rate: The share of its trusted local predictions whose questions are asked again, in [0, 1].
        price: What the hosted model's tokens cost; ``None`` for no cost.
        chat: The chat model of the same parts, whose hosted model is asked about conversations.
    """

    def __init__(
        self,
        chain: TwoSupervisorChain,
        *,
        rate: float,
        price: Price | None = None,
        chat: TwoSupervisorChatModel | None = None,
    ) -> None:
        if isinstance(rate, bool) or not 0.0 <= rate <= 1.0:
            raise ConfigurationError(f"shadow_rate={shorten(rate)}: give a share in [0, 1], like 0.05")
        if rate and chain.remote is None:
            raise ConfigurationError(f"shadow_rate={rate:g}: there is no remote to ask in the shadow")
        self._chain = chain
        self._chat = chat
        self._rate = rate
        self._price = price

    def wants(self, decision: Decision) -> bool:
        """Whether a decision is one of the share: by its id, so that nothing else has a say."""
        drawn = int.from_bytes(hashlib.sha256(decision.id.encode()).digest()[:8]) / 2**64
        return drawn < self._rate and _kept(decision)

    async def follow(
        self,
        asked: QAInput,
        result: TwoSupervisorResult,
        decision: Decision,
        *,
        metadata: dict[str, Any] | None = None,
    ) -> Decision:
        """Returns a decision with what the hosted model says of it; as it is, where that was not to be had.

        Args:
            asked: The question.
            result: What the chain made of it.
            decision: The decision.
            metadata: That of the call, which rules of ``never_escalate`` read.
        """
        seen = await self._asking(asked, result).ainvoke(asked, {"metadata": metadata or {}})
        if seen.remote is None:
            return decision
        cost = None if self._price is None else bill(asked, seen.model_copy(update={"local": None}), self._price)
        found: dict[str, Any] = {"shadow": True, **predictions(seen.model_copy(update=_own(result)))}
        if cost is not None:
            found |= {"shadow_cost": cost.cost, "estimated": decision.estimated or cost.estimated}
        if decision.text is not None:
            found["text"] = text_of(asked, seen)
        return decision.model_copy(update=found)

    def _asking(self, asked: QAInput, result: TwoSupervisorResult) -> TwoSupervisorChain:
        """Returns the chain as it would have gone on, had the local prediction not been trusted."""
        never = Supervisor(_nothing, threshold=1.0)
        as_it_was: Any = RunnableLambda(lambda _: result.local)
        parts = {"local": as_it_was, "local_supervisor": never, "fallback": None, "on_remote_error": "no_answer"}
        chain = self._chain
        if self._chat is not None and isinstance(asked, Turn):
            chain = Exchange(self._chat, asked.messages, {}, streams=False).chain
        return chain.model_copy(update={**parts, "early_abstention": False, "on_local_error": "escalate"})


def _nothing(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:  # noqa: ARG001 (a scorer's)
    return 0.0


def _kept(decision: Decision) -> bool:
    verdict = decision.verdicts.get("local")
    return verdict is not None and verdict.trusted and "remote" not in decision.verdicts


def _own(result: TwoSupervisorResult) -> dict[str, Any]:
    return {"local": result.local, "local_verdict": result.local_verdict}
