"""`QuestionRecord`: what both models did with one labelled question, as one line of a records file.

A line is a JSON object; ``"version"`` is its first field.
"""

import hashlib
import json
from typing import Literal, Self

from twosup_chain._options import Record
from twosup_chain.answerers.settings import Settings
from twosup_chain.records.prediction import RecordedPrediction
from twosup_chain.text.questions import LabelledQuestion, Metadata, digest
from twosup_chain.text.squad import normalize_answer

#: The version of the format that is written. Version 1 knew neither features nor passages; version 2 called features
#: "signals" and rounded them. Both are read.
VERSION = 3
VERSIONS = (1, 2, 3)


Role = Literal["local", "remote"]


class QuestionRecord(Record):
    """What both models did with one labelled question.

    The digest stands for question, context and accepted answers (`text.questions.digest`), `passage`, 16 hexadecimal
    digits of SHA-256, for the context: questions on the same one belong together. A question is answerable if an
    accepted answer holds a word that SQuAD's rule counts, a decision if one of its options is right; else only "no
    answer" is right. Question (of a decision its text) and answers are there where texts are kept. The first record of
    a file says for all how the models were asked (`settings`), by role: what of their options is not the default.
    Metadata are the question's own. `concurrency` is how many hosted calls could run at once while it was asked, which
    its seconds hang on; `decides` tells a decision, whose answers are labels.
    """

    id: str
    digest: str
    answerable: bool
    local: RecordedPrediction
    remote: RecordedPrediction
    question: str | None = None
    answers: tuple[str, ...] | None = None
    passage: str | None = None
    settings: dict[Role, Settings] | None = None
    metadata: Metadata | None = None
    concurrency: int | None = None
    decides: bool = False
    version: Literal[1, 2, 3] = 3

    @classmethod
    def of(
        cls,
        labelled: LabelledQuestion,
        *,
        local: RecordedPrediction,
        remote: RecordedPrediction,
        text: bool,
        concurrency: int | None = None,
    ) -> Self:
        """Returns the record of a question; with `text` its words and the accepted answers are kept."""
        decides = bool(labelled.options)
        said = labelled.context if decides else labelled.question
        return cls(
            id=labelled.id,
            digest=digest(labelled),
            answerable=bool(labelled.answers) if decides else any(map(normalize_answer, labelled.answers)),
            question=said if text else None,
            answers=labelled.answers if text else None,
            passage=hashlib.sha256(labelled.context.encode(errors="replace")).hexdigest()[:16],
            local=local,
            remote=remote,
            metadata=labelled.metadata or None,
            concurrency=concurrency,
            decides=decides,
        )

    @property
    def failed(self) -> bool:
        """Whether one of the two calls failed."""
        return self.local.error is not None or self.remote.error is not None

    def as_line(self) -> bytes:
        """Returns the record as a line of a file, in UTF-8, line feed included."""
        fields = {"version": self.version, **self.model_dump(exclude_defaults=True)}
        text = json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", errors="replace") + b"\n"
