"""`RemoteGate`: the breaker, the caps and the retries before a hosted model, where the chain asks it."""

import math
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from twosup_chain._deadline import Clock
from twosup_chain._gate import Gate
from twosup_chain._stage import Stage
from twosup_chain._step import Flow, Step
from twosup_chain.errors import ConfigurationError, DeadlineError, RemoteWithheldError
from twosup_chain.outcomes.price import Price
from twosup_chain.schema import Answer, QAInput
from twosup_chain.service.breaker import Breaker
from twosup_chain.service.budget import Budget, Caps, Charge
from twosup_chain.service.money import PROMPT_TOKENS, bound
from twosup_chain.service.ports import ticket
from twosup_chain.service.retries import Attempt, Awaited, Pause, may_have_cost, wait_before
from twosup_chain.service.size import UnboundedError
from twosup_chain.service.store import Store


class RemoteGate(Gate):
    """Lets questions pass to a hosted model while it is alive and there is money for it, and asks again what may pass.

    A question that finds the model dead has failed at once, as ``on_remote_error`` of the chain has it. One that there
    is no money for ends as the caps say, without an error. The time for all calls is the chain's ``deadline``. A client
    that retries by itself is best told not to (``max_retries=0``): the two would multiply.

    Args:
        breaker: Takes the model for dead after some failures; ``None``: never.
        timeout: How long each call may take, in seconds; by default half of the chain's deadline (30 s of 60), so that
            there is time to ask again.
        retries: How often a call is made again that failed in a way that may pass (a lost connection, HTTP 429, 5xx),
            after the wait that the server asks for (``Retry-After``), or a short and growing one.
        caps: The most that the model may cost; takes `price`, `store` and `max_tokens`.
        price: What its tokens cost.
        store: Where the purses are: a `Store`, the path of a SQLite file, or a ``postgresql://`` URL.
        max_tokens: The most tokens that a reply has, reasoning included, as the model itself was told (its own
            ``max_tokens``); by default the most that it can write by `price`, or else its whole context.
        prompt_tokens: The most that its prompt adds to a question and its context; raise it for long instructions.
            A conversation's tools are counted by themselves.
        image_tokens: The most tokens that an image has, at the model's own rule (1,445 with gpt-4o); ``None``: nobody
            knows, and a question with one ends as one that there is no money for, as one with a file or a sound does.

    Raises:
        ConfigurationError: Caps without what they take, or an option out of range.
    """

    def __init__(  # noqa: PLR0913 (all by keyword)
        self,
        *,
        breaker: Breaker | None = None,
        timeout: float | None = None,
        retries: int = 2,
        caps: Caps | None = None,
        price: Price | None = None,
        store: Store | str | Path | None = None,
        max_tokens: int | None = None,
        prompt_tokens: int = PROMPT_TOKENS,
        image_tokens: int | None = None,
    ) -> None:
        counts = {"retries": retries, "prompt_tokens": prompt_tokens, "image_tokens": image_tokens}
        for name, number in counts.items():
            if number is not None and number < 0:
                raise ConfigurationError(f"{name}={number}: give a number that is not negative")
        for name, most in {"max_tokens": max_tokens, "timeout": timeout}.items():
            if most is not None and not most > 0:
                raise ConfigurationError(f"{name}={most}: give a number above 0")
        if max_tokens is None and price is not None:
            max_tokens = price.max_tokens or price.context
        self.breaker = breaker
        self.budget: Budget | None = None
        self._timeout = timeout
        self._retries = retries
        self._price = price
        self._max_tokens = max_tokens
        self._prompt_tokens = prompt_tokens
        self._image_tokens = image_tokens
        if caps is None:
            return
        lacking = {"price": price, "store": store, "max_tokens": max_tokens}
        if missing := [name for name, given in lacking.items() if given is None]:
            raise ConfigurationError(
                f"caps need {' and '.join(missing)}: without a price, a store of what was spent and the longest reply "
                "nobody knows before a call whether there is money for it"
            )
        self.budget = Budget(store if isinstance(store, Store) else Store(store or ""), caps)

    def through(self, asked: QAInput, call: Callable[..., Flow[Answer]], clock: Clock) -> Flow[Answer]:
        """Returns what the hosted model says, if the question passes."""
        for attempt in count(1):
            try:
                return (yield from self._alive(asked, partial(self._timed, call, Attempt(clock, self._timeout))))
            except Exception as error:
                wait = wait_before(attempt, error)
                left = math.inf if clock.left is None else clock.left
                if wait is None or attempt > self._retries or wait >= left:
                    raise
            yield Step(Pause(), wait, stage=Stage.REMOTE, clock=clock)
        raise AssertionError  # not reached

    @staticmethod
    def _timed(call: Callable[..., Flow[Answer]], attempt: Attempt) -> Flow[Answer]:
        """Asks once, in the time of one call."""
        try:
            return (yield from call(clock=attempt))
        except DeadlineError as error:
            if attempt.whole.left is None or attempt.whole.left > 0.0:
                raise DeadlineError(error.seconds, "timeout=… of the gate or route") from None
            raise

    def _alive(self, asked: QAInput, call: Callable[[], Flow[Answer]]) -> Flow[Answer]:
        """Asks once, if the model is not taken for dead."""
        if self.breaker is None:
            return (yield from self._paid(asked, call))
        probe = self.breaker.enter()
        met: BaseException | None = None
        try:
            return (yield from self._paid(asked, call))
        except BaseException as error:
            met = error
            raise
        finally:
            self.breaker.leave(met, probe=probe)

    def _paid(self, asked: QAInput, call: Callable[[], Flow[Answer]]) -> Flow[Answer]:
        """Asks once, if there is money for it."""
        if self.budget is None or self._price is None or self._max_tokens is None:
            return (yield from call())
        try:
            most = bound(asked, self._price, self._max_tokens, prompt=self._prompt_tokens, image=self._image_tokens)
        except UnboundedError as error:
            said = f"nobody knows what it may cost: {error}"
            raise RemoteWithheldError(said, self.budget.caps.instead) from None
        charge = yield from self._taken(self.budget, most)
        cost = most  # what nobody accounts for counts as spent
        try:
            answer = yield from call()
            cost = most if answer.usage is None else self._price.of_usage(answer.usage)
        except BaseException as error:
            usage = getattr(error, "usage", None)
            if usage is not None:
                cost = self._price.of_usage(usage)
            elif not may_have_cost(error):
                cost = 0.0
            raise
        finally:
            self.budget.settle(charge, cost)
        return answer

    @staticmethod
    def _taken(budget: Budget, amount: float) -> Flow[Charge]:
        """Takes the most that a call can cost from the purses; nothing passes where that cannot be done."""
        request, instead = ticket.get(), budget.caps.instead
        route, caller = ("chain", None) if request is None else (request.route, request.caller)
        try:
            charge: Charge = yield Step(Awaited(), budget.take(amount, route=route, caller=caller), stage=Stage.REMOTE)
        except Exception as error:
            said = f"what was spent cannot be told ({type(error).__name__})"
            raise RemoteWithheldError(said, instead) from error
        if charge.refused is not None:
            raise RemoteWithheldError(charge.refused, instead)
        return charge
