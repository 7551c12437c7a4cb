"""Questions on business texts: what a reader and its supervisor make of invoices, tables, policies, manuals, minutes, …

    python tests/benchmarks/business.py tuning|sealed [--reader FOLDER] [--hosted RECORDING] [--thresholds FILE]

Twenty texts of our own, 310 questions, a third of them unanswerable. Settings may be chosen on the half called
*tuning*; on the *sealed* half nothing was. An answer is right where it is one of the accepted ones, which are all
wordings that the text offers (SQuAD's normalisation). Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twosup_chain import ExtractiveReader, Supervisor, TwoSupervisorChain
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.demo.run import THRESHOLDS, DemoThresholds
from twosup_chain.scoring.learned import LearnedScorer
from twosup_chain.text import squad
from twosup_chain.text.questions import LabelledQuestion, load_questions

if TYPE_CHECKING:
    from twosup_chain.schema import TwoSupervisorResult


class Half(StrEnum):
    """On which half of the texts."""

    tuning = "tuning"
    sealed = "sealed"


#: What may become of a question; `open` is left to somebody else.
FATES = ("right", "wrong", "no answer, rightly", "no answer, wrongly", "open")


def data(half: str) -> Path:
    """Returns the file of a half."""
    return Path(__file__).with_name(f"business_{half}.json")


def kinds(half: str) -> dict[str, str]:
    """Returns what each question asks for, or tests, by its id."""
    articles = json.loads(data(half).read_text(encoding="utf-8"))["data"]
    return {qa["id"]: qa["kind"] for article in articles for qa in article["paragraphs"][0]["qas"]}


def fate(question: LabelledQuestion, text: str | None, *, trusted: bool) -> str:
    """Returns what became of a question that was answered so."""
    if not trusted:
        return "open"
    right = squad.exact_match(text, question.answers) == 1.0
    return ("right" if right else "wrong") if text is not None else f"no answer, {'rightly' if right else 'wrongly'}"


def fates(question: LabelledQuestion, result: TwoSupervisorResult) -> dict[str, str]:
    """Returns what became of a question by the reader alone, by reader and supervisor, and by the whole chain."""
    local, verdict = result.local, result.local_verdict
    assert local is not None and verdict is not None  # noqa: PT018  no part of these chains fails
    own = None if verdict.chosen == "unanswerable" else local.text
    return {
        "reader alone": fate(question, local.text, trusted=True),
        "supervised": fate(question, own, trusted=verdict.trusted),
        "chain": fate(question, result.answer, trusted=result.status != "untrusted"),
    }


def wilson(hits: int, n: int, z: float = 1.96) -> str:
    """Returns a share with its interval, in percent."""
    if not n:
        return "–"
    centre, half = hits + z * z / 2, z * math.sqrt(hits * (n - hits) / n + z * z / 4)
    low, high = ((centre + sign * half) / (n + z * z) for sign in (-1, 1))
    return f"{hits / n:.1%} ({low:.1%}–{high:.1%}; {hits} of {n})"


def summary(counts: Counter[str], answerable: int, n: int) -> list[str]:
    """Returns the figures that the acceptance names."""
    asked = sum(counts.values()) - counts["open"]
    return [
        f"right, of the answerable: {wilson(counts['right'], answerable)}",
        f"wrong answers, of all: {wilson(counts['wrong'], n)}",
        f"“no answer” wrongly, of the answerable: {wilson(counts['no answer, wrongly'], answerable)}",
        f"“no answer” rightly, of the others: {wilson(counts['no answer, rightly'], n - answerable)}",
        f"left open, of all: {wilson(n - asked, n)}",
    ]


def supervisors(thresholds: Path) -> dict[str, Any]:
    """Returns both supervisors; a scorer may also be a file of a learned one."""
    fixed = DemoThresholds.load(thresholds)
    made = {}
    for role, setting in (("local", fixed.local), ("remote", fixed.remote)):
        name = str(setting.scorer)
        made[f"{role}_supervisor"] = Supervisor(
            LearnedScorer.load(name) if name.endswith(".json") else name,
            threshold=setting.threshold,
            no_answer_threshold=setting.no_answer_threshold,
        )
    return made


def main(
    half: Annotated[Half, typer.Argument(help="tuning, or sealed (to be looked at once).")],
    *,
    reader: Annotated[Path | None, typer.Option(help="A reader's folder; the packaged one by default.")] = None,
    hosted: Annotated[Path | None, typer.Option(help="A hosted model's recorded answers.")] = None,
    thresholds: Annotated[Path, typer.Option(help="Scorers and thresholds, as the package's own file.")] = THRESHOLDS,
) -> None:
    """Prints what becomes of the questions, by kind and in all."""
    questions = load_questions(data(half))
    parts = supervisors(thresholds)
    if hosted is None:
        del parts["remote_supervisor"]
    else:
        parts["remote"] = ReplayedAnswerer(recording=hosted)
    results = TwoSupervisorChain(local=ExtractiveReader(model_path=reader), **parts).batch(
        [question.as_input() for question in questions]
    )
    kind_of, by_kind = kinds(half), defaultdict(Counter)
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    for question, result in zip(questions, results, strict=True):
        found = fates(question, result)
        by_kind[kind_of[question.id]][found["chain" if hosted else "supervised"]] += 1
        for stage, what in found.items():
            totals[stage][what] += 1
    print(f"{'':<16}" + "".join(f"{name:>20}" for name in FATES))
    for kind, counts in sorted(by_kind.items()):
        print(f"{kind:<16}" + "".join(f"{counts[name]:>20}" for name in FATES))
    answerable = sum(not question.is_impossible for question in questions)
    for stage, counts in totals.items():
        if stage != "chain" or hosted:
            print(f"\n{stage}\n  " + "\n  ".join(summary(counts, answerable, len(questions))))
    if hosted:
        asked = sum(result.remote is not None for result in results)
        print(f"\nhosted calls: {wilson(asked, len(questions))}")


if __name__ == "__main__":
    typer.run(main)
