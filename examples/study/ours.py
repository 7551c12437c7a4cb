"""Ours: the product, fold by fold. Learned scorers, thresholds and decisions are the package's own.

For each fold of whole articles the scorers are fitted on the other four (`fit_scorer`), and thresholds are calibrated
there as well (`calibrate`), on trust that is out of fold: each of the four is judged by scorers fitted on the other
three. What comes of the fold itself is the decision on columns that `evaluate` makes (`decide`), with early abstention
and reconciling; `live` asks the chains themselves.

Right is, for scorers and thresholds, a token F1 of at least one half, and leaving open is right where there is no
answer: the official F1 is what the rules are compared by.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson

from study.questions import article_of, splits
from study.system import System, joined
from twosup_chain import Supervisor, calibrate, evaluate, fit_scorer
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.outcomes.outcomes import Outcomes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from twosup_chain import Calibration
    from twosup_chain.evaluation.evaluate import Evaluation
    from twosup_chain.outcomes.from_records import RecordColumns
    from twosup_chain.outcomes.outcomes import Flags
    from twosup_chain.scoring.learned import LearnedScorer

CORRECT: tuple[Literal["f1"], float] = ("f1", 0.5)
CONFIDENCE = 0.9
#: How predictions are weighed.
WEIGHED = {"early_abstention": True, "reconcile": True}


@dataclass(frozen=True, eq=False, kw_only=True)
class Scorers:
    """Both learned scorers."""

    local: LearnedScorer
    remote: LearnedScorer

    def read(self, records: Path) -> RecordColumns:
        """Returns records that they were not fitted on as columns, weighed by them."""
        return read_columns(records, local_scorer=self.local, remote_scorer=self.remote, **WEIGHED)

    def supervisors(self, calibration: Calibration) -> dict[str, Any]:
        """Returns the supervisors that a calibration sets, and how they weigh: options of `evaluate` and of a chain."""
        local, remote = (
            Supervisor(getattr(self, role), threshold=getattr(calibration, role).threshold)
            for role in ("local", "remote")
        )
        return {"local_supervisor": local, "remote_supervisor": remote, **WEIGHED}


@dataclass(frozen=True, eq=False, kw_only=True)
class Fold:
    """What was fitted without some questions, and these questions.

    Args:
        held: Which questions, shape (n,), in the order of the digests.
        scorers: The learned scorers.
        known: The other folds' outcomes by scorers that were not fitted on them.
        records: The records of the questions themselves.
        columns: The same as columns.
    """

    held: Flags
    scorers: Scorers
    known: Outcomes
    records: Path
    columns: RecordColumns

    def calibration(self, **targets: Any) -> Calibration:
        """Returns thresholds that keep these targets."""
        return calibrated(self.known, **targets)

    def evaluated(self, calibration: Calibration) -> Evaluation:
        """Returns what `evaluate` makes of the questions."""
        return evaluate(self.records, correct=CORRECT, **self.scorers.supervisors(calibration))


class Ours:
    """The product on all questions, cross-fitted over articles; only thresholds are fitted anew for each target.

    Args:
        records: The file of records.
        folder: Where the parts of it are put.
        family: The family of the learned scorers.

    Attributes:
        folds: The folds.
        whole: Scorers that were fitted on all questions.
        known: The outcomes of all questions, by scorers that were not fitted on them.
    """

    def __init__(self, records: Path, folder: Path, family: Literal["logistic", "boosted"] = "logistic") -> None:
        lines = sorted(records.read_bytes().splitlines(keepends=True), key=lambda line: orjson.loads(line)["digest"])
        groups = {(name := orjson.loads(line)["id"]): article_of(name) for line in lines}
        parts = [held for _, held in splits(np.array(list(groups.values())))]
        paths = [folder / f"fold-{number}.jsonl" for number in range(len(parts))]
        for path, held in zip(paths, parts, strict=True):
            path.write_bytes(b"".join(lines[row] for row in np.flatnonzero(held)))
        options: dict[str, Any] = {"model": family, "groups": groups, "correct": CORRECT}

        @cache
        def without(left_out: frozenset[int]) -> Scorers:
            files = [path for number, path in enumerate(paths) if number not in left_out]
            return Scorers(
                local=fit_scorer(files, role="local", **options), remote=fit_scorer(files, role="remote", **options)
            )

        def outcomes(left_out: set[int]) -> Outcomes:
            others = [number for number in range(len(parts)) if number not in left_out]
            read = (without(frozenset({*left_out, number})).read(paths[number]) for number in others)
            return _together(columns.outcomes(correct=CORRECT) for columns in read)

        self.folds = [
            Fold(
                held=held,
                scorers=(scorers := without(frozenset({number}))),
                known=outcomes({number}),
                records=paths[number],
                columns=scorers.read(paths[number]),
            )
            for number, held in enumerate(parts)
        ]
        self.whole = without(frozenset())
        self.known = outcomes(set())

    def without_calls(self) -> System:
        """Returns the chain that trusts the first supervisor's choice whatever it is."""
        return self._joined("ours (never asking)", [(0.0, 0.0)] * len(self.folds))

    def within(self, rate: float) -> System:
        """Returns the chain, calibrated for at most this share of hosted calls."""
        return self.calibrated(f"ours (at most {rate:.0%} calls)", remote_rate=rate)

    def calibrated(self, name: str, **targets: Any) -> System:
        """Returns the chain, calibrated for these targets.

        Raises:
            InfeasibleTargetError: They are not known to be kept in some fold.
        """
        found = [fold.calibration(**targets) for fold in self.folds]
        return self._joined(name, [(c.local.threshold, c.remote.threshold) for c in found])

    def _joined(self, name: str, thresholds: list[tuple[float, float]]) -> System:
        pieces = [
            (fold.held, System.of(name, columns.answerable, columns.local_judged, columns.remote_judged, pair))
            for fold, pair in zip(self.folds, thresholds, strict=True)
            for columns in [fold.columns]
        ]
        return joined(pieces)


def calibrated(known: Outcomes, **targets: Any) -> Calibration:
    """Returns thresholds that keep these targets, by outcomes out of fold."""
    return calibrate(known, **{"confidence": CONFIDENCE, "abstention": "no_answer", **WEIGHED, **targets})


def _together(parts: Iterable[Outcomes]) -> Outcomes:
    """Returns the outcomes of several sets of questions as those of one."""
    found = list(parts)
    columns = {field.name: [getattr(part, field.name) for part in found] for field in fields(Outcomes)}
    columns["remote_alone_correct"] = [part.hosted_correct for part in found]  # some may have weighed nothing
    return Outcomes(**{name: np.concatenate(some) for name, some in columns.items() if some[0] is not None})
