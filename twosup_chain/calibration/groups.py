"""`calibrate_groups`: a promise for each group of questions, or the word that its labels do not suffice.

A group is what has one value of a field of the questions' metadata: their domain, say. Each is calibrated by itself, on
its own questions, so that a promise that holds on average cannot be broken in one domain and made up for in another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twosup_chain._options import shorten
from twosup_chain.calibration.calibrate import calibrate
from twosup_chain.calibration.grouped import GroupedCalibration
from twosup_chain.errors import InfeasibleTargetError, InputError
from twosup_chain.records.lines import Places, read_entries

if TYPE_CHECKING:
    from twosup_chain.calibration.record import Calibration
    from twosup_chain.records.lines import Paths


def calibrate_groups(records: Paths, *, by: str, **options: Any) -> GroupedCalibration:
    """Returns a calibration for each group of recorded questions, or why there is none for it.

    Each promise holds with the `confidence` by itself; that all of them do is less probable.

    Args:
        records: A file of records, or several.
        by: The field of the questions' metadata whose values are the groups.
        **options: Those of `calibrate`.

    Raises:
        InputError: No question has this field.
        ConfigurationError: As in `calibrate`.
        InfeasibleTargetError: There are thresholds for no group.
        RecordsError: The records cannot be read.
    """
    values = {entry["metadata"][by] for entry in read_entries(records, Places()) if by in (entry.get("metadata") or {})}
    if not values:
        message = (
            f"no recorded question has {shorten(by)} in its metadata: write "
            f'"metadata": {{"{by}": "…"}} into the questions before they are collected'
        )
        raise InputError(message)
    chosen = options.pop("where", None) or {}
    made: dict[str, Calibration] = {}
    without: dict[str, str] = {}
    for value in sorted(values, key=str):
        try:
            made[str(value)] = calibrate(records, where={**chosen, by: value}, **options)
        except InfeasibleTargetError as error:
            without[str(value)] = f"not enough labels here: {error}"
            last = error
    if not made:
        last.add_note(f"there is no promise for any {by}: {', '.join(without)}")
        raise last
    return GroupedCalibration(by=by, groups=made, without=without)
