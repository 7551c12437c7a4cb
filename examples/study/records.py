"""The study's records: made by `collect` from recordings, and kept packed, without what no table reads."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from study.known import Known
from study.questions import TRUST
from twosup_chain import acollect
from twosup_chain._packed import read_packed
from twosup_chain.demo.recording import digest
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.records.lines import read_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from twosup_chain.records.question import QuestionRecord
    from twosup_chain.text.questions import LabelledQuestion

#: What no table reads, or can be told from the features.
_LEFT_OUT = {"scores": {}, "logprobs": None, "seconds": None}


def make(
    questions: Sequence[LabelledQuestion],
    local: Any,
    recordings: Iterable[Path],
    out: Path,
    *,
    tokens: bool = False,
    hosted: Any = None,
    known: Iterable[Path] = (),
) -> int:
    """Writes the records of the recorded questions, gzipped: the same bytes for the same records.

    A record's id is its recording's name, its article and a number, with a slash between them.

    Args:
        questions: Labelled questions, more than were recorded perhaps.
        local: The local answerer.
        recordings: Recordings of the hosted model, one a source.
        out: The file.
        tokens: Whether no other features than those of the local answer's tokens are kept, which are all that the
            rules for two generative models read.
        hosted: What answers in the hosted model's place; the recordings say which questions.
        known: Packed records, each on those before; what they hold of the same predictions is left out.

    Returns:
        How many records there are.
    """
    records = (r for path in recordings for r in _records(questions, local, path, hosted))
    found = sorted(map(_lean, records) if tokens else records, key=lambda record: record.id)
    with TemporaryDirectory() as folder:
        if whole := restored(known, Path(folder)):
            found = list(map(Known(whole).left_out, found))
    with out.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        file.writelines(record.as_line() for record in found)
    return len(found)


def unpack(path: Path, folder: Path) -> Path:
    """Returns the records as a file that the product reads, in this folder."""
    plain = folder / path.name.removesuffix(".gz")
    plain.write_bytes(read_packed(path))
    return plain


def restored(paths: Iterable[Path], folder: Path) -> list[Path]:
    """Returns packed records as files of whole ones, in this folder: what a file lacks stands in those before it."""
    whole: list[Path] = []
    for path in paths:
        plain, known = unpack(path, folder), Known(whole)
        if whole:
            lines = [known.restored(record).as_line() for record in read_records(plain)]
            plain.write_bytes(b"".join(lines))
        whole.append(plain)
    return whole


def name_of(recording: Path) -> str:
    """Returns what the questions of a recording are called."""
    return recording.name.partition(".jsonl")[0]


def asked(questions: Sequence[LabelledQuestion], remote: ReplayedAnswerer, name: str) -> list[LabelledQuestion]:
    """Returns the questions that were recorded, with the ids of their records."""
    known = remote.recording.answers
    chosen = [question for question in questions if digest(question.as_input()) in known]
    return [q.model_copy(update={"id": f"{name}/{q.title}/{n}"}) for n, q in enumerate(chosen)]


def _records(
    questions: Sequence[LabelledQuestion], local: Any, recording: Path, hosted: Any
) -> Iterator[QuestionRecord]:
    remote = ReplayedAnswerer(recording=recording)
    with TemporaryDirectory() as folder:
        path = Path(folder, "records.jsonl")
        chosen = asked(questions, remote, name_of(recording))
        asyncio.run(acollect(chosen, local=local, remote=hosted or remote, scorers=[TRUST], text=False, out=path))
        for record in read_records(path):
            slim = {role: getattr(record, role).model_copy(update=_LEFT_OUT) for role in ("local", "remote")}
            yield record.model_copy(update=slim)


def _lean(record: QuestionRecord) -> QuestionRecord:
    kept = {name: value for name, value in record.local.features.items() if name.startswith(("token_", "no_answer"))}
    of_both = {"local": kept, "remote": {}}
    lean = {role: getattr(record, role).model_copy(update={"features": f}) for role, f in of_both.items()}
    return record.model_copy(update=lean)
