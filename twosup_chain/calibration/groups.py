"""A promise for each group of questions, or the word that its labels do not suffice: ``calibrate(…, groups=…)``.

A group is what has one value of a field of the questions' metadata: their domain, say. Each is calibrated by itself, on
its own questions, so that a promise that holds on average cannot be broken in one domain and made up for in another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twosup_chain._options import shorten
from twosup_chain.calibration.grouped import GroupedCalibration
from twosup_chain.errors import InfeasibleTargetError, InputError
from twosup_chain.records.lines import Places, read_entries

if TYPE_CHECKING:
    from collections.abc import Callable

    from twosup_chain.calibration.record import Calibration
    from twosup_chain.records.lines import Paths
    from twosup_chain.text.questions import MetadataValue


def values_of(records: Paths, by: str) -> list[MetadataValue]:
    """Returns the values that this field of the questions' metadata has."""
    values = {entry["metadata"][by] for entry in read_entries(records, Places()) if by in (entry.get("metadata") or {})}
    return sorted(values, key=str)


def each_group(records: Paths, by: str, calibrate: Callable[[MetadataValue], Calibration]) -> GroupedCalibration:
    """Returns for each value of the metadata's field `by` what `calibrate` makes of it, or why there is none.

    `InputError`: no question has this field. `InfeasibleTargetError`: there are thresholds for no group.
    """
    values = values_of(records, by)
    if not values:
        message = (
            f"no recorded question has {shorten(by)} in its metadata: write "
            f'"metadata": {{"{by}": "…"}} into the questions before they are collected'
        )
        raise InputError(message)
    made: dict[str, Calibration] = {}
    without: dict[str, str] = {}
    for value in values:
        try:
            made[str(value)] = calibrate(value)
        except InfeasibleTargetError as error:
            without[str(value)] = f"not enough labels here: {error}"
            last = error
    if not made:
        last.add_note(f"there is no promise for any {by}: {', '.join(without)}")
        raise last
    return GroupedCalibration(by=by, groups=made, without=without)
