"""How the demo's thresholds were fixed: on recorded questions of other data, by trying all pairs on a grid.

``python -m twosup_chain.demo.thresholds --help`` does it. It promises nothing about other questions; a choice with a
guarantee is not the business of a demo.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import numpy as np
import numpy.typing as npt
import typer

from twosup_chain.demo.recording import SAMPLE
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.demo.run import DemoThresholds, SupervisorSetting
from twosup_chain.errors import ConfigurationError, TwosupError
from twosup_chain.reader.reader import ExtractiveReader
from twosup_chain.supervisor import Supervisor
from twosup_chain.text import squad
from twosup_chain.text.questions import LabelledQuestion, load_questions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twosup_chain.schema import Answer, QAInputLike

Column = npt.NDArray[np.float64]

#: Questions on other passages than the sample's, written for this purpose, and a hosted model's answers to them.
TUNING = SAMPLE.with_name("tuning.json")
TUNING_RECORDING = SAMPLE.with_name("tuning_recording.jsonl")

#: The scorers to choose from: one each, which need no log-probabilities, since ``twosup ask`` takes the settings for
#: any provider. So few questions could not tell more of them apart.
LOCAL_SCORERS = ("answerability",)
REMOTE_SCORERS = ("grounded",)
GRID = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Outcomes:
    """What both models are worth on the same questions, one entry a question.

    Args:
        local: Token F1 of the local prediction, in [0, 1].
        remote: Token F1 of the hosted prediction.
        nothing: Token F1 of "no answer".
        local_scores: The trust in the local prediction by scorer.
        remote_scores: The trust in the hosted prediction by scorer.
    """

    local: Column
    remote: Column
    nothing: Column
    local_scores: dict[str, Column]
    remote_scores: dict[str, Column]


@dataclass(frozen=True)
class Choice:
    """A setting of both supervisors, and what the chain does with it.

    Args:
        local: The first supervisor.
        remote: The second supervisor.
        f1: The chain's mean token F1, in [0, 1].
        remote_rate: The share of questions that are escalated.
        abstention: The share of questions on which nobody is trusted.
    """

    local: SupervisorSetting
    remote: SupervisorSetting
    f1: float
    remote_rate: float
    abstention: float


def outcomes(examples: Sequence[LabelledQuestion], local: Sequence[Answer], remote: Sequence[Answer]) -> Outcomes:
    """Returns what both models are worth on each example, by every scorer."""

    def worth(predictions: Sequence[str | None]) -> Column:
        return np.array([squad.f1(text, e.answers) for text, e in zip(predictions, examples, strict=True)])

    def trust(scorer: str, answers: Sequence[Answer]) -> Column:
        supervisor = Supervisor(scorer, threshold=0.0, missing=0.0)
        triples = zip(examples, answers, local, strict=True)
        return np.array([supervisor.judge(e.as_input(), answer, local=other).score for e, answer, other in triples])

    return Outcomes(
        local=worth([answer.text for answer in local]),
        remote=worth([answer.text for answer in remote]),
        nothing=worth([None] * len(examples)),
        local_scores={scorer: trust(scorer, local) for scorer in LOCAL_SCORERS},
        remote_scores={scorer: trust(scorer, remote) for scorer in REMOTE_SCORERS},
    )


def choose(found: Outcomes, call_price: float, remote_share: float = 0.0) -> Choice:
    """Returns the setting with the highest mean F1 less the price of its calls; of equals, that which abstains most.

    Args:
        found: What both models are worth.
        call_price: What one hosted call must bring, in points of F1 (in [0, 1]).
        remote_share: The least share of questions that the hosted model answers and is trusted with: a demo without any
            would not show what it is for.

    Raises:
        ConfigurationError: No setting trusts the hosted model with that many.
    """

    def value(choice: Choice) -> tuple[float, float]:
        return round(choice.f1 - call_price * choice.remote_rate, 9), choice.abstention

    allowed = [choice for choice in _settings(found) if choice.remote_rate - choice.abstention >= remote_share]
    if not allowed:
        message = f"remote_share={remote_share!r}: no setting has the hosted model answer that many; lower it"
        raise ConfigurationError(message)
    return max(allowed, key=value)


def _settings(found: Outcomes) -> Iterator[Choice]:
    """Yields every setting on the grid with what it is worth."""
    for remote_name, remote_trust in found.remote_scores.items():
        accepted = remote_trust >= GRID[:, None]  # (thresholds, n)
        remote_worth = np.where(accepted, found.remote, found.nothing)
        for (local_name, local_trust), threshold in product(found.local_scores.items(), GRID):
            kept = local_trust >= threshold
            f1s = np.where(kept, found.local, remote_worth).mean(axis=1)
            abstentions = (~kept & ~accepted).mean(axis=1)
            for place, f1 in enumerate(f1s):
                yield Choice(
                    local=_setting(local_name, threshold),
                    remote=_setting(remote_name, GRID[place]),
                    f1=float(f1),
                    remote_rate=float(1.0 - kept.mean()),
                    abstention=float(abstentions[place]),
                )


def _setting(scorer: str, threshold: float) -> SupervisorSetting:
    return SupervisorSetting(scorer=scorer, threshold=round(float(threshold), 2))


def main(
    *,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    data: Annotated[Path, typer.Option(help="The questions, in SQuAD format; never those of the sample.")] = TUNING,
    recording: Annotated[Path, typer.Option(help="The hosted model's answers to them.")] = TUNING_RECORDING,
    described: Annotated[
        str, typer.Option(help="What these questions are, in words.")
    ] = "questions of the project's own on other passages than the sample's (demo/tuning.json)",
    call_price: Annotated[float, typer.Option(min=0, max=1, help="What one hosted call must bring in F1.")] = 0.05,
    remote_share: Annotated[
        float, typer.Option(min=0, max=1, help="The least share of questions that the hosted model is to answer.")
    ] = 0.1,
) -> None:
    """Fixes both thresholds on questions that a hosted model was recorded on."""
    remote = ReplayedAnswerer(recording=recording)
    known = {line.id for line in remote.recording.lines}
    examples = [example for example in load_questions(data) if example.id in known]
    inputs: list[QAInputLike] = [example.as_input() for example in examples]
    found = outcomes(examples, ExtractiveReader().batch(inputs), remote.batch(inputs))
    choice = choose(found, call_price, remote_share)
    fixed = DemoThresholds(local=choice.local, remote=choice.remote, fixed_on=f"{len(examples)} {described}")
    out.write_text(json.dumps(fixed.model_dump(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    typer.echo(
        f"{out}: {choice.local}; {choice.remote}; F1 {choice.f1:.3f} with {choice.remote_rate:.1%} hosted calls and "
        f"{choice.abstention:.1%} abstentions; "
        f"local only {found.local.mean():.3f}, remote only {found.remote.mean():.3f} (n = {len(examples)})"
    )


if __name__ == "__main__":
    try:
        typer.run(main)
    except TwosupError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None
