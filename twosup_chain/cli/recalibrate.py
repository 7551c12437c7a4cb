"""``twosup recalibrate``: new thresholds for a calibration's promises, from what was decided in service and said of it.

How a fair sample comes of that is in `service.labels`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twosup_chain import parts
from twosup_chain.cli.command import command
from twosup_chain.cli.console import note
from twosup_chain.cli.log import Thresholds
from twosup_chain.cli.options import Output, OwnTargets, Prices

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, kw_only=True)
class Old(Thresholds):
    """The calibration whose promises are kept, and the log.

    Args:
        calibration: The calibration whose promises, confidence and scorers are kept.
    """


@dataclass(frozen=True, kw_only=True)
class New(Output):
    """What is written.

    Args:
        out: The new calibration's file.
    """

    out: Annotated[Path | None, typer.Option("--out", "-o")] = None


@command()
def recalibrate(old: Old, targets: OwnTargets, prices: Prices, new: New) -> None:
    """Choose new thresholds for what a calibration promises, from a log and the feedback on it.

    Where the traffic has changed, --days leaves out what was before.

    [bold]Example[/bold]

    [cyan]twosup recalibrate calibration.json --log twosup.db --days 30 --out new.json[/cyan]
    """
    from rich.text import Text

    from twosup_chain.calibration import table
    from twosup_chain.calibration.record import Calibration
    from twosup_chain.service.recalibrate import recalibrate as find

    own = [parts.own_target(spec) for spec in targets.target]
    found = find(old.open(), Calibration.load(old.calibration), **old.chosen, price=prices.price(), targets=own)
    if new.out is not None:
        found.save(new.out)

    def lines() -> list[RenderableType]:
        return [Text(table.as_text(found), no_wrap=True, overflow="ignore")]

    new.show(lambda: json.loads(found.model_dump_json()), lines)
    if new.out is not None:
        note(f"{new.out} is written")
