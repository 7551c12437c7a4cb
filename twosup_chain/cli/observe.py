"""``twosup observe``: what a chain would have saved and risked on questions that were answered already.

Nothing hosted is asked; what the chain would have decided is written to a log, and `service.replay` sums it up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twosup_chain import parts
from twosup_chain.cli.command import command
from twosup_chain.cli.console import note
from twosup_chain.cli.options import Output, Prices
from twosup_chain.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS = ("question", "context", "answer")


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What is observed.

    Args:
        answered: JSON lines with ``question``, ``context`` and ``answer``, what answers today: null where it had none;
            where ``usage`` tells tokens (``input_tokens``, ``output_tokens``), costs are known.
        calibration: The calibration of the chain that might answer tomorrow.
        local: Its local model: ``reader``, ``llama:PATH`` or an answerer of your own.
        log: The SQLite file or ``postgresql://`` URL that the decisions are written to.
        keep_text: Keep the texts in it, so that they can be labelled by answers.
    """

    answered: Annotated[Path, typer.Argument(metavar="ANSWERED")]
    calibration: Annotated[Path, typer.Argument(metavar="CALIBRATION")]
    local: Annotated[str, typer.Option(metavar="MODEL")] = "reader"
    log: Annotated[str, typer.Option(metavar="FILE|URL")] = "observed.db"
    keep_text: bool = False


@command()
def observe(observed: Observed, prices: Prices, output: Output) -> None:
    """Say what a chain would have saved and risked on questions that were answered already.

    [bold]Example[/bold]

    [cyan]twosup observe answered.jsonl calibration.json --price-in 0.4 --price-out 1.6[/cyan]
    """
    from rich.text import Text

    from twosup_chain.calibration.record import Calibration
    from twosup_chain.calibration.supervisors import chain_options, check_asked
    from twosup_chain.chain import TwoSupervisorChain
    from twosup_chain.service.log import DecisionLog
    from twosup_chain.service.observer import Observer
    from twosup_chain.service.replay import replay

    calibration = Calibration.load(observed.calibration)
    local = parts.local_answerer(observed.local, "--local")
    made = chain_options(calibration, {}, {})
    check_asked(calibration, local=local)
    chain = TwoSupervisorChain(local=local, remote=_nobody, **made)
    log = DecisionLog(observed.log)
    observer = Observer(chain, log, price=prices.price(), text=observed.keep_text, most=10**9)
    for asked, reply in _lines(observed.answered, calibration.remote.model):
        observer.see(asked, reply)
    observer.flush()
    found = replay(log, calibration, route="observed")
    output.show(lambda: json.loads(found.model_dump_json()), lambda: [Text(str(found))])
    if observer.failed:
        note(f"{observer.failed} questions could not be decided")


def _nobody(_: Any) -> None:
    raise AssertionError  # what answers today stands in its place


def _lines(path: Path, model: str | None) -> Iterator[tuple[dict[str, Any], Any]]:
    from twosup_chain.schema import Answer

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            fields = json.loads(line)
            question, context, answer = (fields[name] for name in _FIELDS)
            reply = Answer(answer, usage=fields.get("usage"), model=fields.get("model", model))
        except (ValueError, KeyError, TypeError) as error:
            message = f"{path}, line {number} is no JSON object with {', '.join(_FIELDS)}: {error}"
            raise InputError(message) from error
        yield {"question": question, "context": context}, reply
