"""Scoring: how far a prediction can be trusted, in [0, 1].

`registry` holds the scorers by name, each a record (`scorer`) in the file of its kind. `features` gathers what is known
of a prediction as named numbers, which its siblings find: what the tokens say in `tokens`, what the local reading
says in `reading`, what question and passage say in `wording`. `learned` turns them into the probability of being right
(`logistic`, `boosted`, `isotonic`); how such a scorer is fitted is the business of `fitting`.
"""
