"""Classification by two supervisors, the paper's other studies: reviews, issues and intents, from recorded predictions.

A study is two files, as ``twosup replicate`` takes them: a line a text, without it, what a model predicts, the label
(``none``: no label fits, or the model says so), its trust. The local model is a `TextClassifier`, the hosted one a
1.5B GGUF, asked for the label and read by its label probabilities (`PAIRS`).
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from study.resampling import DRAWS, Resamples
from twosup_chain import calibrate
from twosup_chain.errors import InfeasibleTargetError
from twosup_chain.outcomes.decisions import decide
from twosup_chain.outcomes.outcomes import Outcomes
from twosup_chain.paper import read_recordings, replicate
from twosup_chain.paper.csv_columns import CsvColumns

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from twosup_chain.outcomes.outcomes import Floats

#: The studies, by the names of their files.
STUDIES = ("imdb", "issues", "clinc")
#: What a prediction or a label says where no label fits.
NONE = "none"
#: The risk that is promised, and the confidence of that promise.
RISK, CONFIDENCE = 0.15, 0.9
#: How often the texts are halved, to see how often the promise is kept.
HALVES = 40


class Labelled(NamedTuple):
    """A study's columns, and its texts that no label fits; shape (n,)."""

    outcomes: Outcomes
    outside: npt.NDArray[np.bool_]


def labelled(folder: Path, name: str) -> Labelled:
    """Returns a study's columns from ``NAME-local.csv.gz`` and ``NAME-remote.csv.gz``."""
    paths = [folder / f"{name}-{role}.csv.gz" for role in ("local", "remote")]
    both = read_recordings(*paths)
    outside = np.array([label == NONE for label in CsvColumns(paths[0]).texts("ground_truth")])
    says = [np.array([p == NONE for p in CsvColumns(path).texts("prediction")]) for path in paths]
    columns = Outcomes(
        local_score=both.local.score,
        remote_score=both.remote.score,
        local_correct=both.local.correct,
        remote_correct=both.remote.correct,
        answerable=~outside,
        local_no_answer=says[0],
        remote_no_answer=says[1],
    )
    return Labelled(columns, outside)


def label_tables(folder: Path, draws: int = DRAWS) -> dict[str, Any]:
    """Returns the figures of every study whose files are in a folder, by its name."""
    there = [name for name in STUDIES if (folder / f"{name}-remote.csv.gz").exists()]
    return {name: _figures(folder, name, draws) for name in there}


def _figures(folder: Path, name: str, draws: int) -> dict[str, Any]:
    study = labelled(folder, name)
    columns = study.outcomes
    both = read_recordings(*(folder / f"{name}-{role}.csv.gz" for role in ("local", "remote")))
    paper = replicate(both.local, both.remote)
    drawn = Resamples(np.arange(len(columns)).astype(str), draws)
    local, remote = columns.local_correct.astype(float), columns.remote_correct.astype(float)
    asked, right = _halved(columns)
    return {
        "texts": len(columns),
        "local": drawn.mean(local),
        "remote": drawn.mean(remote),
        "auc_rac": paper.auc_rac,
        "points": {point.name: (point.cutoff, point.accuracy) for point in paper.points},
        "table": [asdict(row) for row in paper.table],
        "ours": {
            "calls": drawn.mean(asked),
            "accuracy": drawn.mean(right),
            "over_remote": drawn.mean(right - remote),
            "over_local": drawn.mean(right - local),
        },
        "risk": _risk(study),
    }


def _halved(columns: Outcomes) -> tuple[Floats, Floats]:
    """Returns of each text whether the hosted model is asked and whether the answer is right, by the other half.

    Each half's threshold is the one that matches the hosted model with the fewest calls on the other half; the second
    supervisor takes whatever the hosted model says.
    """
    asked, right = np.empty(len(columns)), np.empty(len(columns))
    trusting = replace(columns, remote_score=np.ones(len(columns)))
    halves = np.random.default_rng(0).permutation(len(columns)) % 2
    for half in (0, 1):
        fitted = calibrate(trusting.take(halves != half), match_remote=True)
        here = halves == half
        found = decide(trusting.take(here), fitted.local.threshold, 0.0)
        asked[here], right[here] = found.escalated, found.right
    return asked, right


def _risk(study: Labelled) -> dict[str, Any]:
    """Returns what a promised risk comes to on the halves that it was not calibrated on."""
    rng = np.random.default_rng(1)
    found: list[tuple[float, float, float, float]] = []
    for _ in range(HALVES):
        half = rng.permutation(len(study.outside)) % 2 == 0
        try:
            made = calibrate(study.outcomes.take(half), risk=RISK, confidence=CONFIDENCE)
        except InfeasibleTargetError:
            continue
        ends = decide(study.outcomes.take(~half), made.local.threshold, made.remote.threshold)
        wrong = ends.answered & ~ends.right
        outside = study.outside[~half]
        refused = float(np.mean(~ends.answered[outside])) if outside.any() else float("nan")
        risk = float(wrong.sum() / max(1, ends.answered.sum()))
        found.append((risk, float(ends.answered.mean()), float(ends.escalated.mean()), refused))
    risks, answered, asked, refused = np.array(found).reshape(-1, 4).T
    return {
        "promised": RISK,
        "feasible": len(found) / HALVES,
        "risk": float(risks.mean()) if len(risks) else None,
        "exceeded": float(np.mean(risks > RISK)) if len(risks) else None,
        "answered": float(answered.mean()) if len(risks) else None,
        "calls": float(asked.mean()) if len(risks) else None,
        "outside_refused": float(refused.mean()) if len(risks) else None,
    }
