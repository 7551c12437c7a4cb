"""How good an extractive reader is on labelled questions: the official SQuAD v2 measures, and what its trust is worth.

Nothing is chosen here: threshold and calibration are the reader's own.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from twosup_chain import curves
from twosup_chain._atomic import write_folder
from twosup_chain.curves import Interval, RiskCoverageCurve
from twosup_chain.errors import InputError
from twosup_chain.reader.reader import ExtractiveReader
from twosup_chain.schema import Answer
from twosup_chain.text.questions import LabelledQuestion, load_questions
from twosup_chain.text.squad import exact_match, f1

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: The files that `ReaderEvaluation.save` writes: predictions and no-answer probabilities as SQuAD v2's official script
#: reads them, and every figure.
PREDICTIONS, NO_ANSWER, FIGURES = "predictions.json", "na_prob.json", "figures.json"

#: The figures by their names, in the order in which they are shown; the official script's own where it has them.
NAMES = {
    "exact": "exact match",
    "f1": "F1",
    "HasAns_exact": "exact match, answerable",
    "HasAns_f1": "F1, answerable",
    "NoAns_exact": "exact match, unanswerable",
    "NoAns_f1": "F1, unanswerable",
    "forced_exact": "exact match, answerable, an answer forced",
    "forced_f1": "F1, answerable, an answer forced",
    "auroc": "AUROC of answerability",
    "ece": "expected calibration error of answerability",
    "aurc": "area under the risk–coverage curve",
}
_READ_AT_ONCE = 32
#: Resamples of the bootstrap over questions; a fifth of them where there are many questions.
_DRAWS, _MANY = 1000, 20_000


@dataclass(frozen=True, eq=False, kw_only=True)
class ReaderEvaluation:
    """What a reader made of n labelled questions, one entry a question in every column."""

    model: str
    ids: tuple[str, ...]
    predictions: tuple[str | None, ...]  # None is "no answer"
    answerable: Flags
    answerability: Floats  # in [0, 1], shape (n,) as all columns
    exact: Floats  # of the prediction, 0 or 1
    f1: Floats
    forced_exact: Floats  # of the best span, whether or not the reader stands behind it
    forced_f1: Floats
    refused: int  # questions that the reader could not read; they count as "no answer", with an answerability of 0
    seconds: float  # wall time

    @classmethod
    def of(
        cls, examples: Sequence[LabelledQuestion], answers: Sequence[Answer | Exception], *, seconds: float = 0.0
    ) -> Self:
        """Returns the evaluation of a reader's answers, one a question."""
        refused = Answer(None, scores={"answerability": 0.0})
        read = [answer if isinstance(answer, Answer) else refused for answer in answers]
        best = [answer.candidates[0].text if answer.candidates else None for answer in read]
        pairs = [
            (answer.text, span, example.answers) for answer, span, example in zip(read, best, examples, strict=True)
        ]
        return cls(
            model=next((answer.model for answer in read if answer.model), ""),
            ids=tuple(example.id for example in examples),
            predictions=tuple(answer.text for answer in read),
            answerable=np.array([not example.is_impossible for example in examples], dtype=bool),
            answerability=np.array([answer.scores["answerability"] for answer in read], dtype=np.float64),
            exact=np.array([exact_match(text, golds) for text, _, golds in pairs], dtype=np.float64),
            f1=np.array([f1(text, golds) for text, _, golds in pairs], dtype=np.float64),
            forced_exact=np.array([exact_match(span, golds) for _, span, golds in pairs], dtype=np.float64),
            forced_f1=np.array([f1(span, golds) for _, span, golds in pairs], dtype=np.float64),
            refused=sum(not isinstance(answer, Answer) for answer in answers),
            seconds=seconds,
        )

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def figures(self) -> dict[str, Interval]:
        """Each figure of `NAMES`, in [0, 1], with its 95 % bootstrap interval; NaN where a class is missing."""
        draws = _DRAWS if len(self) <= _MANY else _DRAWS // 5
        columns = (self.answerability, self.answerable, self.exact, self.f1, self.forced_exact, self.forced_f1)
        found = curves.bootstrap(_values, *columns, draws=draws)
        return {name: curves.Interval(*map(float, ends)) for name, ends in zip(NAMES, np.transpose(found), strict=True)}

    def risk_coverage(self, steps: int = 1000) -> RiskCoverageCurve:
        """Returns what abstaining brings: the best span is given where answerability is highest, and nothing elsewhere.

        Risk is the share of given spans that are no exact match; every span is wrong on an unanswerable question.
        """
        return curves.risk_coverage(self.answerability, self.right_if_given, steps=steps)

    def as_dict(self) -> dict[str, Any]:
        """Returns all figures as plain values, ready for JSON; ``None`` where a figure does not exist."""
        curve = self.risk_coverage(steps=20)
        return {
            "model": self.model,
            "questions": len(self),
            "answerable": int(self.answerable.sum()),
            "refused": self.refused,
            "seconds": round(self.seconds, 3),
            "figures": {
                name: {part: None if np.isnan(value) else value for part, value in interval._asdict().items()}
                for name, interval in self.figures.items()
            },
            "risk_coverage": [
                {"coverage": coverage, "answerability": threshold, "risk": risk}
                for coverage, threshold, risk in zip(
                    curve.coverage.tolist(), self.thresholds(curve.coverage).tolist(), curve.risk.tolist(), strict=True
                )
            ],
        }

    def thresholds(self, coverage: npt.ArrayLike) -> Floats:
        """Returns the least answerability among the questions that are answered at each coverage."""
        descending = np.sort(self.answerability)[::-1]
        last = np.maximum(np.rint(np.multiply(coverage, len(self))).astype(int), 1) - 1
        found: Floats = descending[last]
        return found

    def save(self, folder: str | Path) -> None:
        """Writes predictions and figures into a folder, which is made if it is not there."""
        documents = {
            PREDICTIONS: {name: text or "" for name, text in zip(self.ids, self.predictions, strict=True)},
            NO_ANSWER: dict(zip(self.ids, (1.0 - self.answerability).tolist(), strict=True)),
            FIGURES: self.as_dict(),
        }
        texts = {name: json.dumps(document, indent=1, allow_nan=False) + "\n" for name, document in documents.items()}
        write_folder(folder, texts)

    @property
    def right_if_given(self) -> Floats:
        """1 where the best span would be right, 0 where it would be wrong, shape (n,)."""
        return self.forced_exact * self.answerable


def evaluate_reader(
    reader: ExtractiveReader,
    questions: str | Path | Iterable[LabelledQuestion],
    *,
    progress: Callable[[int, int], object] = lambda _done, _all: None,
) -> ReaderEvaluation:
    """Returns what a reader makes of labelled questions: a file in SQuAD format or of JSON lines, or the questions.

    `progress` is told how many questions are read, and how many there are.
    """
    examples = load_questions(questions)
    if not examples:
        raise InputError("there is no question")
    answers: list[Answer | Exception] = []
    began = time.perf_counter()
    for at in range(0, len(examples), _READ_AT_ONCE):
        progress(at, len(examples))
        answers += reader.answer_many([example.as_input() for example in examples[at : at + _READ_AT_ONCE]])
    progress(len(examples), len(examples))
    return ReaderEvaluation.of(examples, answers, seconds=time.perf_counter() - began)


def _values(
    answerability: Floats, answerable: Flags, exact: Floats, f1: Floats, forced_exact: Floats, forced_f1: Floats
) -> Floats:
    """Returns the figures of `NAMES`, in its order."""
    by_class = [column[rows] for rows in (answerable, ~answerable) for column in (exact, f1)]
    means = [exact, f1, *by_class, forced_exact[answerable], forced_f1[answerable]]
    trust = [curves.auroc(answerability, answerable), curves.calibration_error(answerability, answerable)]
    risk = curves.aurc(answerability, forced_exact * answerable)
    return np.array([*(some.mean() if len(some) else np.nan for some in means), *trust, risk])
