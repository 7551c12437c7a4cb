"""`Deferral`: learning to defer for extractive question answering (Montreuil et al., arXiv 2410.15761).

A rejector chooses who answers, before anybody hosted is asked. It minimises the paper's surrogate, a log loss of the
choice of each agent weighted by the others' costs, whose minimiser is the agent with the least expected cost; an
agent's cost is 1 where it is not exactly right, plus β where it is the hosted one. The paper's rejector is a small
encoder of question and passage. Here it is a logistic model of what the local reading says and of the wording, which
tells it more: the reading is there anyway. β is the least one whose calls keep the budget on the fitting questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from study.system import System

if TYPE_CHECKING:
    from collections.abc import Callable

    from sklearn.pipeline import Pipeline

    from study.questions import Questions
    from twosup_chain.outcomes.outcomes import Floats

#: The costs of asking that are tried.
COSTS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class Deferral:
    """The rejector, between the local and the hosted model."""

    name: str = "learning to defer (2410.15761)"

    def fitted(self, train: Questions, budget: float) -> Callable[[Questions], System]:
        """Returns the rejector with the least cost of asking that keeps the budget."""
        for cost in COSTS:
            rejector = _rejector(train, cost)
            if (_keeping(rejector, train) < 0.5).mean() <= budget:  # noqa: PLR2004  the likelier agent
                break
        return lambda questions: System.of(
            self.name,
            questions.answerable,
            questions.reader.trusted(_keeping(rejector, questions)),
            questions.remote.trusted(np.ones(len(questions))),
            (0.5, 0.0),
        )


def _rejector(train: Questions, cost: float) -> Pipeline:
    design, n = _design(train), len(train)
    keep, ask = 1.0 - train.reader.made.exact_match, 1.0 - train.remote.made.exact_match + cost
    model = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), LogisticRegression(max_iter=1000))
    both, choice = np.concatenate([design, design]), np.repeat([1.0, 0.0], n)
    model.fit(both, choice, logisticregression__sample_weight=np.concatenate([ask, keep]))
    return model


def _keeping(rejector: Pipeline, questions: Questions) -> Floats:
    """Returns the rejector's probability of the local model."""
    probability: Floats = rejector.predict_proba(_design(questions))[:, 1]
    return probability


def _design(questions: Questions) -> Floats:
    return np.column_stack([questions.span.features[name] for name in sorted(questions.span.features)])
