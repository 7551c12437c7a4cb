"""`Columns`: the compact data as arrays, one entry a question, so that every rule works on the same records."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from twosup_chain.errors import MissingEvidenceError
from twosup_chain.schema import Answer, QAInput
from twosup_chain.scoring import token_probability as scorers
from twosup_chain.scoring.tokens import content_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from study.questions import Prediction, Question
    from twosup_chain.scoring.scorer import ScoreFunction

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

_NOTHING = QAInput(question="?")
#: What the scorers that read token log-probabilities say of an answer without content tokens: nothing to trust.
_NO_TOKENS = 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictions:
    """One model's predictions, shape (n,) each; NaN where the model was not asked.

    Args:
        exact: Official exact match, 0 or 1.
        f1: Official token F1.
        no_answer: Whether it predicts "no answer".
        input_tokens: Tokens read.
        output_tokens: Tokens written.
        seconds: Seconds when it was recorded.
        least: The least probability of a content token: the paper's remote score.
        mean: The geometric mean of the content tokens' probabilities.
        margin: The mean difference of the likeliest two probabilities over the content tokens.
    """

    exact: Floats
    f1: Floats
    no_answer: Flags
    input_tokens: Floats
    output_tokens: Floats
    seconds: Floats
    least: Floats
    mean: Floats
    margin: Floats

    @classmethod
    def of(cls, predictions: Sequence[Prediction | None]) -> Predictions:
        """Returns the columns of these predictions."""
        rows = [_numbers(prediction) for prediction in predictions]
        columns = np.array(rows, dtype=np.float64).reshape(len(rows), 9).T
        names = ("exact", "f1", "no_answer", "input_tokens", "output_tokens", "seconds", "least", "mean", "margin")
        found = dict(zip(names, columns, strict=True))
        return cls(**{**found, "no_answer": found["no_answer"] == 1.0})

    def take(self, chosen: Indices | Flags) -> Predictions:
        """Returns the chosen questions."""
        return Predictions(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


@dataclass(frozen=True, eq=False, kw_only=True)
class Columns:
    """All that the study knows of n questions.

    Args:
        source: The data set of each question.
        article: Its article.
        paragraph: Its passage.
        answerable: Whether it has an answer.
        reader: The packaged reader's predictions.
        span: The reader's best spans, whether or not it stands behind them.
        small: The small generative model's predictions.
        remote: The hosted model's predictions.
        local_signals: The signals of the reader's predictions by name; NaN where one is missing.
        remote_signals: The signals of the hosted predictions by name.
        signal_seconds: CPU seconds of the local and of the remote signals, shape (n, 2).
    """

    source: npt.NDArray[np.str_]
    article: npt.NDArray[np.str_]
    paragraph: npt.NDArray[np.str_]
    answerable: Flags
    reader: Predictions
    span: Predictions
    small: Predictions
    remote: Predictions
    local_signals: dict[str, Floats]
    remote_signals: dict[str, Floats]
    signal_seconds: Floats

    @classmethod
    def of(cls, questions: Sequence[Question]) -> Columns:
        """Returns the columns of these questions."""
        seconds = [(*q.signal_seconds, math.nan, math.nan)[:2] for q in questions]
        return cls(
            source=np.array([q.source for q in questions]),
            article=np.array([q.article for q in questions]),
            paragraph=np.array([f"{q.source}/{q.paragraph}" for q in questions]),
            answerable=np.array([q.answerable for q in questions], dtype=bool),
            reader=Predictions.of([q.reader for q in questions]),
            span=Predictions.of([q.span for q in questions]),
            small=Predictions.of([q.small for q in questions]),
            remote=Predictions.of([q.remote for q in questions]),
            local_signals=_table([q.local_signals for q in questions]),
            remote_signals=_table([q.all_remote_signals for q in questions]),
            signal_seconds=np.array(seconds, dtype=np.float64).reshape(-1, 2),
        )

    def __len__(self) -> int:
        return len(self.answerable)

    @property
    def null(self) -> Floats:
        """What "no answer" is worth, as exact match and as F1: 1 where the question has none."""
        return (~self.answerable).astype(np.float64)

    def take(self, chosen: Indices | Flags) -> Columns:
        """Returns the chosen questions."""
        return Columns(**{field.name: _taken(getattr(self, field.name), chosen) for field in fields(self)})


def _taken(column: object, chosen: Indices | Flags) -> object:
    if isinstance(column, dict):
        return {name: values[chosen] for name, values in column.items()}
    return column.take(chosen) if isinstance(column, Predictions) else column[chosen]


def _table(rows: Sequence[dict[str, float]]) -> dict[str, Floats]:
    names = sorted({name for row in rows for name in row})
    return {name: np.array([row.get(name, math.nan) for row in rows]) for name in names}


def _numbers(prediction: Prediction | None) -> tuple[float, ...]:
    if prediction is None:
        return (math.nan,) * 9
    tokens = prediction.tokens
    written = [(t.token, t.logprob, (("first", t.first), ("second", t.second))) for t in tokens]
    answer = Answer(prediction.text, token_logprobs=written or None)
    margins = [t.top[0][1] - t.top[1][1] for t in content_tokens(answer.token_logprobs or ())]
    return (
        prediction.exact,
        prediction.f1,
        float(prediction.text is None),
        math.nan if prediction.input_tokens is None else prediction.input_tokens,
        math.nan if prediction.output_tokens is None else prediction.output_tokens,
        math.nan if prediction.seconds is None else prediction.seconds,
        _scored(scorers.min_token_probability, answer),
        _scored(scorers.mean_token_probability, answer),
        float(np.mean(margins)) if margins else _NO_TOKENS,
    )


def _scored(scorer: ScoreFunction, answer: Answer) -> float:
    try:
        return scorer(_NOTHING, answer)
    except MissingEvidenceError:
        return _NO_TOKENS
