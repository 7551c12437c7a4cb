"""`Ladder`: models in order of price, one gate with one threshold; where none passes, the best attempt is served.

As firstpass has it (docs.rs/firstpass-core, `ltt`): the scores of attempts are tried as thresholds, the strictest
first; each is certified while the exact-binomial p-value of its served failures, P(Bin(served, limit) ≤ failures), is
at most 1 − confidence, and the last one before the first that is not is taken (Learn then Test, arXiv 2110.01052). The
gate is `backed`, which judges both models' attempts on one scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom

from study.ours import CONFIDENCE, CORRECT
from study.system import System

if TYPE_CHECKING:
    from collections.abc import Callable

    from study.questions import Asked, Questions
    from twosup_chain.outcomes.outcomes import Flags, Floats

#: Thresholds that serve fewer attempts are passed over: its own constant.
FEWEST = 30
#: The limits on the risk that are tried, the strictest first, until the calls keep the budget.
LIMITS = np.arange(0.02, 0.99, 0.02)


@dataclass(frozen=True)
class Ladder:
    """The ladder, with the strictest limit on the risk of what passes whose calls keep the budget."""

    name: str = "plain ladder, one gate (as firstpass)"

    def fitted(self, train: Questions, budget: float) -> Callable[[Questions], System]:
        """Returns the ladder with its threshold."""
        local, remote = gate(train, train.reader), gate(train, train.remote)
        score = np.concatenate([local, remote])
        failed = np.concatenate([train.reader.made.f1, train.remote.made.f1]) < CORRECT[1]
        certificates = (certified(score, failed, limit) for limit in LIMITS)
        threshold = next((least for least in certificates if (local < least).mean() <= budget), 0.0)
        return lambda questions: self._system(questions, threshold)

    def _system(self, questions: Questions, threshold: float) -> System:
        local, remote = gate(questions, questions.reader), gate(questions, questions.remote)
        called = local < threshold
        better = called & (remote > local)  # a hosted attempt that passes is better than a local one that does not
        mine, theirs = questions.reader.made, questions.remote.made
        exact, f1 = (np.where(better, getattr(theirs, name), getattr(mine, name)) for name in ("exact_match", "f1"))
        return System(
            name=self.name,
            called=called.astype(np.float64),
            exact_match=exact,
            f1=f1,
            answered=np.ones(len(questions), dtype=bool),
            trust=np.where(better, remote, local),
            right=exact,
        )


def gate(questions: Questions, asked: Asked) -> Floats:
    """Returns how far the local reading backs each prediction, in [0, 1]."""
    unanswerable = 1.0 - questions.span.features["answerability"]
    return np.where(asked.made.no_answer, unanswerable, asked.made.trust)


def certified(score: Floats, failed: Flags, limit: float) -> float:
    """Returns the least threshold that is certified to serve at most a share `limit` of failures; else infinity."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True) & (np.arange(len(score)) + 1 >= FEWEST))
    passes = binom.cdf(np.cumsum(failed[order])[last], last + 1, limit) <= 1.0 - CONFIDENCE
    count = len(passes) if passes.all() else int(np.argmin(passes))
    return float(ordered[last[count - 1]]) if count else np.inf
