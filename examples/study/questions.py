"""`Question`: what three models predicted for one labelled question, as a line of the compact data.

The lines carry ids, answers, log-probabilities, scores, measures, tokens and seconds, and no passage or question. How
they are made is in `compact`, how they are read as arrays in `columns`.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: Signals of a hosted prediction that are those of the question, or of the local prediction, by how they begin.
_LOCAL, _SHARED = "local_", ("question_", "passage_", "asks_")
#: Signals of words, which the hosted prediction has of its own.
_WORDING = (*_SHARED, "answer_", "near_", "sentence_", "negation_", "in_context")
#: A number to four significant digits, which is more than any figure of the study shows.
Rounded = Annotated[float, AfterValidator(lambda value: float(f"{value:.4g}"))]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Header(_Line):
    """The first line: who predicted, and from which questions.

    Args:
        reader: The reader's model.
        small: The small generative model.
        remote: The hosted model.
        timing: What `timing.timing_table` has measured on the machine that made the file.
    """

    reader: str
    small: str | None = None
    remote: str | None = None
    timing: dict[str, Any] | None = None


class Token(_Line):
    """One generated token: its text, its log-probability, and the probability of the likeliest two at that place."""

    token: str
    logprob: Rounded
    first: Rounded
    second: Rounded


class Prediction(_Line):
    """One model's prediction.

    Args:
        text: The answer; ``None`` for "no answer".
        exact: Official exact match, 0 or 1.
        f1: Official token F1.
        tokens: The generated tokens; none of a reader's.
        input_tokens: Tokens read, where the model tells.
        output_tokens: Tokens written.
        seconds: How long it took when it was recorded.
    """

    text: str | None
    exact: Rounded
    f1: Rounded
    tokens: tuple[Token, ...] = ()
    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: Rounded | None = None


class Question(_Line):
    """One labelled question.

    Args:
        id: Its id.
        source: The data set that it is from.
        article: Its article, which no two folds share.
        paragraph: Eight hexadecimal digits that stand for its passage.
        answerable: Whether it has an answer.
        reader: The packaged reader's own prediction.
        span: The reader's best span, whether or not the reader stands behind it.
        local_signals: The signals of the reader's prediction by name.
        small: The small generative model's prediction.
        remote: The hosted model's prediction.
        remote_signals: Those signals of the hosted prediction that are not the local one's, or the question's.
        signal_seconds: CPU seconds that the local and the remote signals took.
    """

    id: str
    source: str
    article: str
    paragraph: str
    answerable: bool
    reader: Prediction
    span: Prediction
    local_signals: dict[str, Rounded]
    small: Prediction | None = None
    remote: Prediction | None = None
    remote_signals: dict[str, Rounded] = {}
    signal_seconds: tuple[Rounded, ...] = ()

    @property
    def all_remote_signals(self) -> dict[str, float]:
        """The signals of the hosted prediction, those included that it shares with the local one."""
        if self.remote is None:
            return {}
        shared = {name: value for name, value in self.local_signals.items() if name.startswith(_SHARED)}
        of_local = {
            f"{_LOCAL}{name}": value for name, value in self.local_signals.items() if not name.startswith(_WORDING)
        }
        return {**shared, **of_local, **self.remote_signals}

    def shortened(self) -> Question:
        """Returns the same without its id, its answers' texts (but for whether there is one) and its times."""
        less = {
            name: prediction.model_copy(update={"text": None if prediction.text is None else "", "seconds": None})
            for name in ("reader", "span")
            if (prediction := getattr(self, name)) is not None
        }
        return self.model_copy(update={"id": "", "signal_seconds": (), **less})


def own_signals(signals: dict[str, float]) -> dict[str, float]:
    """Returns the signals of a hosted prediction that are neither the local one's nor the question's."""
    return {name: value for name, value in signals.items() if not name.startswith((_LOCAL, *_SHARED))}


def save(path: Path, header: Header, questions: Iterable[Question], *, short: bool = False) -> None:
    """Writes the compact data: one JSON object a line, gzipped, the same bytes for the same data.

    Args:
        path: The file.
        header: Its first line.
        questions: The other lines.
        short: Whether ids, answers and times are left out.
    """
    shortened = (q.shortened() if short else q for q in questions)
    lines = [header.model_dump_json(), *(q.model_dump_json(exclude_defaults=True) for q in shortened)]
    with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())


def load(path: Path) -> tuple[Header, list[Question]]:
    """Returns the header and the questions of a file of compact data."""
    first, *others = gzip.decompress(path.read_bytes()).decode().splitlines()
    return Header.model_validate_json(first), [Question.model_validate_json(line) for line in others]
