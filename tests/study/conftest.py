"""The study beside the examples, as a package; and records of made-up questions."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from study.questions import Questions

from twosup_chain.records.prediction import RecordedPrediction, RecordedUsage
from twosup_chain.records.question import QuestionRecord

STUDY = Path(__file__).parents[2] / "examples" / "study"


def made_up_record(rng: np.random.Generator, number: int) -> QuestionRecord:
    """A made-up question: every number of it is random, but that features tell a part of the truth."""
    answerable = bool(rng.random() < 0.5)

    def prediction(features: dict[str, float], *, right: bool, model: str) -> RecordedPrediction:
        return RecordedPrediction(
            no_answer=False,
            exact_match=float(right),
            f1=1.0 if right else 0.9 * float(rng.random()) * answerable,
            trust={"backed": rng.random()},
            features={
                "no_answer": 0.0,
                "hint": right + rng.normal(scale=0.7),
                "token_margin_mean": 0.5 * right + 0.5 * float(rng.random()),
                **features,
            },
            usage=RecordedUsage(input_tokens=100, output_tokens=3),
            model=model,
        )

    null, span = rng.uniform(0.05, 0.5, 2)
    tokens = {f"token_{name}": float(np.log(rng.uniform(0.4, 1.0))) for name in ("min", "mean")}
    local = {
        "null_probability": null,
        "span_probability": span,
        "runner_up_margin": rng.uniform(0.0, 3.0),
        "answerability": float(np.clip(answerable + rng.normal(), 0.0, 1.0)),
    }
    return QuestionRecord(
        id=f"made up/article {number % 10}/{number}",
        digest=f"{rng.integers(2**62):016x}",
        answerable=answerable,
        local=prediction(local | tokens, right=answerable and rng.random() < 0.7, model="reader"),
        remote=prediction(tokens | {"about": answerable + rng.normal()}, right=rng.random() < 0.75, model="hosted"),
        passage=f"{number // 4:016x}",
    )


@pytest.fixture(scope="session")
def records(tmp_path_factory) -> Path:
    """A file of 300 made-up records."""
    rng, path = np.random.default_rng(0), tmp_path_factory.mktemp("study") / "records.jsonl"
    path.write_bytes(b"".join(made_up_record(rng, number).as_line() for number in range(300)))
    return path


@pytest.fixture(scope="session")
def made_up(records: Path) -> Questions:
    """The same as columns; the local model is at once the reader and the small generative one."""
    return Questions.of(records, records)
