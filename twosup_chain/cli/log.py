"""``twosup log`` and ``twosup feedback``: what was decided in service, what it cost, and what was said of it.

They read and write what `service.log` keeps; how a service is run is in `serve`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twosup_chain.cli.command import command
from twosup_chain.cli.console import note
from twosup_chain.cli.options import Output
from twosup_chain.cli.tables import table
from twosup_chain.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from twosup_chain.service.decision import Decision
    from twosup_chain.service.log import DecisionLog
    from twosup_chain.service.stats import Stats

_ENVIRONMENT = "TWOSUP_LOG"
_DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Log:
    """Where the log is.

    Args:
        log: The log: a SQLite file or a ``postgresql://`` URL; by default what TWOSUP_LOG in the environment says.
    """

    log: Annotated[str | None, typer.Option(metavar="FILE|URL")] = None

    def open(self) -> DecisionLog:
        """Returns the log, which must be there."""
        from twosup_chain.service.log import DecisionLog

        where = self.log or os.environ.get(_ENVIRONMENT, "")
        if not where:
            raise ConfigurationError(f"--log is missing: a SQLite file or a postgresql:// URL (or set {_ENVIRONMENT})")
        if "://" not in where and not Path(where).is_file():
            raise ConfigurationError(f"--log {where}: there is no such file; 'twosup serve' writes one")
        return DecisionLog(where)


@dataclass(frozen=True, kw_only=True)
class Which(Log):
    """Which decisions.

    Args:
        route: Of this route alone.
        days: Of the last so many days alone.
    """

    route: str | None = None
    days: Annotated[float | None, typer.Option(min=0.0, metavar="NUMBER")] = None

    @property
    def chosen(self) -> dict[str, Any]:
        """What `DecisionLog.decisions` is asked for."""
        since = None if self.days is None else datetime.now(UTC).timestamp() - self.days * _DAY
        return {"route": self.route, "since": since}


@dataclass(frozen=True, kw_only=True)
class Tail(Which):
    """Which of them are shown.

    Args:
        count: How many of the latest.
    """

    count: Annotated[int, typer.Option("--count", "-n", min=1)] = 20


@dataclass(frozen=True, kw_only=True)
class Old(Log):
    """Which are old.

    Args:
        days: Those of more than so many days ago.
    """

    days: Annotated[float, typer.Option(min=0.0, metavar="NUMBER")]


@dataclass(frozen=True, kw_only=True)
class One(Log):
    """Which one.

    Args:
        id: The decision's id, or the beginning of it.
    """

    id: Annotated[str, typer.Argument(metavar="ID")]


@dataclass(frozen=True, kw_only=True)
class Said(One):
    """What is said of a decision.

    Args:
        right: What was given was right.
        wrong: It was wrong.
        answer: The right answer; empty where there is none.
        revoke: Take back what was said of it; the id may then be that of feedback.
    """

    right: bool = False
    wrong: bool = False
    answer: Annotated[str | None, typer.Option(metavar="TEXT")] = None
    revoke: bool = False


@dataclass(frozen=True, kw_only=True)
class Thresholds(Which):
    """At which thresholds.

    Args:
        calibration: The calibration's file.
    """

    calibration: Annotated[Path, typer.Argument(metavar="CALIBRATION")]


log = typer.Typer(no_args_is_help=True, help="What was decided in service, what it cost, and whether it was right.")


@log.command()
@command()
def tail(which: Tail, output: Output) -> None:
    """Show the latest decisions, the last one at the end."""
    found = list(which.open().decisions(last=which.count, **which.chosen))
    titles = ("id", "time (UTC)", "route", "source", "status", ">trust", ">cost", ">seconds")
    output.show(lambda: [_json(decision) for decision in found], lambda: [table(titles, map(_row, found))])


@log.command()
@command()
def show(one: One, output: Output) -> None:
    """Show one decision with all that is kept of it, and what was said of it last."""
    opened = one.open()
    decision = opened.get(one.id)
    said = opened.feedback(decision.id).get(decision.id)
    document = {**_json(decision), "feedback": said and json.loads(said.model_dump_json())}
    output.show(lambda: document, lambda: _lines(json.dumps(document, indent=1, ensure_ascii=False)))


@log.command()
@command()
def export(which: Which) -> None:
    """Print decisions as JSON lines, each with what was said of it last."""
    opened = which.open()
    feedback = opened.feedback()
    for decision in opened.decisions(**which.chosen):
        said = feedback.get(decision.id)
        fields = {**_json(decision), "feedback": said and json.loads(said.model_dump_json())}
        sys.stdout.write(json.dumps(fields) + "\n")


@log.command()
@command()
def stats(which: Which, output: Output) -> None:
    """Say who answered, what it cost beside always asking the hosted model, and how much of it was right."""
    from twosup_chain.service.stats import stats as count

    opened = which.open()
    found = count(opened.decisions(**which.chosen), opened.feedback())
    output.show(lambda: json.loads(found.model_dump_json()), lambda: _lines(_in_words(found)))


@log.command()
@command()
def replay(at: Thresholds, output: Output) -> None:
    """Say what the decisions would have come to at a calibration's thresholds: what is saved, and what is risked."""
    from twosup_chain.calibration.record import Calibration
    from twosup_chain.service.replay import replay as run

    found = run(at.open(), Calibration.load(at.calibration), **at.chosen)
    output.show(lambda: json.loads(found.model_dump_json()), lambda: _lines(str(found)))


@log.command()
@command()
def watch(at: Thresholds, output: Output) -> None:
    """Say whether a calibration's promises hold, by all decisions so far and what was said of them.

    It is valid however often you look, if feedback is on questions that were chosen without regard to their answers.
    """
    from twosup_chain.calibration.record import Calibration
    from twosup_chain.service.watch import watch as run

    found = run(at.open(), Calibration.load(at.calibration), **at.chosen)
    output.show(lambda: json.loads(found.model_dump_json()), lambda: _lines(str(found)))


@log.command()
@command()
def prune(old: Old) -> None:
    """Delete old decisions, and what was said of them."""
    old.open().prune(old.days).result()


@command()
def feedback(said: Said, output: Output) -> None:
    """Say of a decision whether it was right, or what the answer is.

    [bold]Examples[/bold]

    [cyan]twosup feedback dec_0199 --wrong --answer "in 1874" --log twosup.db[/cyan]

    [cyan]twosup feedback dec_0199 --revoke --log twosup.db[/cyan]
    """
    from twosup_chain.service.feedback import Feedback

    opened = said.open()
    if said.revoke:
        if said.right or said.wrong or said.answer is not None:
            raise ConfigurationError("--revoke takes back what was said: leave --right, --wrong and --answer out")
        count = opened.revoke(said.id if said.id.startswith("fb_") else opened.get(said.id).id).result()
        output.show(lambda: {"revoked": count}, lambda: _lines(f"{count} revoked"))
        return
    if said.right and said.wrong:
        raise ConfigurationError("--right and --wrong exclude each other")
    right = True if said.right else False if said.wrong else None
    given = Feedback(decision=opened.get(said.id).id, right=right, answer=said.answer, by="command line")
    written = opened.give(given).result()
    output.show(lambda: json.loads(written.model_dump_json()), list)
    if not output.as_json:
        note(f"{written.id} is written (twosup feedback {written.id} --revoke takes it back)")


def _json(decision: Decision) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(decision.model_dump_json(exclude_defaults=True))
    return fields


def _row(decision: Decision) -> tuple[str, ...]:
    scores = (f"{verdict.score:.2f}" for verdict in decision.verdicts.values())
    cost = "" if decision.cost is None else f"{decision.cost:.6f} {decision.currency}"
    time = datetime.fromtimestamp(decision.time, UTC).strftime("%Y-%m-%d %H:%M:%S")
    about = (decision.route, decision.source, decision.status, " / ".join(scores), cost, f"{decision.seconds:.2f}")
    return (decision.id, time, *about)


def _in_words(found: Stats) -> str:
    def counted(counts: dict[str, int]) -> str:
        return ", ".join(f"{name} {n:,} ({n / found.decisions:.1%})" for name, n in sorted(counts.items()))

    if not found.decisions:
        return "no decisions"
    lines = [f"{found.decisions:,} decisions", f"source: {counted(found.sources)}"]
    lines += [f"status: {counted(found.statuses)}", f"route: {counted(found.routes)}"]
    if found.seconds is not None:
        lines.append("seconds: median {:.2f}, 95 % within {:.2f}".format(*found.seconds))
    for money in found.money:
        about = f" ({money.estimated:,} estimated)" if money.estimated else ""
        lines.append(
            f"{money.currency}: {money.spent:.4f} spent{about}, {money.shadow:.4f} in the shadow; always asking the "
            f"hosted model: {money.always_remote:.4f}"
        )
    for source, right in found.right.items():
        lines.append(f"right ({source}): {right} of {found.labelled[source]:,} labelled")
    return "\n".join(lines)


def _lines(text: str) -> list[RenderableType]:
    from rich.text import Text

    return [Text(text)]
