"""The table of domain shift: scorers and thresholds fitted on SQuAD, held against other sources by `check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from study.ours import CONFIDENCE, CORRECT, calibrated
from twosup_chain import check
from twosup_chain.curves import auroc, calibration_error
from twosup_chain.errors import InfeasibleTargetError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from study.ours import Ours
    from twosup_chain import Calibration
    from twosup_chain.outcomes.from_records import RecordColumns
    from twosup_chain.outcomes.outcomes import Outcomes

#: What is promised on SQuAD, each by a calibration of its own.
PROMISES: dict[str, float] = {"remote_rate": 0.4, "risk": 0.25, "false_positive_rate": 0.1}
#: With a lower probability than this `check` says that a promise is broken, with a higher one that it is kept.
BROKEN, KEPT = 0.05, 0.5


def shift_table(ours: Ours, sources: Mapping[str, Path]) -> dict[str, Any]:
    """Returns what becomes of the promises on other sources.

    Args:
        ours: What was fitted and is calibrated on all SQuAD questions.
        sources: Records by source.
    """
    read = {name: ours.whole.read(path) for name, path in sources.items()}
    outcomes = {name: columns.outcomes(correct=CORRECT) for name, columns in read.items()}
    return {
        "confidence": CONFIDENCE,
        "figures": {name: _figures(columns) for name, columns in read.items()},
        "promises": {name: _held(ours.known, name, limit, outcomes) for name, limit in PROMISES.items()},
    }


def _held(known: Outcomes, name: str, limit: float, sources: Mapping[str, Outcomes]) -> dict[str, Any]:
    """Returns a promise's own estimate, and what `check` says of it on each source."""
    try:
        calibration = calibrated(known, **{name: limit})
    except InfeasibleTargetError as error:
        return {"limit": limit, "infeasible": str(error).splitlines()[0]}
    own = calibration.estimate(name)
    return {
        "limit": limit,
        "at_home": [own.value, own.low, own.high],
        "sources": {source: _checked(calibration, columns) for source, columns in sources.items()},
    }


def _checked(calibration: Calibration, outcomes: Outcomes) -> dict[str, Any]:
    (held,) = check(calibration, outcomes).targets
    verdict = "broken" if held.probability < BROKEN else "kept" if held.probability >= KEPT else "in doubt"
    return {
        "questions": len(outcomes),
        "value": [held.estimate.value, held.estimate.low, held.estimate.high],
        "probability": held.probability,
        "verdict": verdict,
    }


def _figures(columns: RecordColumns) -> dict[str, Any]:
    """Returns what both models make of a source, and how well their scorers judge them."""
    found: dict[str, Any] = {"questions": len(columns), "answerable": float(columns.answerable.mean())}
    for role, made in (("local", columns.local), ("remote", columns.remote)):
        right = made.correct(CORRECT)
        found[role] = {
            "right": float(right.mean()),
            "auroc": auroc(made.trust, right),
            "calibration_error": calibration_error(made.trust, right),
        }
    return found
