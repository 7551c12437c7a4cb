"""Classification by two supervisors, the paper's other studies: reviews, issues and intents, from records.

The records are those of `collect`, without texts (`record`): the local model is a `TextClassifier`, the hosted one a
GGUF, which reads a text's ends and is asked for the probability of every label. Trust is the largest probability on
both sides, as in the paper.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.runnables import RunnableLambda

from study.resampling import DRAWS, Resamples
from twosup_chain import QAInput, calibrate, collect, load_decisions
from twosup_chain._packed import read_packed
from twosup_chain.answerers.part import as_answerer
from twosup_chain.errors import InfeasibleTargetError
from twosup_chain.outcomes.decisions import decide
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.paper import Recording, replicate

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from twosup_chain.outcomes.outcomes import Floats, Outcomes
    from twosup_chain.schema import QAInputLike

#: The risk that is promised, and the confidence of that promise.
RISK, CONFIDENCE = 0.15, 0.9
#: How often the texts are halved, to see how often the promise is kept.
HALVES = 40
#: How many words of a text's beginning and of its end the hosted model reads.
_WORDS = (60, 60)


def record(data: Path, local: Any, hosted: Any, out: Path, *, instructions: str) -> int:
    """Asks both models for the labels of labelled decisions, on from where it stopped; returns how many are recorded.

    The local model reads whole texts, the hosted one their ends.
    """
    decisions = load_decisions(data, instructions=instructions)
    return collect(decisions, local=local, remote=shortened(hosted), out=out, text=False).recorded


def shortened(model: Any) -> Runnable[QAInputLike, Any]:
    """Returns an answerer, of a decision model, say, that reads the first and the last words of a text."""
    first, last = _WORDS

    def cut(value: QAInputLike) -> QAInput:
        asked = QAInput.coerce(value)
        words = " ".join(asked.passages).split()
        if len(words) <= first + last:
            return asked
        return asked.model_copy(update={"context": " ".join([*words[:first], "[…]", *words[-last:]])})

    return RunnableLambda(cut) | as_answerer(model, role="remote")


def label_tables(folder: Path, draws: int = DRAWS) -> dict[str, Any]:
    """Returns the figures of every study whose records, ``NAME.jsonl.gz``, are in a folder, by its name."""
    found = {}
    with TemporaryDirectory() as there:
        for path in sorted(folder.glob("*.jsonl.gz")):
            unpacked = Path(there) / path.stem
            unpacked.write_bytes(read_packed(path))
            found[unpacked.stem] = figures(unpacked, draws)
    return found


def figures(path: Path, draws: int) -> dict[str, Any]:
    """Returns the figures of one study: the paper's, and ours."""
    scorers = {"local_scorer": "max_softmax", "remote_scorer": "max_softmax"}
    columns = read_columns([path], **scorers, failures=True).outcomes()
    local, hosted = columns.local_correct, columns.remote_correct
    paper = replicate(
        Recording(score=columns.local_score, correct=local), Recording(score=columns.remote_score, correct=hosted)
    )
    drawn = Resamples(np.arange(len(columns)).astype(str), draws)
    asked, right = _halved(columns)
    return {
        "texts": len(columns),
        "local": drawn.mean(local.astype(float)),
        "remote": drawn.mean(hosted.astype(float)),
        "auc_rac": paper.auc_rac,
        "points": {point.name: (point.cutoff, point.accuracy) for point in paper.points},
        "table": [asdict(row) for row in paper.table],
        "ours": {
            "calls": drawn.mean(asked),
            "accuracy": drawn.mean(right),
            "over_remote": drawn.mean(right - hosted),
            "over_local": drawn.mean(right - local),
        },
        "risk": _risk(columns),
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
        fitted, here = calibrate(trusting.take(halves != half), match_remote=True), halves == half
        found = decide(trusting.take(here), fitted.local.threshold, 0.0)
        asked[here], right[here] = found.escalated, found.right
    return asked, right


def _risk(columns: Outcomes) -> dict[str, Any]:
    """Returns what a promised risk comes to on halves that it was not calibrated on, on average, and how often."""
    rng, found = np.random.default_rng(1), []
    for _ in range(HALVES):
        half = rng.permutation(len(columns)) % 2 == 0
        try:
            made = calibrate(columns.take(half), risk=RISK, confidence=CONFIDENCE)
        except InfeasibleTargetError:
            continue
        other = columns.take(~half)
        ends = decide(other, made.local.threshold, made.remote.threshold)
        outside = ~other.answerable if other.answerable is not None else np.zeros(len(other), np.bool_)
        refused = float(np.mean(~ends.answered[outside])) if outside.any() else float("nan")
        risk = float((ends.answered & ~ends.right).sum() / max(1, ends.answered.sum()))
        found.append((risk, risk > RISK, ends.answered.mean(), ends.escalated.mean(), refused))
    names = ("risk", "exceeded", "answered", "calls", "outside_refused")
    means = np.mean(np.array(found, np.float64).reshape(-1, len(names)), axis=0) if found else [float("nan")] * 5
    return {"promised": RISK, "feasible": len(found) / HALVES, **dict(zip(names, map(float, means), strict=True))}
