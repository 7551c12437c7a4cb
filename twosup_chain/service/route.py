"""`Route`: what answers under a name."""

from dataclasses import dataclass
from typing import Literal

from twosup_chain.answerers.named_chat_model import resolved
from twosup_chain.calibration.record import Calibration
from twosup_chain.chain import TwoSupervisorChain
from twosup_chain.chat._parts import writes
from twosup_chain.chat.model import TwoSupervisorChatModel
from twosup_chain.outcomes.price import Price
from twosup_chain.service.breaker import Breaker
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.ports import Sink
from twosup_chain.service.shadow import Shadow

#: How conversations are answered: see `RouteTable`.
ChatAs = Literal["question", "conversation", "off"]


@dataclass(frozen=True, kw_only=True)
class Route:
    """A chain in service, and its chat model of the same parts.

    Args:
        name: What clients call it: the name of an OpenAI model.
        chain: Answers questions on a context.
        chat: Answers conversations.
        chat_as: How conversations are answered, as ``chat`` of `RouteTable` has it; ``None``: nobody has said, and
            the calibration promises nothing of them.
        sinks: Where its decisions go.
        calibration: The calibration that set its thresholds, where one did.
        price: What the hosted model's tokens cost; ``None``: nobody knows, and no currency is shown.
        max_tokens: The most tokens that a reply of the hosted model may have.
        shadow: Asks its hosted model in the shadow; ``None``: never.
        keeps_text: Whether its decisions carry the texts.
        concurrency: How many requests its local model may have at once.
        queue: How many more may wait for it.
    """

    name: str
    chain: TwoSupervisorChain
    chat: TwoSupervisorChatModel
    chat_as: ChatAs | None = "conversation"
    sinks: tuple[Sink, ...] = ()
    calibration: Calibration | None = None
    price: Price | None = None
    max_tokens: int | None = None
    shadow: Shadow | None = None
    keeps_text: bool = False
    concurrency: int = 16
    queue: int = 256

    @property
    def log(self) -> DecisionLog | None:
        """The log among its sinks, if there is one."""
        return next((sink for sink in self.sinks if isinstance(sink, DecisionLog)), None)

    @property
    def breaker(self) -> Breaker | None:
        """What takes its hosted model for dead after some failures."""
        return getattr(self.chain.gate, "breaker", None)

    def warm_up(self) -> None:
        """Loads the models that run in this process, and makes the client of the hosted one.

        Raises:
            TwosupError: A model cannot be had.
        """
        self.chain.warm_up()
        resolved(self.chat.remote)

    @property
    def calls_tools(self) -> bool:
        """Whether one of its models calls tools."""
        return writes(self.chat.remote) or (self.chat.local_tools and writes(self.chat.local))
