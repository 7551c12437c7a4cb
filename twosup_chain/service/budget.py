"""`Budget`: caps on what a hosted model may cost, kept by all processes that share a store, never overshot.

Before a call the most that it can cost is taken from the purses; afterwards what it did not cost is put back. What
nobody accounts for, since a process was killed or a call left behind, counts as spent.
"""

from __future__ import annotations

from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field, model_validator

from twosup_chain._options import Record
from twosup_chain.errors import ConfigurationError
from twosup_chain.service.store import Connection, Store

_CAPS = ("day", "month", "caller_day", "caller_month")
#: By how much a sum of many amounts may be off, in currency.
_ROUNDING = 1e-9
_SUM = "SELECT amount FROM spending WHERE purse = ? AND period = ?"
_ADD = (
    "INSERT INTO spending VALUES (?, ?, ?) "
    "ON CONFLICT (purse, period) DO UPDATE SET amount = spending.amount + excluded.amount"
)


class Caps(Record, allow_inf_nan=False):
    """The most that a hosted model may cost, in currency; days and months are UTC's. ``None``: no cap.

    Args:
        day: A route, a day.
        month: A route, a month.
        caller_day: A caller on a route, a day.
        caller_month: A caller on a route, a month.
        instead: What becomes of a question that there is no money for: its ``"local"`` answer as it stands, or
            ``"no_answer"``.
    """

    day: float | None = Field(default=None, ge=0.0)
    month: float | None = Field(default=None, ge=0.0)
    caller_day: float | None = Field(default=None, ge=0.0)
    caller_month: float | None = Field(default=None, ge=0.0)
    instead: Literal["local", "no_answer"] = "no_answer"

    @model_validator(mode="after")
    def _check_some(self) -> Caps:
        if all(getattr(self, name) is None for name in _CAPS):
            raise ConfigurationError("caps without a cap: give day=, month=, caller_day= or caller_month=")
        return self


class Charge(Record):
    """What was taken from the purses for a call: so much from each, by purse and period.

    `refused` says why there was nothing to take.
    """

    purses: tuple[tuple[str, str], ...] = ()
    amount: float = 0.0
    refused: str | None = None


class Budget:
    """Takes from purses that have caps.

    Args:
        store: Where the purses are.
        caps: The caps.
    """

    def __init__(self, store: Store, caps: Caps) -> None:
        self.store = store
        self.caps = caps

    def take(self, amount: float, *, route: str, caller: str | None) -> Future[Charge]:
        """Has an amount taken from all purses, or from none where a cap would be exceeded."""
        purses = self._purses(route, caller)

        def job(connection: Connection) -> Charge:
            for purse, period, cap in purses:
                spent = sum(found for (found,) in connection.run(_SUM, purse, period))
                if spent + amount > cap + _ROUNDING:
                    left = max(0.0, cap - spent)
                    told = f"the cap of {cap:g} for {period} has {left:.6g} left, and the call may cost {amount:.6g}"
                    return Charge(refused=told)
            for purse, period, _ in purses:
                connection.run(_ADD, purse, period, amount)
            return Charge(purses=tuple((purse, period) for purse, period, _ in purses), amount=amount)

        return self.store.write(job)

    def settle(self, charge: Charge, cost: float) -> Future[None]:
        """Has put back what a call did not cost."""

        def job(connection: Connection) -> None:
            for purse, period in charge.purses:
                connection.run(_ADD, purse, period, cost - charge.amount)

        return self.store.write(job)

    def spent(self, *, route: str, caller: str | None = None) -> dict[str, float]:
        """Returns what is taken from the purses of this day and month, by the names of the caps."""
        names = [
            name for name in ("day", "month", "caller_day", "caller_month") if getattr(self.caps, name) is not None
        ]
        found = {}
        for name, (purse, period, _) in zip(names, self._purses(route, caller), strict=False):
            found[name] = sum(amount for (amount,) in self.store.read(_SUM, purse, period))
        return found

    def _purses(self, route: str, caller: str | None) -> list[tuple[str, str, float]]:
        """Returns the purses that a call is paid from, their periods and caps."""
        now, caps = datetime.now(UTC), self.caps
        day, month = f"{now:%Y-%m-%d}", f"{now:%Y-%m}"
        own = f"{route}\n{caller or ''}"
        purses = ((route, day, caps.day), (route, month, caps.month), (own, day, caps.caller_day))
        every = (*purses, (own, month, caps.caller_month))
        return [(purse, period, cap) for purse, period, cap in every if cap is not None]
