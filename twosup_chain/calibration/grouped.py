"""`GroupedCalibration`: a calibration for each group of questions, as one JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from twosup_chain._json_file import read_json, write_json
from twosup_chain._options import Record
from twosup_chain.calibration.monitor import Monitor
from twosup_chain.calibration.record import GROUPS_FORMAT, Calibration
from twosup_chain.errors import CalibrationFileError, TwosupError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twosup_chain.calibration.targets import Target


class GroupedCalibration(Record):
    """A calibration for each group that has one, by the value of the field `by`; made by ``calibrate(…, groups=by)``.

    `without` says of each other group why there is no promise for it. The confidence is that of each promise by itself.
    """

    by: str
    groups: dict[str, Calibration]
    without: dict[str, str] = Field(default_factory=dict)
    format: Literal["twosup-calibration-groups"] = "twosup-calibration-groups"
    version: Literal[1] = 1

    def monitors(
        self, *, targets: Iterable[Target | type[Target]] = (), false_alarm: float = 0.05
    ) -> dict[str, Monitor]:
        """Returns a `Monitor` for each group that has a promise; `false_alarm` is that of all together."""
        own, each = tuple(targets), false_alarm / len(self.groups)
        return {name: Monitor(made, targets=own, false_alarm=each) for name, made in self.groups.items()}

    def save(self, path: str | Path) -> None:
        """Writes all calibrations into one JSON file, which a chain reads like that of one.

        Raises:
            CalibrationFileError: The file cannot be written.
        """
        write_json(Path(path), self.model_dump(mode="json"), CalibrationFileError, indent=1)

    @classmethod
    def load(cls, path: str | Path) -> GroupedCalibration:
        """Returns the calibrations in a file.

        Raises:
            CalibrationFileError: The file is missing, holds none of this version, or is broken.
        """
        found = load_any(path)
        if isinstance(found, cls):
            return found
        raise CalibrationFileError(f"{path} is the calibration of all questions, not of groups: load it as Calibration")

    def __str__(self) -> str:
        made = (f"{self.by}={name}: {calibration}" for name, calibration in self.groups.items())
        return "\n".join([*made, *(f"{self.by}={name}: {why}" for name, why in self.without.items())])


def load_any(path: str | Path) -> Calibration | GroupedCalibration:
    """Returns the calibration in a file, be it of all questions or of groups.

    Raises:
        CalibrationFileError: The file holds neither.
    """
    fields = read_json(Path(path), CalibrationFileError)
    if not isinstance(fields, dict) or fields.get("format") != GROUPS_FORMAT:
        return Calibration.load(path)
    try:
        return GroupedCalibration(**fields)
    except (TwosupError, TypeError) as error:
        raise CalibrationFileError(f"{path} is a broken calibration of groups: {error}") from error
