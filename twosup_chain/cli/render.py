"""How one outcome looks on a terminal: the answer in its passage, both scores against their thresholds, the reason.

Texts of users and models are never read as markup. Without colours the words and shapes say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from twosup_chain.cli.console import clean
from twosup_chain.evaluation.words import duration

if TYPE_CHECKING:
    from twosup_chain.schema import Answer, QAInput, TwoSupervisorResult, Verdict

#: How much of a passage is shown before and after the answer, in characters.
NEIGHBOURHOOD = 260
#: How much of an answer that was not used is shown, in characters.
_PROPOSAL = 160
#: Likewise in a conversation, in one line with the verdict on it.
_SHORT_PROPOSAL = 48

SOURCE_STYLES = {"local": "green", "remote": "cyan", "fallback": "magenta", "none": "yellow"}
_TITLES = {"answered": "Answer", "unanswerable": "No answer in the context", "untrusted": "No trusted answer"}
_SOURCES = {
    "local": " · from the local model",
    "remote": " · from the remote model",
    "fallback": " · from the fallback",
    "none": "",
}
_NO_ANSWER = {
    "unanswerable": "The context does not hold an answer.",
    "untrusted": "No answer was found that can be trusted.",
}


class VerdictLine:
    """A trust score as a bar over [0, 1] with a mark at its threshold, and the comparison in figures and in a word."""

    #: The bar's greatest length, and the room that figures and word need, in cells.
    LONGEST = 40
    WORDS = 30

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draws the bar, green where the score is trusted, else red, and writes the rest behind it."""
        del console
        verdict = self.verdict
        full, rest, mark = ("=", "-", "|") if options.ascii_only else ("━", "─", "┃")
        width = max(1, min(self.LONGEST, options.max_width - self.WORDS))
        place = min(int(verdict.threshold * width), width - 1)
        filled = round(verdict.score * width)
        style = "green" if verdict.trusted else "red"
        line = Text(no_wrap=True, overflow="ellipsis")
        for cell in range(width):
            shape, look = (mark, "bold") if cell == place else (full, style) if cell < filled else (rest, "dim")
            line.append(shape, look)
        line.append(f"  {compare(verdict.score, verdict.threshold, ascii_only=options.ascii_only)}", style)
        line.append("  trusted" if verdict.trusted else "  not trusted", f"bold {style}")
        yield line


class Passage:
    """A passage around an answer, which is highlighted; where styles cannot be shown, it stands in ``>>…<<``."""

    def __init__(
        self, text: str, start: int, end: int, style: str = "bold reverse", neighbourhood: int = NEIGHBOURHOOD
    ) -> None:
        self.before = _tail(clean(text[:start]), neighbourhood)
        self.answer = squeeze(clean(text[start:end]))
        self.after = _head(clean(text[end:]), neighbourhood)
        self.style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Sets the passage as one paragraph."""
        del options
        answer = f">>{self.answer}<<" if console.color_system is None else self.answer
        yield Text.assemble(self.before, (answer, self.style), self.after)


def render_result(
    result: TwoSupervisorResult,
    question: QAInput,
    *,
    no_answer: str | None = None,
    names: Sequence[str] = (),
    remark: str = "",
) -> RenderableType:
    """Returns one outcome, ready for `rich.console.Console.print`.

    `no_answer` is what to say where there is none, by default one of two sentences; `names` are those of the documents.
    """
    style, title = SOURCE_STYLES[result.source], f"{_TITLES[result.status]}{_SOURCES[result.source]}"
    parts: list[RenderableType] = [
        Text(squeeze(clean(question.question)), style="bold"),
        Text(),
        Rule(Text(title, style=f"bold {style}"), style=style, align="left"),
        indented(Text(_answer_text(result, no_answer), style=f"bold {style}")),
    ]
    shown = _passage(result, question, names, style)
    if shown is not None:
        parts += [Text(), indented(shown)]
    sides = [_side("Local", result.local, result.local_verdict)]
    if result.remote is not None or result.error is not None:
        sides.append(_side("Remote", result.remote, result.remote_verdict))
    for block in (*sides, Group(*_facts(result, remark))):
        parts += [Text(), indented(block)]
    return Group(*parts)


def render_turn(
    result: TwoSupervisorResult, question: QAInput, *, names: Sequence[str] = (), rewritten: bool = False
) -> RenderableType:
    """Returns one answer of a conversation, and below it in a line each who said what and whether that is trusted."""
    style = SOURCE_STYLES[result.source]
    lines: list[RenderableType] = []
    if rewritten:
        lines.append(Text(f"asked as: {squeeze(clean(question.question))}", style="dim italic"))
    lines.append(Text(_answer_text(result, None), style=f"bold {style}"))
    sides = [("local", result.local, result.local_verdict), ("remote", result.remote, result.remote_verdict)]
    for role, answer, verdict in sides:
        if answer is None:
            continue
        said = "no answer there" if answer.text is None else f"“{_shorten(answer.text, _SHORT_PROPOSAL)}”"
        judged = "not judged"
        if verdict is not None:
            trusted = "trusted" if verdict.trusted else "not trusted"
            judged = f"{trusted}, {clean(verdict.scorer)} {compare(verdict.score, verdict.threshold)}"
        lines.append(Text(f"  {role:6} {said} · {judged}", style="dim"))
    facts = [duration(result.seconds)]
    if result.citations and (place := result.citations[0].document) < len(names):
        facts.insert(0, clean(names[place]))
    if result.error is not None:
        facts.append(clean(result.error))
    lines.append(Text(f"  {' · '.join(facts)}", style="dim"))
    return Group(*lines, Text())


def compare(score: float, threshold: float, *, ascii_only: bool = False) -> str:
    """Returns ``"0.912 ≥ 0.600"``, with as many digits as it takes to tell the two apart."""
    sign = "<" if score < threshold else ">=" if ascii_only else "≥"
    for digits in range(3, 17):
        left, right = f"{score:.{digits}f}", f"{threshold:.{digits}f}"
        if left != right or score == threshold:
            break
    return f"{left} {sign} {right}"


def _answer_text(result: TwoSupervisorResult, no_answer: str | None) -> str:
    if result.answer is not None:
        return clean(result.answer.strip())
    return clean(no_answer) if no_answer is not None else _NO_ANSWER[result.status]


def _passage(result: TwoSupervisorResult, question: QAInput, names: Sequence[str], style: str) -> RenderableType | None:
    """Returns the passage around the answer; a remark where the answer stands in none; ``None`` without an answer."""
    passages = question.passages
    if result.answer is None or not any(passages):
        return None
    if not result.citations:
        return Text("These words do not stand in the context.", style="dim italic")
    cited = result.citations[0]
    passage = Passage(passages[cited.document], cited.start, cited.end, f"bold reverse {style}")
    where = names[cited.document] if cited.document < len(names) else ""
    if len(passages) > 1:
        where = f"document {cited.document + 1} of {len(passages)}{f', {where}' if where else ''}"
    return Group(passage, Text(f"({clean(where)})", style="dim")) if where else passage


def _side(label: str, answer: Answer | None, verdict: Verdict | None) -> RenderableType:
    """Returns what a model proposed, the verdict on it, who it is and what it cost."""
    if answer is None:
        return labelled(label, Text("gave no answer", style="red"))
    seconds = "" if answer.seconds is None else duration(answer.seconds)
    tokens = "" if answer.usage is None else f"{answer.usage['total_tokens']} tokens"
    return proposal(label, answer.text, verdict, clean(answer.model or ""), seconds, tokens)


def proposal(label: str, text: str | None, verdict: Verdict | None, *facts: str) -> RenderableType:
    """Returns what a model proposed (``None``: "no answer"), the verdict on it, if any, and the facts with words."""
    said = Text("says that the context holds no answer", style="italic") if text is None else Text(_shorten(text))
    lines: list[RenderableType] = [said]
    if verdict is not None:
        lines.append(VerdictLine(verdict))
        facts = (clean(verdict.scorer), *facts)
    if any(facts):
        lines.append(Text(" · ".join(filter(None, facts)), style="dim"))
    return labelled(label, *lines)


def labelled(label: str, *lines: RenderableType) -> RenderableType:
    """Returns lines with a bold label before them."""
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=6, no_wrap=True)
    row.add_column(ratio=1)
    row.add_row(Text(label, style="bold"), Group(*lines))
    return row


def _facts(result: TwoSupervisorResult, remark: str) -> list[RenderableType]:
    reason = clean(result.reason)
    tokens = "" if result.usage is None else f" · {result.usage['total_tokens']} tokens"
    facts = [
        labelled("Why", Text(reason[:1].upper() + reason[1:])),
        labelled("Cost", Text(f"{duration(result.seconds)}{tokens}")),
    ]
    if remark:
        facts.append(labelled("Note", Text(remark[:1].upper() + clean(remark[1:]), style="dim")))
    return facts


def indented(renderable: RenderableType) -> Padding:
    """Returns the renderable, two cells to the right."""
    return Padding(renderable, (0, 0, 0, 2))


def squeeze(text: str) -> str:
    """Returns the text in one line, with single spaces."""
    return " ".join(text.split())


def _shorten(text: str, limit: int = _PROPOSAL) -> str:
    text = squeeze(clean(text))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _head(text: str, limit: int) -> str:
    """Returns the first `limit` characters, cut between words; white space is squeezed, at the beginning too."""
    near, far = text[: 8 * limit], text[8 * limit :]  # white space may be most of it, but not without a limit
    squeezed = (" " if near[:1].isspace() else "") + squeeze(near)
    if len(squeezed) <= limit:
        return f"{squeezed} …" if far.strip() else squeezed
    cut = squeezed.rfind(" ", limit // 2, limit)
    return squeezed[: cut if cut > 0 else limit] + " …"


def _tail(text: str, limit: int) -> str:
    """Returns the last `limit` characters, likewise."""
    return _head(text[::-1], limit)[::-1]
