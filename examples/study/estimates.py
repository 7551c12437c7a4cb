"""What our learned supervisors estimate of each question, always by models fitted on other articles.

`LocalEstimates` are made from the local signals alone, before any call; `RemoteEstimates` from the signals of both
sides, once the hosted answer is there. Every estimate is a probability of being right from `fit_columns`, where right
is a token F1 of at least one half: the official F1 is what the rules are compared by, and a wrong word more or less is
no reason to say "no answer".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from study.folds import splits
from twosup_chain.errors import InputError
from twosup_chain.fitting.fit_columns import fit_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from study.columns import Columns, Flags, Floats

#: The models of the whole systems: before a call, fitted on many questions, and after it, where estimates are averaged.
FAMILY = "logistic"
AFTER = ("logistic", "boosted")
#: From this token F1 on a prediction is right for a supervisor, as in ``fit_scorer(…, correct=("f1", 0.5))``.
RIGHT_FROM = 0.5


def right(f1: Floats) -> Flags:
    """Returns which predictions are right for a supervisor, by their token F1."""
    return f1 >= RIGHT_FROM


@dataclass(frozen=True, eq=False, kw_only=True)
class Choice:
    """The best of several predictions by estimate, one entry a question.

    Args:
        exact: Its exact match.
        f1: Its token F1.
        trust: Its estimated probability of being right.
    """

    exact: Floats
    f1: Floats
    trust: Floats

    @property
    def right(self) -> Flags:
        """Whether it is right."""
        return right(self.f1)

    @classmethod
    def of(cls, options: list[tuple[Floats, Floats, Floats]]) -> Choice:
        """Returns the likeliest of the options, each (estimated probability, exact match, F1)."""
        trust, exact, f1 = (np.stack(columns) for columns in zip(*options, strict=True))
        best = trust.argmax(axis=0)[None]
        return cls(
            **{
                name: np.take_along_axis(column, best, axis=0)[0]
                for name, column in (("trust", trust), ("exact", exact), ("f1", f1))
            }
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Estimates:
    """The estimates, one entry a question.

    Args:
        before: The likelier of the reader's best span and "no answer", from the local signals.
        after: The likeliest of the reader's best span, the hosted answer and "no answer", from all signals.
        gain: By how much asking raises the probability of being right, estimated from the local signals alone.
    """

    before: Choice
    after: Choice
    gain: Floats


class Supervisors:
    """Our learned supervisors, fitted on some questions.

    Args:
        train: The questions to fit on.
        read: Questions that the reader alone was asked. Those of the articles of `train` are what the estimates before
            a call are fitted on: they need no hosted answer, so there may be many more of them.
    """

    def __init__(self, train: Columns, read: Columns | None = None) -> None:
        self._read = read
        self._base = _Base(train, read)
        self.train = Estimates(**self._out_of_fold(train))
        self._asked = _fit(train.local_signals, self.train.after.right, train)

    def before(self, columns: Columns) -> Choice:
        """Returns the choice before any call for questions that were not fitted on; no hosted answer is needed."""
        return self._base.before(columns)

    def estimates(self, columns: Columns) -> Estimates:
        """Returns the estimates for questions that were not fitted on."""
        before, after = self._base.before(columns), self._base.after(columns)
        gain = self._asked(columns.local_signals) - before.trust
        return Estimates(before=before, after=after, gain=gain)

    def _out_of_fold(self, train: Columns) -> dict[str, Choice | Floats]:
        """Returns the estimates of the fitting questions themselves, each from the other folds' articles."""
        parts = []
        for rest, held in splits(train.article):
            base = _Base(train.take(rest), self._read)
            parts.append((held, base.before(train.take(held)), base.after(train.take(held))))
        before, after = (_joined([(p[0], p[k]) for p in parts], len(train)) for k in (1, 2))
        asked = np.empty(len(train))
        for rest, held in splits(train.article):
            some = train.take(rest)
            asked[held] = _fit(some.local_signals, after.right[rest], some)(train.take(held).local_signals)
        return {"before": before, "after": after, "gain": asked - before.trust}


class _Base:
    """The five models that estimate which prediction is right."""

    def __init__(self, train: Columns, read: Columns | None) -> None:
        local = train if read is None else read.take(np.isin(read.article, train.article))
        self._null_before, self._span_before = (
            _fit(local.local_signals, is_right, local) for is_right in (local.null > 0, right(local.span.f1))
        )
        self._null_after, self._span_after, self._remote = (
            _fit(train.remote_signals, is_right, train, AFTER)
            for is_right in (train.null > 0, right(train.span.f1), right(train.remote.f1))
        )

    def before(self, columns: Columns) -> Choice:
        signals, span = columns.local_signals, columns.span
        return Choice.of(
            [
                (self._null_before(signals), columns.null, columns.null),
                (self._span_before(signals), span.exact, span.f1),
            ]
        )

    def after(self, columns: Columns) -> Choice:
        signals, span, remote = columns.remote_signals, columns.span, columns.remote
        return Choice.of(
            [
                (self._null_after(signals), columns.null, columns.null),
                (self._remote(signals), remote.exact, remote.f1),
                (self._span_after(signals), span.exact, span.f1),
            ]
        )


def _fit(
    signals: dict[str, Floats], right: Flags, train: Columns, families: tuple[str, ...] = (FAMILY,)
) -> Callable[[dict[str, Floats]], Floats]:
    """Returns the mean of fitted supervisors' probabilities; the mere rate, where too few are right or wrong."""
    try:
        models = [fit_columns(signals, right, groups=train.article, model=family) for family in families]
    except InputError:
        rate = (right.sum() + 1.0) / (len(right) + 2.0)
        return lambda columns: np.full(len(next(iter(columns.values()))), rate)
    return lambda columns: np.mean([model.predict(columns) for model in models], axis=0)


def _joined(parts: list[tuple[Flags, Choice]], count: int) -> Choice:
    columns = {name: np.empty(count) for name in ("exact", "f1", "trust")}
    for held, piece in parts:
        for name, column in columns.items():
            column[held] = getattr(piece, name)
    return Choice(**columns)
