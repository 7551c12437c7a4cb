"""The demo itself: every question of the sample through a chain with a live local model and a replayed hosted one.

The thresholds come from `thresholds.json`, which says on which other questions they were fixed.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import fsum
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import numpy as np
from langchain_core.runnables import Runnable

from twosup_chain._options import Record
from twosup_chain.calibration.record import CalibratedSupervisor
from twosup_chain.calibration.settings import scorer_of
from twosup_chain.chain import TwoSupervisorChain
from twosup_chain.curves.intervals import bootstrap
from twosup_chain.demo.recording import SAMPLE, Header
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.errors import InputError
from twosup_chain.reader.reader import ExtractiveReader
from twosup_chain.schema import Answer, QAInputLike, Source, Status, TwoSupervisorResult, Verdict
from twosup_chain.supervisor import Supervisor
from twosup_chain.text import squad
from twosup_chain.text.questions import LabelledQuestion, load_questions

RECORDING = SAMPLE.with_name("recording.jsonl")
THRESHOLDS = SAMPLE.with_name("thresholds.json")

#: How many questions are asked at once.
_PORTION = 8

#: How the figures of a `DemoSummary` are to be read.
DEFINITIONS = {
    "exact_match, f1": (
        "SQuAD v2's official measures, as means over all questions, in [0, 1]; a question that nobody could be trusted "
        "with counts as the prediction 'no answer'"
    ),
    "local_only": "the local model's own prediction for every question, without a supervisor",
    "remote_only": "the recorded prediction of the hosted model for every question, without a supervisor",
    "tokens": (
        "what the hosted model read and wrote, as its server counted; remote_only: for every question; chain: for "
        "those that it was asked; saved: the difference"
    ),
    "seconds": (
        "what the hosted model took when it was recorded, one question after the other; remote_only: for every "
        "question; chain: for those that it was asked; saved: the difference"
    ),
    "waited": "the wall time of this run, loading the local model included, with `at_once` questions at once",
}


class DemoThresholds(Record):
    """How the demo's two supervisors are set."""

    local: CalibratedSupervisor
    remote: CalibratedSupervisor
    fixed_on: str  # those questions, in words; never those of the sample

    @property
    def supervisors(self) -> dict[str, Any]:
        """The supervisors that these describe, as `TwoSupervisorChain` takes them."""
        return {
            f"{role}_supervisor": Supervisor(
                scorer_of(setting, role), threshold=setting.threshold, no_answer_threshold=setting.no_answer_threshold
            )
            for role, setting in (("local", self.local), ("remote", self.remote))
        }

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Returns the thresholds in a JSON file."""
        try:
            return cls(**json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"cannot read the demo's thresholds from {path}: {error}") from error


class DemoQuestion(Record):
    """What became of one question; ``None`` is "no answer", or what there was none of."""

    id: str
    title: str  # what its passage is about
    question: str
    context: str
    golds: tuple[str, ...]  # the accepted answers; empty for an unanswerable question
    source: Source
    status: Status
    answer: str | None
    start: int | None  # where the answer stands in the passage, in characters, up to `end` (exclusive)
    end: int | None
    local_answer: str | None
    remote_answer: str | None
    local_verdict: Verdict | None
    remote_verdict: Verdict | None
    reason: str
    exact_match: float  # 1.0 or 0.0, by SQuAD v2's rule, as F1
    f1: float


class Score(Record):
    """Means of SQuAD v2's two measures over all questions, in [0, 1], with their 95 % bootstrap intervals."""

    exact_match: float
    f1: float
    exact_match_interval: tuple[float, float] | None = None
    f1_interval: tuple[float, float] | None = None


class Saving(Record):
    """What asking the hosted model every time costs, what the chain costs, and the difference."""

    remote_only: float
    chain: float
    saved: float


class DemoSummary(Record):
    """The figures of the whole sample; `DEFINITIONS` says how they are to be read."""

    questions: int
    sources: dict[Source, int]  # how many questions ended with each source
    shares: dict[Source, float]  # of all questions, in [0, 1]
    statuses: dict[Status, int]
    remote_calls: int
    chain: Score
    local_only: Score
    remote_only: Score
    tokens: Saving  # of the hosted model
    seconds: Saving  # of the hosted model
    waited: float  # the wall time of this run, in seconds
    at_once: int = _PORTION


class DemoReport(Record):
    """Everything that the demo found out."""

    recording: Header  # who answered as the hosted model, when and how it was asked
    thresholds: DemoThresholds
    questions: tuple[DemoQuestion, ...]  # in the sample's order
    summary: DemoSummary
    definitions: dict[str, str] = DEFINITIONS


def run_demo(
    local: Runnable[Any, Any] | None = None,
    *,
    data: str | Path = SAMPLE,
    recording: str | Path = RECORDING,
    thresholds: str | Path = THRESHOLDS,
    progress: Callable[[int, int], object] | None = None,
) -> DemoReport:
    """Answers every question of the sample, live where the local model is trusted, else from the recording.

    Without `local` it is the `ExtractiveReader`; the recording must hold every question. `progress` is called with the
    number of questions that are answered, and of all.
    """
    examples = load_questions(data)
    settings = DemoThresholds.load(thresholds)
    remote = ReplayedAnswerer(recording=recording)
    chain = TwoSupervisorChain(local=local or ExtractiveReader(), remote=remote, **settings.supervisors)
    inputs: list[QAInputLike] = [example.as_input() for example in examples]
    recorded = remote.batch(inputs)
    started, results = perf_counter(), list[TwoSupervisorResult]()
    while len(results) < len(inputs):
        results += chain.batch(inputs[len(results) : len(results) + _PORTION])
        if progress is not None:
            progress(len(results), len(inputs))
    waited = perf_counter() - started
    return DemoReport(
        recording=remote.recording.header,
        thresholds=settings,
        questions=tuple(map(_question, examples, results)),
        summary=_summary(examples, results, recorded, waited),
    )


def _question(example: LabelledQuestion, result: TwoSupervisorResult) -> DemoQuestion:
    cited = result.citations[0] if result.citations else None
    return DemoQuestion(
        id=example.id,
        title=example.title,
        question=example.question,
        context=example.context,
        golds=example.answers,
        source=result.source,
        status=result.status,
        answer=result.answer,
        start=_of(cited, "start"),
        end=_of(cited, "end"),
        local_answer=_of(result.local, "text"),
        remote_answer=_of(result.remote, "text"),
        local_verdict=result.local_verdict,
        remote_verdict=result.remote_verdict,
        reason=result.reason,
        exact_match=squad.exact_match(result.answer, example.answers),
        f1=squad.f1(result.answer, example.answers),
    )


def _summary(
    examples: Sequence[LabelledQuestion],
    results: Sequence[TwoSupervisorResult],
    recorded: Sequence[Answer],
    waited: float,
) -> DemoSummary:
    sources = Counter(result.source for result in results)
    asked = [result.remote for result in results if result.remote is not None]
    chain, local_only, remote_only = _scores(
        examples,
        [result.answer for result in results],
        [_of(result.local, "text") for result in results],
        [answer.text for answer in recorded],
    )
    return DemoSummary(
        questions=len(examples),
        sources={source: sources[source] for source in ("local", "remote", "none")},
        shares={source: sources[source] / len(examples) for source in ("local", "remote", "none")},
        statuses=Counter(result.status for result in results),
        remote_calls=len(asked),
        chain=chain,
        local_only=local_only,
        remote_only=remote_only,
        tokens=_saving(_tokens(recorded), _tokens(asked)),
        seconds=_saving(_seconds(recorded), _seconds(asked)),
        waited=waited,
    )


def _scores(examples: Sequence[LabelledQuestion], *systems: Sequence[str | None]) -> list[Score]:
    """Returns the scores of several systems' predictions, with their intervals over the same resamples."""
    columns = [
        [measure(prediction, example.answers) for example, prediction in zip(examples, predictions, strict=True)]
        for predictions in systems
        for measure in (squad.exact_match, squad.f1)
    ]
    found = bootstrap(lambda *drawn: np.mean(drawn, axis=1), *columns)
    ends = list(zip(found.low.tolist(), found.high.tolist(), strict=True))
    pairs = [(*found.value[place : place + 2], *ends[place : place + 2]) for place in range(0, len(columns), 2)]
    return [Score(**dict(zip(Score.model_fields, pair, strict=True))) for pair in pairs]


def _saving(remote_only: float, chain: float) -> Saving:
    return Saving(remote_only=remote_only, chain=chain, saved=remote_only - chain)


def _tokens(answers: Iterable[Answer]) -> int:
    return sum(answer.usage["total_tokens"] for answer in answers if answer.usage is not None)


def _seconds(answers: Iterable[Answer]) -> float:
    return fsum(answer.seconds for answer in answers if answer.seconds is not None)


def _of(record: Record | None, field: str) -> Any:
    return None if record is None else getattr(record, field)
