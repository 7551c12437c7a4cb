"""Fitting learned scorers: from features to the probability that a prediction is right.

`fit_columns` fits a `LearnedModel` on plain arrays; `fit_scorer` does the same from files of records and returns a
`LearnedScorer`, which a `Supervisor` takes like any other scorer. Each family is fitted in a file of its own;
what is left out of a fit is in `folds`. Thresholds are the business of `calibration`.
"""
