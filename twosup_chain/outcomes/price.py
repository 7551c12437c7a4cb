"""`Price`: what a hosted model's tokens cost, so that thresholds and reports can speak of money."""

from __future__ import annotations

from typing import TypeVar

from pydantic import Field

from twosup_chain._options import Record
from twosup_chain.outcomes.outcomes import Floats

Tokens = TypeVar("Tokens", float, Floats)

_MILLION = 1_000_000


class Price(Record):
    """A provider's price list: currency per million tokens.

    Args:
        input: The price of a million tokens that the model reads, at least 0.
        output: The price of a million tokens that it writes, at least 0.
        currency: The currency's name, as it is to be shown.
    """

    input: float = Field(ge=0.0, allow_inf_nan=False)
    output: float = Field(ge=0.0, allow_inf_nan=False)
    currency: str = "USD"

    def of(self, input_tokens: Tokens, output_tokens: Tokens) -> Tokens:
        """Returns what so many tokens cost, in currency: of one call, or of many as columns of shape (n,)."""
        return (self.input * input_tokens + self.output * output_tokens) / _MILLION
