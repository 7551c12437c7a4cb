"""The table of domain shift: supervisors and thresholds fitted on SQuAD, held against other sources by `check`.

Two sides: the whole rule on the questions that the hosted model was recorded on, and the reader with its learned
supervisor alone, which answers where it is trusted and leaves the rest open, on every question of a source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from study.estimates import Supervisors
from study.ours import outcomes
from study.signals import learned
from twosup_chain.calibration import calibrate, check
from twosup_chain.curves import auroc, calibration_error
from twosup_chain.errors import InfeasibleTargetError
from twosup_chain.outcomes import Outcomes
from twosup_chain.supervision import fit_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from study.columns import Columns
    from twosup_chain.calibration import Calibration

#: What is promised on SQuAD, each by a calibration of its own, with this confidence.
PROMISES: dict[str, dict[str, float]] = {
    "remote_rate": {"remote_rate": 0.4},
    "risk": {"risk": 0.25},
    "false_positive_rate": {"false_positive_rate": 0.1},
}
CONFIDENCE = 0.9
#: With a lower probability than this `check` says that a promise is broken, with a higher one that it is kept.
BROKEN, KEPT = 0.05, 0.5


def shift_table(home: Columns, sampled: Mapping[str, Columns], whole: Mapping[str, Columns]) -> dict[str, Any]:
    """Returns what becomes of the promises on other sources.

    Args:
        home: The questions to fit and to calibrate on.
        sampled: By source, questions that the hosted model was recorded on.
        whole: By source, all questions, read by the reader alone.
    """
    supervisors = Supervisors(home)
    made_on = outcomes(supervisors.train, home)
    return {
        "confidence": CONFIDENCE,
        "both": _held(
            made_on,
            PROMISES,
            {name: outcomes(supervisors.estimates(columns), columns) for name, columns in sampled.items()},
        ),
        "reader": _reader(home, whole),
    }


def _held(made_on: Outcomes, promises: Mapping[str, dict[str, float]], sources: Mapping[str, Outcomes]) -> Any:
    """Returns for each promise its calibration's own estimate, and what `check` says of it on each source."""
    found = {}
    for name, target in promises.items():
        try:
            calibration = calibrate(made_on, confidence=CONFIDENCE, **target)
        except InfeasibleTargetError as error:
            found[name] = {"limit": target[name], "infeasible": str(error).splitlines()[0]}
            continue
        own = calibration.estimate(name)
        found[name] = {
            "limit": target[name],
            "at_home": [own.value, own.low, own.high],
            "coverage_at_home": calibration.estimate("coverage").value,
            "sources": {source: _checked(calibration, columns) for source, columns in sources.items()},
        }
    return found


def _checked(calibration: Calibration, columns: Outcomes) -> dict[str, Any]:
    (held,) = check(calibration, columns).targets
    verdict = "broken" if held.probability < BROKEN else "kept" if held.probability >= KEPT else "in doubt"
    return {
        "questions": len(columns),
        "value": [held.estimate.value, held.estimate.low, held.estimate.high],
        "probability": held.probability,
        "verdict": verdict,
    }


def _reader(home: Columns, whole: Mapping[str, Columns]) -> dict[str, Any]:
    """Returns the reader's figures on whole sources, and the promise of its selective risk."""
    right = home.reader.exact > 0
    model = fit_columns(home.local_signals, right, groups=home.article)
    own = learned(home, home.local_signals, right, "logistic")
    trust = {name: model.predict(columns.local_signals) for name, columns in whole.items()}
    sources = {name: _alone(trust[name], columns) for name, columns in whole.items()}
    return {
        "figures": {name: _figures(trust[name], columns) for name, columns in whole.items()}
        | {"squad (other folds)": _figures(own, home)},
        "promises": _held(_alone(own, home), {"risk": PROMISES["risk"]}, sources),
    }


def _alone(trust: np.ndarray, columns: Columns) -> Outcomes:
    """Returns the outcomes of a chain whose hosted model is never trusted: what is not kept is left open."""
    nobody = np.zeros(len(columns))
    right = columns.reader.exact > 0
    return Outcomes(local_score=trust, remote_score=nobody, local_correct=right, remote_correct=nobody > 0)


def _figures(trust: np.ndarray, columns: Columns) -> dict[str, Any]:
    right = columns.reader.exact > 0
    return {
        "questions": len(columns),
        "answerable": float(columns.answerable.mean()),
        "exact": float(columns.reader.exact.mean()),
        "f1": float(columns.reader.f1.mean()),
        "auroc_learned": auroc(trust, right),
        "auroc_backed": auroc(columns.local_signals["backed"], right),
        "calibration_error": calibration_error(trust, right),
    }
