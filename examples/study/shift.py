"""The table of domain shift: supervisors and thresholds fitted on SQuAD, held against other sources by `check`.

Two sides: the whole rule on the questions that the hosted model was recorded on, and, on every question of a source,
what the local side alone decides: which questions are sent out, and how often it is wrong where it answers itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from study.estimates import FAMILY, Supervisors
from study.ours import outcomes
from study.signals import learned
from twosup_chain.calibration import calibrate, check
from twosup_chain.curves import auroc, calibration_error
from twosup_chain.errors import InfeasibleTargetError
from twosup_chain.fitting.fit_columns import fit_columns
from twosup_chain.outcomes.outcomes import Outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from study.columns import Columns, Floats
    from study.estimates import Choice
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


def shift_table(
    home: Columns, read: Columns, sampled: Mapping[str, Columns], whole: Mapping[str, Columns]
) -> dict[str, Any]:
    """Returns what becomes of the promises on other sources.

    Args:
        home: The questions to fit and to calibrate on.
        read: Questions of the same articles that the reader was asked, for the estimates before a call.
        sampled: By source, questions that the hosted model was recorded on.
        whole: By source, all questions, read by the reader alone.
    """
    supervisors = Supervisors(home, read)
    made_on = outcomes(supervisors.train, home)
    return {
        "confidence": CONFIDENCE,
        "both": _held(
            made_on,
            PROMISES,
            {name: outcomes(supervisors.estimates(columns), columns) for name, columns in sampled.items()},
        ),
        "reader": _reader(home, read, supervisors, whole),
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


def _reader(home: Columns, read: Columns, supervisors: Supervisors, whole: Mapping[str, Columns]) -> dict[str, Any]:
    """Returns the reader's figures on whole sources, and the promises that the local side alone makes."""
    model = fit_columns(read.local_signals, read.reader.exact > 0, groups=read.article)
    figures = {name: _figures(model.predict(columns.local_signals), columns) for name, columns in whole.items()}
    own = learned(read, "local", home, FAMILY)
    before = {name: supervisors.before(columns) for name, columns in whole.items()}
    at_home = supervisors.train.before
    kept = {
        kind: _held(make(at_home), {kind: PROMISES[kind]}, {name: make(choice) for name, choice in before.items()})
        for kind, make in (("remote_rate", _asking), ("risk", _alone))
    }
    return {
        "figures": {**figures, "squad (other folds)": _figures(own, home)},
        "promises": {kind: promise[kind] for kind, promise in kept.items()},
    }


def _asking(choice: Choice) -> Outcomes:
    """Returns the outcomes of a chain that spends all calls that it may make."""
    nobody = np.zeros(len(choice.trust), dtype=bool)
    return Outcomes(
        local_score=choice.trust, remote_score=np.ones(len(nobody)), local_correct=nobody, remote_correct=~nobody
    )


def _alone(choice: Choice) -> Outcomes:
    """Returns the outcomes of a chain whose hosted model is never trusted: what is not kept is left open."""
    nobody = np.zeros(len(choice.trust), dtype=bool)
    return Outcomes(
        local_score=choice.trust,
        remote_score=nobody.astype(np.float64),
        local_correct=choice.exact > 0,
        remote_correct=nobody,
    )


def _figures(trust: Floats, columns: Columns) -> dict[str, Any]:
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
