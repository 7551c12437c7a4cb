"""`fit_scorer`: files of records in, a learned scorer out. The fit itself is in `fit_columns`."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from twosup_chain._options import shorten
from twosup_chain._sketch import sketch
from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.fitting.fit_columns import fit_columns
from twosup_chain.outcomes.features import read_features
from twosup_chain.outcomes.outcomes import Flags
from twosup_chain.outcomes.predictions import Correct, right_by
from twosup_chain.records.lines import Paths
from twosup_chain.scoring.learned import LearnedScorer
from twosup_chain.scoring.learned_model import Family, LearnedModel

#: A claim that is true, or untrue, of fewer questions is not fitted beside the main one.
_FEWEST_OTHERS = 30


def fit_scorer(  # noqa: PLR0913 (options are all by keyword)
    records: Paths,
    *,
    role: Literal["local", "remote"],
    features: Sequence[str] | None = None,
    model: Family = "logistic",
    groups: Mapping[str, str] | None = None,
    correct: Correct = "exact_match",
    folds: int = 5,
    seed: int = 0,
    fitted_on: str | None = None,
) -> LearnedScorer:
    """Returns a scorer that gives the probability that a prediction is right, fitted on recorded questions.

    It is fitted to weigh other predictions as well: that the question has no answer, and, for hosted predictions, that
    the local one is right (`LearnedScorer.others`), where the records hold enough of both cases.

    Give it to a supervisor, ``Supervisor(scorer, threshold=…)``, or calibrate thresholds for it on other records,
    ``calibrate(others, remote_scorer=scorer, …)``: those that it was fitted on flatter it, and are refused.

    Args:
        records: A file of records that `collect` has written, or several.
        role: Whose predictions it is to judge: ``"local"`` or ``"remote"``.
        features: Which features to use (see `scoring.features`); by default all that were recorded and are not the same
            for every question. ``"isotonic"`` takes one.
        model: ``"logistic"`` (regularised; a missing feature counts as its mean and has a weight for being missing),
            ``"boosted"`` (small trees; a missing feature counts as lower than every number) or ``"isotonic"`` (a
            monotone curve of one feature).
        groups: By question id, what a question belongs to (its article, say); questions of one group are never on both
            sides of a fold. By default questions on the same context belong together.
        correct: What counts as right: ``"exact_match"``, the official rule, or ``("f1", floor)``.
        folds: Into how many parts the groups are divided.
        seed: The seed of the division and of the trees.
        fitted_on: What these questions are, in words; it stands in the file. By default their number and the model.

    Raises:
        RecordsError: The records cannot be read, or were recorded without features.
        InputError: There are too few right or wrong predictions, or a question belongs to no group.
        UnknownOptionError: A feature or the model does not exist.
        ConfigurationError: An option is out of range.
    """
    if role not in ("local", "remote"):
        message = f"role={shorten(role)}: pass 'local' or 'remote', whose predictions the supervisor judges"
        raise ConfigurationError(message)
    found = read_features(records, role)
    belongs = found.passages
    if groups is not None:
        if lost := [name for name in found.ids.tolist() if name not in groups]:
            raise InputError(
                f"groups says nothing of the question {shorten(lost[0])} and {len(lost) - 1} others: name them all"
            )
        belongs = np.array([str(groups[name]) for name in found.ids.tolist()], dtype=np.str_)

    def fit(claim: Flags, target: str, rows: Flags) -> LearnedModel:
        return fit_columns(
            {name: column[rows] for name, column in found.columns.items()},
            claim[rows],
            groups=belongs[rows],
            features=features,
            model=model,
            folds=folds,
            seed=seed,
            fitted_on=fitted_on or f"{len(found):,} recorded predictions of {found.model or f'a {role} model'}",
            role=role,
            target=target,
        )

    every = np.ones(len(found), dtype=bool)
    main = fit(right_by(correct, found.exact_match, found.f1), "right", every)
    claims = {"unanswerable": (~found.answerable, every)}
    if role == "remote":
        local_right = right_by(correct, found.other_exact_match, found.other_f1)
        claims["local"] = local_right, ~np.isnan(found.other_exact_match)
    others = {
        name: fit(claim, name, rows)
        for name, (claim, rows) in claims.items()
        if model != "isotonic"  # one feature cannot tell of another prediction
        and min(claim[rows].sum(), (~claim[rows]).sum()) >= _FEWEST_OTHERS
    }
    return LearnedScorer(main, others, questions=sketch(found.digests))


def fit_supervisor(records: Paths, *, place: str | None = None, **options: Any) -> LearnedScorer:
    """Returns what `fit_scorer` does, of which this is the former name; `place` is its `role`."""
    return fit_scorer(records, **(options if place is None else {"role": place, **options}))
