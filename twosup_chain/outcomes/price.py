"""`Price`: what a hosted model's tokens cost, so that thresholds and reports can speak of money."""

from __future__ import annotations

from contextlib import suppress
from typing import TypeVar

from langchain_core.messages.ai import UsageMetadata
from pydantic import Field

from twosup_chain._options import Record
from twosup_chain.errors import ConfigurationError, MissingExtraError
from twosup_chain.outcomes.outcomes import Floats

Tokens = TypeVar("Tokens", float, Floats)

_MILLION = 1_000_000


class Price(Record):
    """A provider's price list: currency per million tokens.

    Args:
        input: The price of a million tokens that the model reads, at least 0.
        output: The price of a million tokens that it writes, at least 0.
        currency: The currency's name, as it is to be shown.
        context: The most tokens that a call can read, as the model or your prompt limits them.
        max_tokens: The most tokens that a call can write.
    """

    input: float = Field(ge=0.0, allow_inf_nan=False)
    output: float = Field(ge=0.0, allow_inf_nan=False)
    currency: str = "USD"
    context: int | None = Field(default=None, gt=0)
    max_tokens: int | None = Field(default=None, gt=0)

    @property
    def most(self) -> float | None:
        """What the dearest call can cost, in currency; ``None`` where nobody has said how long one can be."""
        return None if self.context is None or self.max_tokens is None else self.of(self.context, self.max_tokens)

    @classmethod
    def of_model(cls, model: str) -> Price:
        """Returns the list price of a model by its name, with or without ``provider:``, in USD.

        It is that of the installed genai-prices, and nothing is looked up elsewhere. Where long calls are dearer, it is
        the dearest price; discounts for cached tokens are left out. `context` is the model's, where the list has it.

        Raises:
            ConfigurationError: No price is known for it.
            MissingExtraError: genai-prices is not installed.
        """
        try:
            import genai_prices
        except ImportError:
            raise MissingExtraError("a price by the model's name", "genai-prices", "serve") from None
        provider, _, name = model.rpartition(":")
        usage = genai_prices.Usage(input_tokens=_MILLION, output_tokens=_MILLION)
        for known_as in (provider.replace("_genai", "") or None, None):  # LangChain's names of providers, mostly
            with suppress(LookupError):
                found = genai_prices.calc_price(usage, name, provider_id=known_as)
                context = getattr(found.model, "context_window", None)
                return cls(input=float(found.input_price), output=float(found.output_price), context=context)
        message = f"no price is known for {model!r}: give it, as Price(input=…, output=…) a million tokens"
        raise ConfigurationError(message)

    def of(self, input_tokens: Tokens, output_tokens: Tokens) -> Tokens:
        """Returns what so many tokens cost, in currency: of one call, or of many as columns of shape (n,)."""
        return (self.input * input_tokens + self.output * output_tokens) / _MILLION

    def of_usage(self, usage: UsageMetadata) -> float:
        """Returns what a call cost that reports these tokens, in currency."""
        return self.of(float(usage["input_tokens"]), float(usage["output_tokens"]))
