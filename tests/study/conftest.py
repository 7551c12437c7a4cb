"""The study beside the examples, as a package; and columns of made-up questions."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from typing import TYPE_CHECKING

from study.columns import Columns
from study.questions import Prediction, Question, Token

if TYPE_CHECKING:
    from collections.abc import Callable


def made_up_question(rng: np.random.Generator, place: int) -> Question:
    """Returns a made-up question; every number of it is random."""

    def prediction(text: str | None, *, tokens: bool, rate: float = 0.5) -> Prediction:
        exact = float(rng.random() < rate)
        written = tuple(
            Token(token="x", logprob=np.log(p), first=p, second=(1 - p) / 2) for p in rng.uniform(0.4, 1.0, 3)
        )
        return Prediction(
            text=text,
            exact=exact,
            f1=exact or float(rng.random()),
            tokens=written if tokens else (),
            input_tokens=100,
            output_tokens=3,
            seconds=1.0,
        )

    null, span = rng.uniform(0.05, 0.5, 2)
    return Question(
        id=str(place),
        source="made up",
        article=f"article {place % 10}",
        paragraph=f"{place // 4:08x}",
        answerable=bool(rng.random() < 0.5),
        reader=prediction(None if null > span else "x", tokens=False),
        span=prediction("x", tokens=False),
        local_signals={
            "null_probability": null,
            "span_probability": span,
            "runner_up_margin": rng.uniform(0.0, 3.0),
            "answerability": 1.0 - null,
            "backed": rng.random(),
            "no_answer": float(null > span),
        },
        small=prediction("x", tokens=True),
        remote=prediction("x", tokens=True, rate=0.65),
        remote_signals={"token_min": -rng.random(), "backed": rng.random(), "agreement": rng.random()},
        signal_seconds=(0.001, 0.002),
    )


@pytest.fixture(scope="session")
def question() -> Callable[[np.random.Generator, int], Question]:
    """What makes a question up."""
    return made_up_question


@pytest.fixture(scope="session")
def made_up() -> Columns:
    """300 made-up questions as columns."""
    rng = np.random.default_rng(0)
    return Columns.of([made_up_question(rng, place) for place in range(300)])
