"""What a reader's calibration should read of the evidence: log loss and calibration error, cross-fitted over passages.

    python tests/benchmarks/answerability_features.py READER RUN/held_out.json

``READER`` is a folder of ``twosup export-reader``, ``RUN`` one of ``twosup train-reader``. Answerable and unanswerable
questions count alike, as in the calibration itself.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from twosup_chain import ExtractiveReader
from twosup_chain.curves import auroc
from twosup_chain.reader.folder import answerability, calibration_features
from twosup_chain.text.questions import load_questions
from twosup_chain.training.calibration import fit_answerability

SETS = (
    ("answer_log_odds",),
    ("answer_log_odds", "null_margin"),
    ("answer_log_odds", "window_span_probability"),
    ("answer_log_odds", "entropy"),
    ("answer_log_odds", "runner_up_margin"),
)
FOLDS, BINS, DIVISIONS = 10, 15, 3


def main(reader: Annotated[Path, typer.Argument()], held_out: Annotated[Path, typer.Argument()]) -> None:
    """Prints a line for every set of features and division of the passages into folds."""
    examples = load_questions(held_out)
    answers = ExtractiveReader(model=reader).answer_many([example.as_input() for example in examples])
    evidence = [calibration_features(answer.scores) for answer in answers]
    labels = np.array([not example.is_impossible for example in examples])
    weight = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    for division in range(DIVISIONS):
        rng = random.Random(division)  # noqa: S311  a division, not a secret
        fold_of = {context: rng.randrange(FOLDS) for context in sorted({example.context for example in examples})}
        folds = np.array([fold_of[example.context] for example in examples])
        for features in SETS:
            found = _cross_fitted(evidence, labels, folds, features)
            loss = -weight @ np.log(np.where(labels, found, 1.0 - found))
            typer.echo(
                f"n = {len(labels)}, division {division}, {' + '.join(features)}: AUROC {auroc(found, labels):.4f}, "
                f"log loss {loss:.4f}, calibration error {_error(found, labels, weight):.4f}"
            )


def _cross_fitted(evidence, labels, folds, features):
    found = np.empty(len(labels))
    for fold in range(FOLDS):
        (rest,), (held,) = np.nonzero(folds != fold), np.nonzero(folds == fold)
        model = fit_answerability([evidence[k] for k in rest], labels[rest].tolist(), features)
        found[held] = [answerability(model, evidence[k]) for k in held]
    return found


def _error(probability, labels, weight):
    """The mean gap between probability and frequency over bins of equal weight."""
    order = np.argsort(probability, kind="stable")
    gaps = weight[order] * (probability[order] - labels[order])
    bins = np.minimum((np.cumsum(weight[order]) * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(bins, gaps, minlength=BINS)).sum())


if __name__ == "__main__":
    typer.run(main)
