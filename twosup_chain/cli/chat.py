"""``twosup chat``: a conversation in the terminal about texts, with the decision shown after each answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twosup_chain import parts
from twosup_chain.cli.answering import Answering, Judging, answered, route_of
from twosup_chain.cli.command import command, flags_of
from twosup_chain.cli.console import fail, note, print_json, show
from twosup_chain.cli.documents import STDIN, read_documents
from twosup_chain.cli.options import Output
from twosup_chain.cli.profile import Profile
from twosup_chain.cli.words import spoken
from twosup_chain.errors import InputError, TwosupError

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from twosup_chain.chat.condenser import QuestionCondenser
    from twosup_chain.service.route import Route

_PROMPT = "you> "
#: How many words of context are many: all of them are read for each question.
_MANY_WORDS = 20_000


@dataclass(frozen=True, kw_only=True)
class Talk:
    """What the conversation is about.

    Args:
        context: A text, a PDF, a Word file (.docx) or a page (.html) that answers must come from, or a folder of them.
            May be repeated.
    """

    context: Annotated[tuple[str, ...], typer.Option("--context", "-c", metavar="FILE|DIR")]


@command()
def chat(talk: Talk, models: Answering, trust: Judging, profile: Profile, output: Output) -> None:
    """Talk about texts in the terminal; each answer shows who gave it, and why it is trusted. Ctrl-D ends.

    Where there is a model that writes, it rewrites a question like "And when?" so that it can be understood alone.

    [bold]Examples[/bold]

    [cyan]twosup chat --context handbook/[/cyan]

    [cyan]twosup chat -c guide.pdf --remote openai:gpt-4.1-mini --calibration calibration.json[/cyan]
    """
    from langchain_core.messages import AIMessage, HumanMessage

    from twosup_chain.cli.render import render_turn
    from twosup_chain.schema import QAInput

    if STDIN in talk.context:
        raise InputError("--context -: standard input holds the conversation; pass files or folders")
    documents = read_documents(talk.context)
    route, remark = route_of(models, trust, profile)
    condenser = condenser_of(route)
    _begin([document.text for document in documents], remark, condenser)
    said: list[BaseMessage] = []
    for question in _questions():
        try:
            alone = question if condenser is None else condenser.invoke({"question": question, "history": said})
            asked = QAInput(question=alone, context=[document.text for document in documents])
            result = answered(route, asked)
        except TwosupError as error:
            fail(spoken(str(error), flags_of(Answering, Judging)))
            continue
        said += [HumanMessage(question), AIMessage(result.answer or "There is no answer that can be trusted.")]
        if output.as_json:
            print_json({"question": question, "asked": alone, **json.loads(result.model_dump_json())})
        else:
            show(
                render_turn(result, asked, names=[document.name for document in documents], rewritten=alone != question)
            )


def condenser_of(route: Route) -> QuestionCondenser | None:
    """Returns what rewrites questions: a local model that writes, or else the hosted one, where it may see them all."""
    from twosup_chain.answerers.chat import ChatAnswerer
    from twosup_chain.chat.condenser import QuestionCondenser
    from twosup_chain.llama.chat import LlamaCppChat

    local = parts.chatting(route.chain.local)
    if isinstance(local, LlamaCppChat):
        return QuestionCondenser(local)
    hosted: Any = route.chain.remote
    if isinstance(hosted, ChatAnswerer) and route.chain.never_escalate is None:
        return QuestionCondenser(hosted.model)
    return None


def _begin(texts: list[str], remark: str, condenser: QuestionCondenser | None) -> None:
    words = sum(len(text.split()) for text in texts)
    about = f"{len(texts)} document{'' if len(texts) == 1 else 's'}, {words:,} words"
    many = "; all of it is read for every question, so answers take their time" if words > _MANY_WORDS else ""
    note(f"{about}{many}. Ctrl-D ends the conversation.")
    if condenser is None:
        note('No model here rewrites follow-up questions: ask so that each can be understood alone, not "And when?".')
    if remark:
        note(remark)


def _questions() -> Iterator[str]:
    """Yields what is typed, or piped in, line by line; nothing of a blank line."""
    terminal = sys.stdin is not None and sys.stdin.isatty()
    if terminal:
        with suppress(ImportError):  # on Windows the console does it
            import readline  # noqa: F401 - lines can be edited, and earlier ones come back
    while True:
        try:
            line = input(_PROMPT if terminal else "")
        except EOFError:
            if terminal:
                show("")
            return
        if line := line.strip():  # piped from a file of Windows, a line ends with \r
            yield line
