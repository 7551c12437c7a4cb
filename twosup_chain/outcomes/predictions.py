"""`PredictionColumns`: what was predicted for many questions and how far it is trusted, as made or as weighed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from twosup_chain._options import shorten
from twosup_chain.errors import ConfigurationError
from twosup_chain.outcomes.outcomes import Choice, Choices, Flags, Floats

#: What counts as a right prediction: an exact match, or a token F1 of at least so much.
Correct = Literal["exact_match"] | tuple[Literal["f1"], float]


def in_words(rule: Correct) -> str:
    """Returns what counts as right, as calibrations and reports say it."""
    return "exact match" if rule == "exact_match" else f"token F1 ≥ {rule[1]:g}"


@dataclass(frozen=True, eq=False, kw_only=True)
class PredictionColumns:
    """Predictions after one model's call, one entry a question in every column, each of shape (n,).

    Trust and F1 are in [0, 1], an exact match is 1.0 or 0.0; tokens read and written and seconds of the call are NaN
    where the model does not tell. `chosen` is which prediction it is, by `Choice`: the model's own, or what outweighs
    it. Where the call `failed` there is no prediction: no trust, no match, no answer.
    """

    trust: Floats
    exact_match: Floats
    f1: Floats
    no_answer: Flags
    input_tokens: Floats
    output_tokens: Floats
    seconds: Floats
    chosen: Choices
    failed: Flags

    def correct(self, rule: Correct) -> Flags:
        """Returns which predictions are right, shape (n,)."""
        return right_by(rule, self.exact_match, self.f1)


def right_by(rule: Correct, exact_match: Floats, f1: Floats) -> Flags:
    """Returns which predictions with these measures are right, shape (n,)."""
    match rule:
        case "exact_match":
            return np.greater_equal(exact_match, 1.0)
        case ("f1", float() | int() as floor) if 0.0 < floor <= 1.0:
            return np.greater_equal(f1, floor)
    message = f"correct={shorten(rule)}: pass 'exact_match', or ('f1', floor) with a floor in (0, 1]"
    raise ConfigurationError(message)


def weigh(
    made: PredictionColumns, others: Mapping[str, Floats], *, local: PredictionColumns, answerable: Flags
) -> PredictionColumns:
    """Returns the likeliest predictions to be right: those that were made, or what outweighs them.

    It is what `Supervisor` does with one prediction: of equals, the one that was made is kept. `others` is the trust in
    what could be predicted instead, by the name of a `Choice`, each of shape (n,).
    """
    best = made
    for name, trust in others.items():
        choice = Choice[name.upper()]
        possible = ~(local if choice == Choice.LOCAL else made).no_answer & ~made.failed
        better = possible & (trust > best.trust)
        if choice == Choice.LOCAL:
            measures = {"exact_match": local.exact_match, "f1": local.f1}
        else:
            measures = dict.fromkeys(("exact_match", "f1"), np.where(answerable, 0.0, 1.0))
        best = replace(
            best,
            trust=np.where(better, trust, best.trust),
            no_answer=np.where(better, choice == Choice.UNANSWERABLE, best.no_answer),
            chosen=np.where(better, choice.value, best.chosen).astype(np.int8),
            **{field: np.where(better, column, getattr(best, field)) for field, column in measures.items()},
        )
    return best
