"""Options that several commands share: models, supervisors, records, prices, what is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import typer
from rich.console import RenderableType

from twosup_chain.cli.console import print_json, show
from twosup_chain.errors import ConfigurationError

if TYPE_CHECKING:
    from twosup_chain.outcomes.price import Price

Threshold = Annotated[float | None, typer.Option(metavar="0..1")]
ScorerName = Annotated[str | None, typer.Option(metavar="NAME|FILE|OWN")]


@dataclass(frozen=True, kw_only=True)
class Models:
    """The two models.

    Args:
        local: The local model: ``reader``, the packaged extractive reader, which is the default; ``reader:base``, the
            larger one of the extra reader-base, or ``reader:FOLDER``, one of your own; ``llama:PATH``, a GGUF file run
            by llama.cpp; ``classifier:FOLDER``, one of ``twosup train-classifier``'s, for decisions; or an answerer of
            your own, as ``module:name`` or ``file.py:name``.
        remote: The hosted LLM, as provider:model, like ``openai:gpt-4.1-mini``, or an answerer of your own, as
            ``module:name`` or ``file.py:name``.
        remote_url: The base URL of an OpenAI-compatible server that hosts it (vLLM, Ollama, llama.cpp, …); `remote` is
            then the name it has there. The key comes from OPENAI_API_KEY, or is asked for.
    """

    panel: ClassVar[str] = "Models"
    local: Annotated[str | None, typer.Option(metavar="MODEL")] = None
    remote: Annotated[str | None, typer.Option(metavar="MODEL")] = None
    remote_url: Annotated[str | None, typer.Option(metavar="URL")] = None


@dataclass(frozen=True, kw_only=True)
class Trust:
    """The two supervisors.

    Args:
        local_scorer: How trust in the local answer is scored: a name like ``answerability``, a file of ``twosup
            fit-scorer``'s, or a function of your own, as ``module:name`` or ``file.py:name``.
        local_threshold: The least score at which the local answer is used.
        remote_scorer: How trust in the remote answer is scored, like ``grounded``, likewise.
        remote_threshold: The least score at which the remote answer is used.
    """

    panel: ClassVar[str] = "Trust"
    local_scorer: ScorerName = None
    local_threshold: Threshold = None
    remote_scorer: ScorerName = None
    remote_threshold: Threshold = None


@dataclass(frozen=True, kw_only=True)
class Records:
    """Recorded questions, and what counts as right.

    Args:
        records: Files of records, as ``twosup collect`` writes them.
        f1: Count answers with at least this token F1 as right, in place of exact matches.
    """

    panel: ClassVar[str] = "Records"
    records: Annotated[tuple[Path, ...], typer.Argument(metavar="RECORDS…")]
    f1: Threshold = None

    @property
    def correct(self) -> Literal["exact_match"] | tuple[Literal["f1"], float]:
        """What counts as right, as `calibrate` and `evaluate` take it."""
        return "exact_match" if self.f1 is None else ("f1", self.f1)


@dataclass(frozen=True, kw_only=True)
class OwnTargets:
    """Targets of the user's own.

    Args:
        target: A limit of your own: a subclass of ``Target`` and its limit, as ``file.py:NAME=0.05`` or
            ``module:NAME=0.05``; where a calibration knows the limit, its class alone. May be repeated.
    """

    panel: ClassVar[str] = "Targets"
    target: Annotated[tuple[str, ...], typer.Option(metavar="OWN[=LIMIT]")] = ()


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What the hosted model's tokens cost.

    Args:
        price_in: The price of a million input tokens.
        price_out: The price of a million output tokens.
        currency: The currency of the prices.
    """

    panel: ClassVar[str] = "Price"
    price_in: Annotated[float | None, typer.Option(min=0, metavar="PRICE")] = None
    price_out: Annotated[float | None, typer.Option(min=0, metavar="PRICE")] = None
    currency: str = "USD"

    def price(self) -> Price | None:
        """Returns the price; ``None`` where the user does not say one."""
        from twosup_chain.outcomes.price import Price

        if self.price_in is None and self.price_out is None:
            return None
        if self.price_in is None or self.price_out is None:
            missing = "--price-in" if self.price_in is None else "--price-out"
            raise ConfigurationError(
                f"{missing} is missing: give the prices of a million input tokens and of a million output tokens"
            )
        return Price(input=self.price_in, output=self.price_out, currency=self.currency)


@dataclass(frozen=True, kw_only=True)
class Output:
    """What is printed.

    Args:
        as_json: Print one JSON document, nothing else.
    """

    panel: ClassVar[str] = "Output"
    as_json: Annotated[bool, typer.Option("--json")] = False

    def show(self, document: Callable[[], Any], parts: Callable[[], Iterable[RenderableType]]) -> None:
        """Prints a JSON document or, for people, what `parts` returns; only that which is printed is made."""
        if self.as_json:
            print_json(document())
        else:
            show(*parts())
