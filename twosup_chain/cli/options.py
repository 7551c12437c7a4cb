"""Options that several commands share, each defined once: models, thresholds, what counts as right, prices.

What the words mean is decided in `parts`; options of one command alone stand in that command.
"""

from __future__ import annotations

from typing import Annotated

import typer

from twosup_chain.cli import parts

_MODELS, _RECORDS, _TRUST, _PRICE = "Models", "Records", "Trust", "Price"

LocalModel = Annotated[
    str,
    typer.Option(
        metavar="MODEL",
        help="The local model: [bold]reader[/bold], the packaged extractive reader, or [bold]llama:PATH[/bold], a "
        "GGUF file run by llama.cpp.",
        rich_help_panel=_MODELS,
    ),
]
RemoteUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="The base URL of an OpenAI-compatible server that hosts it (vLLM, Ollama, llama.cpp, …); --remote is "
        f"then the name it has there. The key comes from {parts.KEY}, or is asked for.",
        rich_help_panel=_MODELS,
    ),
]
LocalThreshold = Annotated[
    float | None,
    typer.Option(metavar="0..1", help="The least score at which the local answer is used.", rich_help_panel=_TRUST),
]
RemoteThreshold = Annotated[
    float | None,
    typer.Option(metavar="0..1", help="The least score at which the remote answer is used.", rich_help_panel=_TRUST),
]
F1Floor = Annotated[
    float | None,
    typer.Option(
        metavar="0..1",
        help="Count answers with at least this token F1 as right, in place of exact matches.",
        rich_help_panel=_RECORDS,
    ),
]
PriceIn = Annotated[
    float | None,
    typer.Option(min=0, metavar="PRICE", help="The price of a million input tokens.", rich_help_panel=_PRICE),
]
PriceOut = Annotated[
    float | None,
    typer.Option(min=0, metavar="PRICE", help="The price of a million output tokens.", rich_help_panel=_PRICE),
]
Currency = Annotated[str, typer.Option(metavar="NAME", help="The currency of the prices.", rich_help_panel=_PRICE)]
