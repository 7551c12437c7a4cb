"""Recordings of a hosted model: one JSON line that says how it was asked, then one for every question and its answer.

``python -m twosup_chain.demo.recording --help`` makes one through any OpenAI-compatible server. It can be interrupted
and started again.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from langchain_core.runnables import Runnable
from pydantic import SecretStr

from twosup_chain._atomic import append_line
from twosup_chain._json_file import parse_json
from twosup_chain._options import Record, shorten
from twosup_chain._packed import read_packed
from twosup_chain.answerers.chat import ChatAnswerer
from twosup_chain.answerers.part import input_for
from twosup_chain.answerers.prompt import qa_messages
from twosup_chain.answerers.reply import as_answer
from twosup_chain.errors import InputError, MissingExtraError
from twosup_chain.schema import Answer, QAInput
from twosup_chain.text.questions import load_questions

#: The questions of the demo.
SAMPLE = Path(__file__).with_name("sample.json")

#: How many alternatives are recorded with each token; llama.cpp's server gives no log-probabilities without any.
TOP_LOGPROBS = 5

app = typer.Typer(pretty_exceptions_enable=False)  # its tracebacks would show the key among the local variables

LineT = TypeVar("LineT", bound=Record)


class Header(Record):
    """The first line of a recording: who was asked, when and how."""

    model: str  # in full, quantisation included
    server: str  # the provider, or the program behind the address
    recorded: str  # the day on which it was begun (ISO 8601, UTC)
    messages: tuple[dict[str, str], ...]  # with {passage} and {question} in the places of the two
    sampling: dict[str, Any]  # the parameters of the request (temperature, most tokens, …)
    format: Literal["twosup_chain recording"] = "twosup_chain recording"
    version: Literal[1] = 1


class RecordedAnswer(Record):
    """Any further line of a recording; by the `digest` of question and context the answer is found again."""

    id: str | None
    digest: str
    answer: Answer


class Recording(Record):
    """A whole recording: its header and its lines, in the file's order."""

    header: Header
    lines: tuple[RecordedAnswer, ...] = ()

    @cached_property
    def answers(self) -> dict[str, Answer]:
        """The answers by the digest of what was asked."""
        return {line.digest: line.answer for line in self.lines}


def digest(question: QAInput) -> str:
    """Returns 16 hexadecimal digits that stand for the question and its passages (SHA-256 of both)."""
    asked = json.dumps([question.question, *question.passages])
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def load(path: str | Path) -> Recording:
    """Returns the recording in a file."""
    path = Path(path)
    try:
        first, *others = read_packed(path).decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no recording: it is not text ({error})") from error
    header = _parse(Header, first, path, 1)
    lines = tuple(_parse(RecordedAnswer, line, path, number) for number, line in enumerate(others, 2))
    return Recording(header=header, lines=lines)


def _parse(kind: type[LineT], line: str, path: Path, number: int) -> LineT:
    try:
        return kind(**parse_json(line))
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path}, line {number}: {shorten(line)} is no {kind.__name__} of a recording: {error}"
        ) from error


def record(answerer: Runnable[Any, Any], questions: Iterable[QAInput], path: str | Path, header: Header) -> Recording:
    """Asks every question that the file does not hold yet, one after the other, and writes each answer at once.

    An error of the answerer ends the recording; what was answered before stays, and calling again goes on from there.
    The file never keeps half a line: what a crash has left of one is cut off first. One that holds something else, or
    was recorded with another model, prompt or sampling, is refused.
    """
    path = Path(path)
    with path.open("ab+", buffering=0) as file:
        _resume(file, header, path)
        answered = set(load(path).answers)
        for question in questions:
            if (key := digest(question)) not in answered:
                answer = as_answer(answerer.invoke(input_for(answerer, question)))
                _append(file, RecordedAnswer(id=question.id, digest=key, answer=answer))
                answered.add(key)
    return load(path)


def _resume(file: FileIO, header: Header, path: Path) -> None:
    """Writes the header into a new file; of an old one, checks the header and cuts off an unfinished line."""
    file.seek(0)
    text = file.read()
    known = _parse(Header, text.partition(b"\n")[0].decode(errors="replace"), path, 1) if text else header
    for name in ("model", "server", "messages", "sampling"):
        before, now = getattr(known, name), getattr(header, name)
        if before != now:
            raise InputError(
                f"{path} was recorded with {name}={shorten(before)}, not {shorten(now)}: "
                "record into another file, or delete this one"
            )
    whole = text.rfind(b"\n") + 1
    file.truncate(whole)
    if not whole:
        _append(file, header)


def _append(file: FileIO, line: Record) -> None:
    """Writes a whole line or nothing."""
    fields = line.model_dump(mode="json", exclude_defaults=isinstance(line, RecordedAnswer))
    append_line(file.fileno(), json.dumps(fields, ensure_ascii=False).encode() + b"\n", Path(file.name))


@app.command()
def main(
    *,
    base_url: Annotated[str, typer.Option(help="Where the OpenAI-compatible server listens, up to and with /v1.")],
    model_name: Annotated[str, typer.Option(help="The model: what the server is asked for, and what is written down.")],
    out: Annotated[Path, typer.Option(help="The file to write or to continue.")],
    data: Annotated[Path, typer.Option(help="The questions, in SQuAD format.", show_default="the demo's own")] = SAMPLE,
    server: Annotated[str, typer.Option(help="What the server is; the address, if not said.")] = "",
    max_tokens: Annotated[int, typer.Option(min=1, help="The most tokens of a reply.")] = 32,
) -> None:
    """Records a hosted model's answers to the questions of a file, greedily and with token log-probabilities.

    A key is read from OPENAI_API_KEY; a server of one's own needs none.
    """
    from rich.progress import track

    try:
        from langchain_openai import ChatOpenAI
    except ImportError:
        raise MissingExtraError("recording", "langchain-openai", "openai") from None
    answerer = ChatAnswerer(
        ChatOpenAI(
            model=model_name,
            base_url=base_url,
            api_key=SecretStr(os.environ.get("OPENAI_API_KEY", "none")),
            temperature=0,
            logprobs=True,
            top_logprobs=TOP_LOGPROBS,
            extra_body={"max_tokens": max_tokens},  # llama.cpp's server does not know max_completion_tokens
        )
    )
    header = Header(
        model=model_name,
        server=server or base_url,
        recorded=datetime.now(UTC).date().isoformat(),
        messages=tuple(qa_messages("{question}", ["{passage}"], answerer.instructions, answerer.examples)),
        sampling={"temperature": 0, "max_tokens": max_tokens, "top_logprobs": TOP_LOGPROBS},
    )
    try:
        questions = [example.as_input() for example in load_questions(data)]
        recording = record(answerer, track(questions, "recording"), out, header)
    except Exception as error:
        typer.echo(f"stopped by {type(error).__name__}: {error}\nthe same command goes on from here", err=True)
        raise typer.Exit(1) from error
    scored = sum(answer.token_logprobs is not None for answer in recording.answers.values())
    typer.echo(f"{out}: {len(recording.lines)} answers of {model_name}, {scored} with token log-probabilities")


if __name__ == "__main__":
    app()
