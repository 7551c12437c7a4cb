"""The table of the oracle's gain: how much of what perfect routing gains over the reader alone a rule reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from study.ours import WORTHS
from study.rivals import Pair, crossfitted, oracle_router

if TYPE_CHECKING:
    from study.columns import Columns
    from study.ours import Ours
    from study.resampling import Resamples
    from study.system import System


def oracle_table(columns: Columns, ours: Ours, resamples: Resamples, rates: tuple[float, ...]) -> dict[str, Any]:
    """Returns, for each share of hosted calls, what share of the oracle router's gain in F1 every rule reaches.

    The oracle chooses between the reader's and the hosted prediction, with the same budget. A rule that also knows when
    to say "no answer" can gain more than it.
    """
    found = {}
    for rate in rates:
        oracle = oracle_router(columns, rate)
        rules = [
            *(ours.within(rate, by) for by in WORTHS),
            ours.without_calls(),
            *(crossfitted(Pair(kind), columns, rate) for kind in KINDS),
        ]
        found[f"{rate:g}"] = {
            "oracle_calls": oracle.remote_rate,
            "oracle_gain": resamples.mean(oracle.f1 - columns.reader.f1),
            "rules": {rule.name: _share(rule, oracle, columns, resamples) for rule in rules},
        }
    return found


#: The variants of the paper's pair.
KINDS = ("none", "f1", "fpr")


def _share(rule: System, oracle: System, columns: Columns, resamples: Resamples) -> dict[str, Any]:
    gain = rule.f1 - columns.reader.f1
    return {
        "calls": rule.remote_rate,
        "gain": resamples.mean(gain),
        "share": resamples.ratio(gain, oracle.f1 - columns.reader.f1),
    }
