"""How the demo's report looks on a terminal: a few telling questions, then the figures of the whole sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.text import Text

from twosup_chain.cli.console import clean
from twosup_chain.cli.render import SOURCE_STYLES, Passage, indented, proposal, squeeze
from twosup_chain.cli.tables import table
from twosup_chain.evaluation import words
from twosup_chain.text import squad

if TYPE_CHECKING:
    from twosup_chain.demo.run import DemoQuestion, DemoReport, DemoSummary, Saving
    from twosup_chain.schema import Source

#: Kinds of outcomes worth showing, the most telling first, and what each shows.
KINDS: tuple[tuple[str, Callable[[DemoQuestion], bool]], ...] = (
    (
        "A local answer that is trusted",
        lambda q: q.source == "local" and q.status == "answered" and q.exact_match == 1.0,
    ),
    (
        "A rescue: the local model is wrong and not trusted, and the remote one is right",
        lambda q: (
            q.source == "remote" and q.exact_match == 1.0 and bool(q.golds) and squad.f1(q.local_answer, q.golds) == 0.0
        ),
    ),
    (
        "The remote model invents an answer, and is not trusted either",
        lambda q: q.source == "none" and q.remote_answer is not None and not q.golds,
    ),
    (
        "The passage does not say, and the local model knows it",
        lambda q: q.source == "local" and q.status == "unanswerable" and not q.golds,
    ),
    (
        "The local model is right but not sure, and the remote one agrees",
        lambda q: q.source == "remote" and q.exact_match == 1.0 and squad.exact_match(q.local_answer, q.golds) == 1.0,
    ),
    ("A mistake: what was trusted is wrong", lambda q: q.source != "none" and q.f1 == 0.0),
)
_NAMES = {"local": "local model", "remote": "remote model", "fallback": "fallback", "none": "no trusted answer"}
#: The pieces of a share bar, and what stands for them where there is ASCII only.
_SHAPES = {"local": "█#", "remote": "▓+", "fallback": "▒-", "none": "░."}
#: What comes next; a line of questions.jsonl is an object with question, context and answers.
_NEXT = (
    'twosup ask "What would you like to know?" --context your-text.pdf',
    "twosup collect questions.jsonl --remote openai:MODEL --out records.jsonl",
    "twosup calibrate records.jsonl --risk 0.1 --out calibration.json",
)


def render_report(report: DemoReport, *, show: int = len(KINDS) - 1) -> RenderableType:
    """Returns the demo's report, ready for `rich.console.Console.print`, with so many questions before the figures."""
    recording = report.recording
    subjects = len({question.title for question in report.questions})
    parts: list[RenderableType] = [
        Text(f"{report.summary.questions} questions about {subjects} invented passages", style="bold"),
        Text(
            "The local model answers now, on this machine. The remote model is a recording of "
            f"{clean(recording.model)} ({clean(recording.server)}), made on {clean(recording.recorded)}: "
            "nothing is sent anywhere."
        ),
    ]
    for kind, question in telling_questions(report, show):
        parts += [Text(), _question(kind, question)]
    parts += [Text(), Rule(Text("Summary", style="bold"), style="default", align="left"), Text()]
    parts += [indented(part) for part in _summary(report.summary)]
    parts += [Text(), indented(Text(_remarks(report), style="dim")), Text(), _yours()]
    return Group(*parts)


def telling_questions(report: DemoReport, count: int) -> list[tuple[str, DemoQuestion]]:
    """Returns questions with the kind that each stands for: one of every kind in turn, about a new passage first."""
    picks: list[tuple[str, DemoQuestion]] = []
    left = {kind: [q for q in report.questions if belongs(q)] for kind, belongs in KINDS}
    while len(picks) < count and any(left.values()):
        for kind, questions in left.items():
            if questions and len(picks) < count:
                shown = {question.title for _, question in picks}
                pick = next((q for q in questions if q.title not in shown), questions[0])
                questions.remove(pick)
                picks.append((kind, pick))
    return picks


class ShareBar:
    """Shares of a whole, by source, as one bar of pieces, each with a colour and a shape of its own."""

    def __init__(self, shares: Mapping[Source, float]) -> None:
        self.shares = shares

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draws the bar as wide as there is room, and names its pieces below."""
        del console
        bar, names, end, total = Text(), Text(), 0, 0.0
        for source, share in self.shares.items():
            shape = _SHAPES[source][options.ascii_only]
            total += share
            length = round(total * options.max_width) - end
            end += length
            bar.append(shape * length, SOURCE_STYLES[source])
            names.append(f"{shape} ", SOURCE_STYLES[source])
            names.append(f"{_NAMES[source]} {words.percent(share, 0)}   ")
        yield bar
        yield names


def _question(kind: str, question: DemoQuestion) -> RenderableType:
    style = SOURCE_STYLES[question.source]
    answer = "No answer." if question.answer is None else squeeze(clean(question.answer))
    lines: list[RenderableType] = [
        Text(squeeze(clean(question.question)), style="bold"),
        Text.assemble((answer, f"bold {style}"), ("   " + _mark(question), "dim")),
    ]
    if question.start is not None and question.end is not None:
        lines += [Text(), Passage(question.context, question.start, question.end, f"bold reverse {style}")]
    lines += [Text(), proposal("Local", question.local_answer, question.local_verdict)]
    if question.remote_verdict is not None:
        lines.append(proposal("Remote", question.remote_answer, question.remote_verdict, "recorded"))
    return Group(Rule(Text(kind, style=f"bold {style}"), style=style, align="left"), indented(Group(*lines)))


def _mark(question: DemoQuestion) -> str:
    """Returns how the outcome compares with the label, in words."""
    label = f"the label is “{squeeze(clean(question.golds[0]))}”" if question.golds else "the passage does not say"
    if question.exact_match == 1.0:
        return f"right: {label}"
    if question.status == "untrusted":
        return f"left open: {label}"
    return f"partly right (F1 {question.f1:.2f}): {label}" if question.f1 > 0 else f"wrong: {label}"


def _summary(summary: DemoSummary) -> list[RenderableType]:
    scores = (summary.chain, summary.local_only, summary.remote_only)
    tokens, seconds = summary.tokens, summary.seconds
    rows = [
        ("Exact match (SQuAD v2)", *(words.percent(score.exact_match) for score in scores)),
        ("F1 (SQuAD v2)", *(words.percent(score.f1) for score in scores)),
        ("Remote model asked", *map(words.count, (summary.remote_calls, 0, summary.questions))),
        ("Tokens of the remote model", *map(words.count, (tokens.chain, 0, tokens.remote_only))),
        ("Its time when recorded", *map(words.duration, (seconds.chain, 0.0, seconds.remote_only))),
    ]
    against = Text.assemble(
        "Against asking the remote model every time, the chain saves ",
        (f"{words.count(tokens.saved)} tokens{_share(tokens)}", "bold"),
        " and ",
        (f"{words.duration(seconds.saved)}{_share(seconds)}", "bold"),
        " of its time.",
    )
    return [ShareBar(summary.shares), table(("", ">Chain", ">Local only", ">Remote only"), rows), against]


def _remarks(report: DemoReport) -> str:
    settings, summary = (report.thresholds.local, report.thresholds.remote), report.summary
    both = " and ".join(f"{setting.threshold:.3g} ({clean(setting.scorer or '')})" for setting in settings)
    return (
        f"Thresholds {both} were fixed on {clean(report.thresholds.fixed_on)}, never on these questions. A question "
        "that nobody could be trusted with counts as the prediction “no answer”. The remote model's time is that of "
        f"the recording, one question after the other. This run was waited for {words.duration(summary.waited)}: "
        f"{summary.at_once} questions at once, the local model's start included."
    )


def _yours() -> RenderableType:
    """Returns the next three commands, for the reader's own data."""
    rows = [Text.assemble((f"{number}  {line}", "cyan")) for number, line in enumerate(_NEXT, 1)]
    last = Text("Then twosup ask … --calibration calibration.json answers by it; twosup chat is a conversation.", "dim")
    return Group(
        Rule(Text("Now yours", style="bold"), style="default", align="left"), Text(), *map(indented, (*rows, last))
    )


def _share(saving: Saving) -> str:
    return f" ({words.percent(abs(saving.saved) / saving.remote_only, 0)})" if saving.remote_only else ""
