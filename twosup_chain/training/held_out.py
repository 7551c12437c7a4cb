"""How good a reader in training is: its best spans and null margins on held-out questions, and the figures from them.

Figures are in [0, 1]. Calibration and the shipped reader's own figures are measured elsewhere, on the exported model.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from twosup_chain.curves import auroc
from twosup_chain.text.squad import exact_match
from twosup_chain.text.squad import f1 as squad_f1
from twosup_chain.training.data import TrainingExample
from twosup_chain.training.features import Batch, Window, collate

Logits = Callable[[Batch], tuple[NDArray[np.float32], NDArray[np.float32]]]

#: Longest answer, in tokens.
MAX_ANSWER_TOKENS = 30


@dataclass(frozen=True)
class Prediction:
    """The best span of a question and its margin over the null span, in logits (start plus end)."""

    text: str
    margin: float


@dataclass(frozen=True)
class Figures:
    """What the held-out questions say of a reader."""

    questions: int
    answerable: int
    exact: float  # of the best span on the answerable questions ("forced": without the null span)
    f1: float  # likewise
    auroc: float  # how well the null margin tells answerable from unanswerable questions
    official_f1: float  # SQuAD v2's at the best null threshold (an upper bound: chosen on the same questions)
    threshold: float  # that one, on the null margin
    balanced_f1: float  # likewise, with answerable and unanswerable questions counting half each

    def as_dict(self) -> dict[str, float]:
        """Returns the figures by name, rounded to four digits."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def predict(
    examples: Sequence[TrainingExample], windows: Sequence[Window], logits: Logits, *, batch_size: int = 64
) -> list[Prediction]:
    """Returns the best span of each example over all its windows, which come in any order."""
    best = [Prediction("", -np.inf) for _ in examples]
    ordered = sorted(windows, key=len)
    for first in range(0, len(ordered), batch_size):
        some = ordered[first : first + batch_size]
        starts, ends = logits(collate(some))
        for window, start, end in zip(some, starts, ends, strict=True):
            found = _best_span(window, start, end, examples[window.example].context)
            if found.margin > best[window.example].margin:
                best[window.example] = found
    return best


def figures(examples: Sequence[TrainingExample], predictions: Sequence[Prediction]) -> Figures:
    """Returns the figures of predictions, one an example; at least one example is answerable and one is not."""
    answerable = np.array([example.answerable for example in examples])
    margins = np.array([prediction.margin for prediction in predictions], np.float64)
    pairs = [
        (prediction.text, [text for text, _ in example.answers])
        for example, prediction in zip(examples, predictions, strict=True)
        if example.answerable
    ]
    f1 = np.zeros(len(examples))
    f1[answerable] = [squad_f1(text, answers) for text, answers in pairs]
    exact = float(np.mean([exact_match(text, answers) for text, answers in pairs]))
    official, threshold = _best_official(margins, answerable, f1, np.ones(len(examples)))
    balance = np.where(answerable, 1 / answerable.sum(), 1 / max(1, (~answerable).sum()))
    balanced, _ = _best_official(margins, answerable, f1, balance)
    return Figures(
        questions=len(examples),
        answerable=int(answerable.sum()),
        exact=exact,
        f1=float(f1[answerable].mean()),
        auroc=auroc(np.maximum(margins, np.finfo(np.float64).min), answerable),  # no window: a margin of -inf
        official_f1=official,
        threshold=threshold,
        balanced_f1=balanced,
    )


def _best_span(window: Window, start: NDArray[np.float32], end: NDArray[np.float32], context: str) -> Prediction:
    inside = slice(window.passage, len(window) - 1)
    scores = start[inside, None] + end[None, inside]
    if not scores.size:
        return Prediction("", -np.inf)
    scores = np.where(np.triu(np.tril(np.ones_like(scores, dtype=bool), MAX_ANSWER_TOKENS - 1)), scores, -np.inf)
    first, last = np.unravel_index(int(scores.argmax()), scores.shape)
    text = context[window.offsets[first, 0] : window.offsets[last, 1]]
    return Prediction(text, float(scores[first, last] - start[0] - end[0]))


def _best_official(
    margins: NDArray[np.float64], answerable: NDArray[np.bool_], f1: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Returns the best weighted mean of F1 (1 for a rightly withheld answer) over all thresholds, and the threshold."""
    order = np.argsort(-margins, kind="stable")
    gain = np.where(answerable, f1, -1.0)[order] * weights[order]
    totals = np.concatenate([[0.0], np.cumsum(gain)]) + (weights * ~answerable).sum()
    distinct = np.concatenate([[True], margins[order][1:] != margins[order][:-1], [True]])
    totals = np.where(distinct, totals, -np.inf)
    best = int(totals.argmax())
    threshold = margins[order][best - 1] if best else np.inf
    return float(totals[best] / weights.sum()), float(threshold)
