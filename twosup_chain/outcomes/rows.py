"""`read_rows`: files of records, streamed question by question: a million records take seconds.

A file holds one record a line, in the order in which the questions were finished. A later line of a question whose call
had failed takes the earlier one's place; any other repetition is an error.
"""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from twosup_chain._options import shorten
from twosup_chain.answerers.settings import difference
from twosup_chain.errors import MissingEvidenceError, RecordsError, TwosupError
from twosup_chain.records.lines import Part, Paths, Place, Places, check_record, read_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twosup_chain._sketch import Digests
    from twosup_chain.answerers.settings import Settings
    from twosup_chain.records.question import QuestionRecord

    Explain = Callable[[QuestionRecord, Place], TwosupError | None]


@dataclass(frozen=True, eq=False, kw_only=True)
class Rows:
    """The n questions that were read and count; `failed` others have a call that failed.

    Where every line stands is in `places`; `lines` are those of the questions, in the order of their digests, shape
    (n,), since the order of a file is that in which calls happened to end; `order` is which of the questions taken
    stands at each place of that order, `digests` the questions' own, ascending. The digest of 16 hexadecimal digits
    stands for all questions, in whatever order. How the models were asked is in `settings`, by role,
    where a file says it.
    """

    places: Places
    lines: npt.NDArray[np.intp]
    order: npt.NDArray[np.intp]
    digests: Digests
    failed: int
    digest: str
    settings: dict[str, Settings]


def read_rows(
    paths: Paths | Part,
    take: Callable[[dict[str, Any], Places], None],
    *,
    explain: Explain,
    needed: tuple[str, ...] = ("local", "remote"),
    failures: bool = False,
    where: Mapping[str, Any] | None = None,
) -> Rows:
    """Reads records, and hands the fields of each question to `take`, once, with the places of all lines so far.

    `explain` says what is wrong with a whole record that could not be taken, or ``None``; a question counts unless a
    call of a role in `needed` failed, or it lacks the metadata `where`; with `failures` a failed one counts too, unless
    it was asked again with success. `RecordsError` names the line that is no record.
    """
    places, seen = Places(), _Seen()
    lines, digests = array("q"), array("Q")
    failed_rows: dict[str, int] = {}  # questions with a failed call that were taken
    replaced: list[int] = []  # rows of them that were asked again with success
    for entry in read_entries(paths, places):
        try:
            seen.set(entry.get("settings") or {}, needed, places)
            if where and not where.items() <= (entry.get("metadata") or {}).items():
                continue
            failed = [role for role in ("local", "remote") if "error" in entry[role]]
            seen.add(entry["id"], places, failed=bool(failed))
            if any(role in needed for role in failed):
                if not failures or entry["id"] in failed_rows:
                    continue
                failed_rows[entry["id"]] = len(lines)
            elif entry["id"] in failed_rows:
                replaced.append(failed_rows.pop(entry["id"]))
            take(entry, places)
            digests.append(int(entry["digest"], 16))
            lines.append(len(places) - 1)
        except (MissingEvidenceError, KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise _explained(error, entry, places[-1], explain) from error
    digest = np.array(digests, dtype="<u8")
    order = np.argsort(digest, kind="stable")
    order = order[~np.isin(order, replaced)]
    return Rows(
        places=places,
        lines=np.array(lines, dtype=np.intp)[order],
        order=order,
        digests=digest[order],
        failed=seen.failed,
        digest=hashlib.sha256(digest[order].tobytes()).hexdigest()[:16],
        settings=seen.settings,
    )


def _explained(error: Exception, entry: dict[str, Any], place: Place, explain: Explain) -> TwosupError:
    if isinstance(error, MissingEvidenceError):
        return RecordsError(f"{place}: {error}")
    if isinstance(error, TwosupError):
        return error
    try:
        record = check_record(entry, place)
    except RecordsError as found:
        return found
    return explain(record, place) or RecordsError(f"{place}: {type(error).__name__}: {error}")


class _Seen:
    """Which questions were read and where, so that none counts twice; and how the models were asked."""

    def __init__(self) -> None:
        self.failed = 0
        self.settings: dict[str, Settings] = {}
        self._lines: dict[str, int] = {}

    def set(self, settings: dict[str, Settings], needed: Sequence[str], places: Places) -> None:
        """Notes how the models of a file were asked; `RecordsError` where those of another were asked otherwise."""
        for role in needed:
            if role in settings:
                before = self.settings.setdefault(role, settings[role])
                if other := difference(before, settings[role], role):
                    raise RecordsError(
                        f"{places[-1]}: the files before were collected with {other}: read the records of each setting "
                        "apart"
                    )

    def add(self, id: str, places: Places, *, failed: bool) -> None:
        """Notes the question of the last line; `RecordsError` where it was recorded before."""
        line = len(places) - 1
        before = self._lines.setdefault(id, ~line if failed else line)
        if before in (line, ~line):  # it is new
            self.failed += failed
        elif before >= 0:
            raise RecordsError(
                f"{places[line]}: the question {shorten(id)} is recorded in {places[before]} already, and counts "
                "once: leave one of the two out"
            )
        elif not failed:
            self.failed -= 1
            self._lines[id] = line
