"""Our chains, asked live: reader and scorers run, the hosted model is played back; held against the records."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from study.records import asked, name_of
from twosup_chain import ExtractiveReader, TwoSupervisorChain
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.outcomes.decisions import decide
from twosup_chain.text import squad
from twosup_chain.text.questions import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from study.ours import Ours
    from twosup_chain.text.questions import LabelledQuestion


class Alike(NamedTuple):
    """How a fold's chain ends its questions.

    Attributes:
        questions: How many there are.
        alike: How many end with the same source and status as by the records.
        f1: The chain's mean official F1.
    """

    questions: int
    alike: int
    f1: float


def live(ours: Ours, questions: Sequence[LabelledQuestion], recording: Path, rate: float) -> Iterator[Alike]:
    """Yields, for every fold, what its chain does with its questions.

    Args:
        ours: What was fitted.
        questions: The labelled questions.
        recording: The hosted model's answers.
        rate: The share of hosted calls that the chains are calibrated for.
    """
    remote = ReplayedAnswerer(recording=recording)
    by_digest = {digest(question): question for question in asked(questions, remote, name_of(recording))}
    reader = ExtractiveReader(no_answer_below=0.0)
    for fold in ours.folds:
        calibration = fold.calibration(remote_rate=rate)
        chain = TwoSupervisorChain(local=reader, remote=remote, **fold.scorers.supervisors(calibration))
        columns = fold.columns
        chosen = [by_digest[columns.record(row).digest] for row in range(len(columns))]
        results = chain.batch([question.as_input() for question in chosen])
        found = decide(columns.outcomes(), calibration.local.threshold, calibration.remote.threshold)
        ends = zip(results, found.source.tolist(), found.status.tolist(), strict=True)
        scores = [squad.f1(result.answer, question.answers) for result, question in zip(results, chosen, strict=True)]
        alike = sum((result.source, result.status) == (source, status) for result, source, status in ends)
        yield Alike(len(chosen), alike, float(np.mean(scores)))
