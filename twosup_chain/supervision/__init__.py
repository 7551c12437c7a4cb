"""Learned supervisors: from signals to the probability that a prediction is right.

`fit_columns` fits a `LearnedModel` on plain arrays; `fit_supervisor` does the same from files of records and returns a
`LearnedScorer`, which a `Supervisor` takes like any other scorer. The families of models are in `logistic`, `boosted`
and `isotonic`; `default` loads the pair that the package ships; `reconcile` chooses between two answers and none.
Thresholds are the business of `calibration`.
"""

from twosup_chain.supervision.columns import cross_fit_columns, fit_columns
from twosup_chain.supervision.learned_model import LearnedModel

__all__ = ["LearnedModel", "cross_fit_columns", "fit_columns"]
