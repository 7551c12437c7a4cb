"""``twosup ask``: one question, answered from the files that it is asked about."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

import typer

from twosup_chain.cli.answering import Answering, Judging, answered, route_of
from twosup_chain.cli.command import command, flags_of
from twosup_chain.cli.console import note, print_json, show
from twosup_chain.cli.documents import read_documents
from twosup_chain.cli.options import Output
from twosup_chain.cli.profile import Profile
from twosup_chain.cli.words import spoken


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The question and its context.

    Args:
        question: What to ask.
        context: A text (UTF-8), a PDF, a Word file (.docx) or a page (.html) that the answer must come from, a folder
            of them, or ``-`` for standard input. May be repeated: each file is a document.
    """

    question: Annotated[str, typer.Argument(metavar="QUESTION")]
    context: Annotated[tuple[str, ...], typer.Option("--context", "-c", metavar="FILE|DIR|-")]


@dataclass(frozen=True, kw_only=True)
class Printed(Output):
    """What is printed.

    Args:
        no_answer: What to print where there is no answer.
    """

    no_answer: Annotated[str | None, typer.Option(metavar="TEXT")] = None


@command()
def ask(asked: Asked, models: Answering, trust: Judging, profile: Profile, output: Printed) -> None:
    """Answer a QUESTION from texts, locally where that can be trusted.

    The remote model, if there is one, is asked only where the local answer is not trusted.

    [bold]Examples[/bold]

    [cyan]twosup ask "When was it built?" --context guide.pdf --calibration calibration.json[/cyan]

    [cyan]twosup ask "Who wrote it?" -c - --remote openai:gpt-4.1-mini < book.txt[/cyan]
    """
    from twosup_chain.schema import QAInput

    QAInput(question=asked.question)  # a blank question ends here, before anything is read or loaded
    documents = read_documents(asked.context)
    question = QAInput(question=asked.question, context=[document.text for document in documents])
    route, remark = route_of(models, trust, profile)
    result = answered(route, question)
    if output.as_json:
        print_json(json.loads(result.model_dump_json()))
        if remark:
            note(remark)
    else:
        from twosup_chain.cli.render import render_result

        result = result.model_copy(update={"reason": spoken(result.reason, flags_of(Answering, Judging))})
        names = [document.name for document in documents]
        show(render_result(result, question, no_answer=output.no_answer, names=names, remark=remark))
