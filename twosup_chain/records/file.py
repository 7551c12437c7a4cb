"""`RecordFile`: a file of records that is written by one collector at a time, and continued after a crash.

A record is written whole, with one call; what a crash leaves of the last one is cut off when the file is opened again.
"""

import os
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn, Self

from twosup_chain._atomic import append_line
from twosup_chain._options import shorten
from twosup_chain.answerers.settings import Settings, difference
from twosup_chain.errors import CutOffError, InputError, RecordsError, ResumeError
from twosup_chain.records.lines import checked_line, read_records
from twosup_chain.records.question import QuestionRecord, Role
from twosup_chain.text.questions import LabelledQuestion, digest

try:
    import fcntl
except ImportError:  # not on Windows: nobody is kept from collecting twice at once there
    fcntl = None  # type: ignore[assignment]


class _Known(NamedTuple):
    digest: str
    failed: bool


class RecordFile:
    """Opens a file of records, or creates it, for one collector; `ResumeError` where another one is at work on it.

    `models` are those who answered, by role; a role is missing until one of its answers is known. The tokens are those
    that the hosted model has read and written for all records, failed ones included.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.models: dict[str, str | None] = {}
        self.input_tokens = 0
        self.output_tokens = 0
        self._known: dict[str, _Known] = {}
        self._scorers: set[str] | None = None
        self._with_text: bool | None = None
        self._settings: dict[Role, Settings] | None = None
        self._unsaid: dict[Role, Settings] | None = None
        try:
            self._is_file = self.path.is_file() or not self.path.exists()
            access = os.O_RDWR | os.O_CREAT if self._is_file else os.O_WRONLY | os.O_NONBLOCK  # no wait for a reader
            self._descriptor = os.open(self.path, access | os.O_APPEND, 0o644)
            if not self._is_file:
                os.set_blocking(self._descriptor, True)
        except OSError as error:
            raise InputError(f"cannot write the records {self.path}: {error.strerror or error}") from error
        try:
            if self._is_file:  # a device or a pipe holds nothing to go on from, and is nobody's
                self._lock()
                self._read()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file, which another collector may continue then."""
        os.close(self._descriptor)

    def check(
        self,
        questions: Sequence[LabelledQuestion],
        *,
        scorers: Collection[str],
        text: bool,
        settings: dict[Role, Settings] | None = None,
    ) -> None:
        """Checks that the file was collected from these questions, in this way; `ResumeError` says what differs."""
        known = {question.id: question for question in questions}
        for name, record in self._known.items():
            if name not in known:
                self._refuse(f"holds the question {shorten(name)}, which these data do not")
            if record.digest != digest(known[name]):
                self._refuse(
                    f"holds the question {shorten(name)} with another text, context or answers than these data"
                )
        if self._scorers is not None and self._scorers != set(scorers):
            self._refuse(f"was collected with the scorers {sorted(self._scorers)}, not {sorted(scorers)}")
        if self._with_text is not None and self._with_text != text:
            self._refuse(f"was collected {'with' if self._with_text else 'without'} texts")
        for role, now in (settings or {}).items():
            if self._settings is not None and (other := difference(self._settings.get(role, {}), now, role)):
                self._refuse(f"was collected with {other}")
        self._unsaid = settings if self._settings is None else None

    def holds(self, id: str) -> bool:
        """Returns whether a question is recorded, failed or not."""
        return id in self._known

    def failed(self, id: str) -> bool:
        """Returns whether a question is recorded with a call that failed."""
        return id in self._known and self._known[id].failed

    def append(self, record: QuestionRecord) -> None:
        """Writes a record whole, or not at all, as where another model answered, or its line cannot be read again."""
        if self._unsaid is not None:
            record, self._unsaid = record.model_copy(update={"settings": self._unsaid}), None
        self._meet(record)
        append_line(self._descriptor, checked_line(record, self.path), self.path)
        self._learn(record)

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another collector is writing the records {self.path} at this moment: wait for it, or stop it"
            raise ResumeError(message) from error
        except OSError as error:
            message = (
                f"the file system of {self.path} knows no locks ({error.strerror or error}): two collectors that write "
                "there at once are not kept apart"
            )
            warnings.warn(message, RuntimeWarning, stacklevel=4)

    def _read(self) -> None:
        """Learns what the file holds, and mends its end."""
        try:
            for record in read_records(self.path):
                if record.id in self._known and not self._known[record.id].failed:
                    message = f"{self.path} holds the question {shorten(record.id)} twice: leave one of the two out"
                    raise RecordsError(message)
                self._learn(record)
        except CutOffError as half:
            os.ftruncate(self._descriptor, half.offset)
        if os.lseek(self._descriptor, 0, os.SEEK_END):
            os.lseek(self._descriptor, -1, os.SEEK_END)
            if os.read(self._descriptor, 1) != b"\n":
                os.write(self._descriptor, b"\n")

    def _learn(self, record: QuestionRecord) -> None:
        self._meet(record)
        self._known[record.id] = _Known(record.digest, record.failed)
        self._with_text = record.question is not None
        self._settings = self._settings or record.settings
        for prediction in (record.local, record.remote):
            if prediction.error is None:
                self._scorers = set(prediction.trust)
        if record.remote.usage is not None:
            self.input_tokens += record.remote.usage.input_tokens
            self.output_tokens += record.remote.usage.output_tokens

    def _meet(self, record: QuestionRecord) -> None:
        for role in ("local", "remote"):
            prediction = getattr(record, role)
            if prediction.error is not None:
                continue
            before = self.models.setdefault(role, prediction.model)
            if before != prediction.model:
                self._refuse(f"holds answers of the {role} model {before!r}, and {prediction.model!r} answered now")

    def _refuse(self, what: str) -> NoReturn:
        raise ResumeError(f"{self.path} {what}: collect into another file, or delete this one")
