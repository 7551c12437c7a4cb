"""`Report`: what an evaluation finds out, as data; how it is shown is the business of `page`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from twosup_chain._json_file import read_json
from twosup_chain._options import Record
from twosup_chain._version import __version__
from twosup_chain.calibration.record import Calibration
from twosup_chain.errors import InputError
from twosup_chain.evaluation.figures import Figures
from twosup_chain.evaluation.mistakes import Mistakes
from twosup_chain.outcomes.outcomes import Outcomes

#: The file that holds a report as data.
FIGURES = "figures.json"


class Run(Record):
    """Which evaluation this is: when it was made, and of which files.

    Args:
        date: The day and the minute, in UTC, as ISO 8601 writes them.
        records: The names of the files of records, without their folders.
        calibration: The name of the calibration's file; ``None`` where it came from no file.
        version: The version of twosup_chain that made it.
    """

    date: str
    records: tuple[str, ...] = ()
    calibration: str | None = None
    version: str = __version__


class Past(Record):
    """Another evaluation, as its ``figures.json`` tells it."""

    figures: Figures
    run: Run

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Returns what a report's ``figures.json``, or the folder that holds it, tells.

        Raises:
            InputError: It cannot be read, or is no such file.
        """
        path = Path(path) / FIGURES if Path(path).is_dir() else Path(path)
        fields = read_json(path, InputError)
        if not isinstance(fields, dict) or fields.get("format") != "twosup-figures":
            raise InputError(f"{path} is not the {FIGURES} of a report: pass one, or the folder that evaluate wrote")
        run = fields.get("run", {"date": "an unknown day", "version": "?"})
        return cls(figures={key: fields[key] for key in Figures.model_fields if key in fields}, run=run)


@dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """What an evaluation finds out: figures, mistakes, and the columns that the pictures are drawn from."""

    figures: Figures
    mistakes: tuple[Mistakes, ...]
    outcomes: Outcomes
    run: Run
    explored: dict[str, Any] = field(repr=False)  # see `explorer`
    calibration: Calibration | None = None  # None for supervisors of the user's own
    beside: Past | None = None

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures and the mistakes as plain values, ready for JSON."""
        found = [kind.model_dump(mode="json") for kind in self.mistakes]
        run = self.run.model_dump(mode="json")
        return {**self.figures.model_dump(mode="json"), "run": run, "mistakes": found}
