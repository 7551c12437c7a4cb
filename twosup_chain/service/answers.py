"""Many questions from a file, answered on this machine; and what is kept of each, which a cluster keeps too."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from twosup_chain._atomic import append_line
from twosup_chain._json_file import parse_json
from twosup_chain._options import Record, shorten
from twosup_chain._packed import read_packed
from twosup_chain._secrets import scrub
from twosup_chain.chain import TwoSupervisorChain
from twosup_chain.errors import InputError
from twosup_chain.schema import QAInput, TwoSupervisorResult
from twosup_chain.service.ledger import question_digest
from twosup_chain.text.questions import read_rows

_PLAIN = ("answer", "status", "source", "reason", "seconds", "error")


class Answered(Record):
    """What a run has done: of so many `questions` in all, `new` ones were answered now, in so many seconds.

    `out` is the file, or the folder, of the answers. `calls` are those that the hosted model was asked by this run,
    ``None`` where nobody counts them.
    """

    out: str
    questions: int
    new: int
    seconds: float
    calls: int | None = None


def row_of(name: str, result: TwoSupervisorResult | BaseException) -> dict[str, Any]:
    """Returns what is kept of a question: its id, the answer, who gave it and why, trust, tokens and seconds."""
    if isinstance(result, BaseException):
        error = scrub(f"{type(result).__name__}: {result}")
        return {"id": name, "answer": None, "status": "untrusted", "source": "none", "reason": "", "error": error}
    usage = {**(result.usage or {})}
    verdicts = (("local", result.local_verdict), ("remote", result.remote_verdict))
    trust = {f"{role}_trust": None if verdict is None else verdict.score for role, verdict in verdicts}
    tokens = {part: usage.get(part) for part in ("input_tokens", "output_tokens")}
    return {"id": name, **{part: getattr(result, part) for part in _PLAIN}, **trust, **tokens}


def answer_file(
    chain: TwoSupervisorChain,
    questions: str | Path,
    out: str | Path,
    *,
    batch_size: int = 64,
    progress: Callable[[int, int], object] | None = None,
) -> Answered:
    """Answers the questions of a file, and appends one JSON line each to another; called again, it goes on.

    Args:
        chain: What answers.
        questions: JSON lines, or a table (``.csv``, ``.tsv``), with ``question``, ``context`` and, if there is one,
            ``id``; plain or gzipped.
        out: The file of answers, made if it is not there.
        batch_size: How many questions are answered at once.
        progress: Is called with how many questions are done, and of how many.

    Raises:
        InputError: A file cannot be read, it holds no question, or a line is none.
    """
    asked, out, new, started = dict(read_questions(Path(questions))), Path(out), 0, perf_counter()
    if not asked:
        raise InputError(f"{questions} holds no question")
    done = _done(out)
    rest = [item for item in asked.items() if item[0] not in done]
    with out.open("ab") as file:
        for start in range(0, len(rest), batch_size):
            part = rest[start : start + batch_size]
            results: list[Any] = chain.batch([question for _, question in part], return_exceptions=True)
            rows = [row_of(name, result) for (name, _), result in zip(part, results, strict=True)]
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            append_line(file.fileno(), lines.encode(errors="replace"), out)
            new += len(part)
            if progress is not None:
                progress(len(asked) - len(rest) + new, len(asked))
    return Answered(out=str(out), questions=len(asked), new=new, seconds=perf_counter() - started)


def read_questions(path: Path) -> Iterator[tuple[str, QAInput]]:
    """Yields the id, or the digest where there is none, and the question of every line.

    Raises:
        InputError: The file cannot be read, or a line is no question.
    """
    for place, fields in read_rows(path, read_packed(path), labelled=False):
        try:
            asked = QAInput(question=fields["question"], context=fields["context"])
        except (ValueError, KeyError, TypeError) as error:
            what = f"lacks {error}" if isinstance(error, KeyError) else f"is no question: {error}"
            raise InputError(f"{place} {what}; write question and context") from error
        yield str(fields.get("id") or question_digest(asked)), asked


def _done(out: Path) -> set[str]:
    """Returns which questions are answered; what a crash has left of a last line is cut off."""
    if not out.exists():
        return set()
    raw = out.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if len(whole) < len(raw):
        os.truncate(out, len(whole))
    done = set()
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            done.add(parse_json(line)["id"])
        except (ValueError, KeyError, TypeError) as error:
            shown = shorten(line.decode(errors="replace"))
            message = f"{out}, line {number} is no answer ({shown}): choose another file with --out"
            raise InputError(message) from error
    return done
