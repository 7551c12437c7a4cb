"""`Questions`: the records as columns, one entry a question, for the rivals and the tables; and the folds."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold

from twosup_chain.outcomes.features import read_features
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.reader.folder import CONFIG_FILE, PACKAGED_MODEL, ReaderConfig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from twosup_chain.outcomes.outcomes import Flags, Floats
    from twosup_chain.outcomes.predictions import PredictionColumns

    Rows = npt.NDArray[np.intp] | Flags

#: How many folds there are.
FOLDS = 5
#: By which scorer trust is recorded; the rules bring scores of their own.
TRUST = "backed"
#: The larger reader's name, and its folder: its package need not be installed, its model is not read.
BASE = "twosup-reader-base"
BASE_MODEL = Path(__file__).parents[2] / "companions" / "reader_base" / "twosup_chain_reader_base"


@dataclass(frozen=True, eq=False, kw_only=True)
class Asked:
    """What one model predicted for n questions.

    Args:
        made: The predictions.
        features: What is known of them, by name; NaN where something is missing.
        model: The model's name.
    """

    made: PredictionColumns
    features: dict[str, Floats]
    model: str

    def trusted(self, trust: Floats) -> PredictionColumns:
        """Returns the predictions with this trust in them."""
        return replace(self.made, trust=trust)


@dataclass(frozen=True, eq=False, kw_only=True)
class Questions:
    """All that the study knows of n questions.

    Args:
        source: The recording that each is from.
        article: Its article.
        passage: What stands for its passage.
        answerable: Whether it has an answer.
        span: The local reader's best span, whether or not it stands behind it.
        reader: The reader's own prediction: "no answer" where answerability is below its own threshold.
        remote: The hosted model's prediction; a reader's own one, where it is a reader.
        small: The small generative model's; ``None`` where it was not recorded.
    """

    source: npt.NDArray[np.str_]
    article: npt.NDArray[np.str_]
    passage: npt.NDArray[np.str_]
    answerable: Flags
    span: Asked
    reader: Asked
    remote: Asked
    small: Asked | None

    @classmethod
    def of(cls, path: Path, small: Path | None = None) -> Questions:
        """Returns the questions of a file of records, in the order of their digests, as `read_columns` has them.

        Args:
            path: The records of reader and hosted model.
            small: Those of the small generative model on the same questions.
        """
        found = read_features(path, "local")
        span = _asked(path, "local")
        return cls(
            source=np.array([name.split("/", 1)[0] for name in found.ids]),
            article=np.array([article_of(name) for name in found.ids]),
            passage=found.passages,
            answerable=found.answerable,
            span=span,
            reader=_own(span, found.answerable),
            remote=_own(_asked(path, "remote"), found.answerable),
            small=None if small is None else _asked(small, "local"),
        )

    def __len__(self) -> int:
        return len(self.answerable)

    @property
    def null(self) -> Floats:
        """What "no answer" is worth, as exact match and as F1: 1 where the question has none."""
        return (~self.answerable).astype(np.float64)

    def take(self, rows: Rows) -> Questions:
        """Returns the chosen questions."""
        return _taken(self, rows)


def article_of(id: str) -> str:
    """Returns the article of a record's question, which no two folds share."""
    return id.rpartition("/")[0]


def splits(articles: npt.NDArray[np.str_]) -> Iterator[tuple[Flags, Flags]]:
    """Yields for every fold the rows to fit on and the rows to predict: no article is on both sides."""
    for _, held in GroupKFold(FOLDS).split(articles, groups=articles):
        rows = np.zeros(len(articles), dtype=bool)
        rows[held] = True
        yield ~rows, rows


def _asked(path: Path, role: Literal["local", "remote"]) -> Asked:
    """Returns what one of the models predicted, in the order of the questions' digests."""
    columns = read_columns(path, local_scorer=TRUST, remote_scorer=TRUST, local_missing=0.0, remote_missing=0.0)
    found = read_features(path, role)
    return Asked(made=getattr(columns, role), features=found.columns, model=found.model or "")


def _own(span: Asked, answerable: Flags) -> Asked:
    """Returns what a reader says by itself; of another model nothing changes."""
    if "answerability" not in span.features:
        return span
    folder = BASE_MODEL if span.model.startswith(BASE) else PACKAGED_MODEL
    refused = span.features["answerability"] < ReaderConfig.read(folder / CONFIG_FILE).no_answer_below
    null = (~answerable).astype(np.float64)
    measures = {name: np.where(refused, null, getattr(span.made, name)) for name in ("exact_match", "f1")}
    features = span.features | {"no_answer": refused.astype(np.float64)}
    return replace(span, made=replace(span.made, no_answer=refused, **measures), features=features)


def _taken(columns: Any, rows: Rows) -> Any:
    if isinstance(columns, dict):
        return {name: column[rows] for name, column in columns.items()}
    if is_dataclass(columns):
        return type(columns)(**{field.name: _taken(getattr(columns, field.name), rows) for field in fields(columns)})
    return columns[rows] if isinstance(columns, np.ndarray) else columns
