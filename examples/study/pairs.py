"""The tables of pairs: a small and a large model on the same questions, ours and its rivals at the same budgets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from study.deferral import Deferral
from study.features import learned
from study.ladder import Ladder, gate
from study.ours import Ours
from study.questions import Questions
from study.records import restored
from study.resampling import Resamples
from study.rivals import Cascade, Margin, Pair, crossfitted, least, oracle_router
from study.systems import LIMIT, LOW
from twosup_chain.curves import auroc

if TYPE_CHECKING:
    from study.rivals import Rule
    from study.system import System
    from twosup_chain.outcomes.outcomes import Floats

#: The records of each pair; what a file lacks stands in those before it.
PAIRS = {"small → 1.5B": "squad.jsonl.gz", "base → 1.5B": "base.jsonl.gz", "small → base": "hosted.jsonl.gz"}
#: The shares of hosted calls that everything is compared at, and those that are tried for the hosted model's own F1.
BUDGETS = (LOW, LIMIT, 0.5)
TRIED = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9)
#: The rivals, each fitted to the budget.
RULES: tuple[Rule, ...] = (
    Pair("f1"),
    Cascade("reader", fixed=False),
    Margin("reader", target=False),
    Ladder(),
    Deferral(),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelPair:
    """Two models on the questions, and our chain of both."""

    questions: Questions
    ours: Ours

    @classmethod
    def of(cls, records: Path) -> ModelPair:
        """Returns the pair of a file of whole records; the folds are put beside it."""
        folder = records.with_suffix(".folds")
        folder.mkdir()
        return cls(questions=Questions.of(records), ours=Ours(records, folder))

    def table(self, draws: int) -> dict[str, Any]:
        """Returns the pair's figures, with so many bootstrap draws of passages."""
        questions, resamples = self.questions, Resamples(self.questions.passage, draws)
        local, hosted = questions.reader.made, questions.remote.made
        return {
            "questions": len(questions),
            "draws": draws,
            "local": {"model": questions.reader.model, "f1": resamples.mean(local.f1)},
            "hosted": {"model": questions.remote.model, "f1": resamples.mean(hosted.f1)},
            "auroc": {name: resamples.of(_ranks(score, hosted.exact_match)) for name, score in self._scores().items()},
            "budgets": {f"{budget:g}": self._at(budget, resamples) for budget in BUDGETS},
            **self._over_calls(resamples),
        }

    def _scores(self) -> dict[str, Floats]:
        remote = self.questions.remote
        fitted = learned(remote, self.questions.article, "logistic")
        return {
            "learned: logistic": fitted,
            "backed": gate(self.questions, remote),
            "its own probability": least(remote),
        }

    def _at(self, budget: float, resamples: Resamples) -> dict[str, Any]:
        """Returns the figures of every rule at a budget; of the oracle's gain there as well."""
        rows = [*(crossfitted(rule, self.questions, budget) for rule in RULES), self._unsure(budget)]
        rows.append(self.ours.within(budget).named("ours (calls kept with 90 % confidence)"))
        best = oracle_router(self.questions, budget)
        gain = best.f1 - self.questions.reader.made.f1
        return {
            system.name: {
                **_figures(system, self, resamples),
                "share_of_gain": resamples.ratio(system.f1 - self.questions.reader.made.f1, gain),
            }
            for system in (*rows, best)
        }

    def _unsure(self, budget: float) -> System:
        """Returns ours with thresholds that keep the budget on the fitting questions, like those of the rivals."""
        return self.ours.calibrated("ours (calls kept when fitting)", remote_rate=budget, confidence=None)

    def _over_calls(self, resamples: Resamples) -> dict[str, Any]:
        """Returns ours at the fewest calls with the hosted F1, and at its best, both picked on these questions."""
        found = [self._unsure(budget) for budget in TRIED]
        own = self.questions.remote.made.f1.mean()
        enough = next((system for system in found if system.f1.mean() >= own), None)
        best = max(found, key=lambda system: system.f1.mean())
        return {
            "as_good": None if enough is None else _figures(enough, self, resamples),
            "best": _figures(best, self, resamples),
        }


def pairs_table(folder: Path, draws: int) -> dict[str, Any]:
    """Returns the figures of every pair whose records are in a folder."""
    with TemporaryDirectory() as place:
        whole = restored((folder / name for name in PAIRS.values()), Path(place))
        return {name: ModelPair.of(path).table(draws) for name, path in zip(PAIRS, whole, strict=True)}


def _figures(system: System, pair: ModelPair, resamples: Resamples) -> dict[str, Any]:
    return {
        "f1": resamples.mean(system.f1),
        "exact_match": resamples.mean(system.exact_match),
        "remote_rate": resamples.mean(system.called),
        "over_local": resamples.mean(system.f1 - pair.questions.reader.made.f1),
        "over_hosted": resamples.mean(system.f1 - pair.questions.remote.made.f1),
    }


def _ranks(score: Floats, exact: Floats) -> Any:
    return lambda rows: auroc(np.nan_to_num(score)[rows], exact[rows] > 0)
