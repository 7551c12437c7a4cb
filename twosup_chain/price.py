"""`Price`: what a hosted model's tokens cost, so that thresholds and reports can speak of money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from twosup_chain._options import Record

if TYPE_CHECKING:
    from langchain_core.messages.ai import UsageMetadata

    from twosup_chain.outcomes import Floats

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

    def of(self, usage: UsageMetadata) -> float:
        """Returns what a call cost that used these tokens, in currency."""
        return (self.input * usage["input_tokens"] + self.output * usage["output_tokens"]) / _MILLION

    def of_columns(self, input_tokens: Floats, output_tokens: Floats) -> Floats:
        """Returns what many calls cost, in currency, shape (n,)."""
        return (self.input * input_tokens + self.output * output_tokens) / _MILLION
