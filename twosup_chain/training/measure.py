"""A finished reader's figures on a labelled file, with bootstrap intervals: the numbers of its model card.

    python -m twosup_chain.training.measure MODEL_DIR SQUAD_FILE

Nothing is chosen here: the threshold and the calibration are the reader's own.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path  # noqa: TC003  typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from twosup_chain.answerers.reader import ExtractiveReader
from twosup_chain.curves import auroc, calibration_error
from twosup_chain.errors import TwosupError
from twosup_chain.schema import Answer
from twosup_chain.squad import exact_match, f1, load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from twosup_chain.squad import Example

_MIDDLE_95 = (2.5, 97.5)


class Figures:
    """Figures of a reader on labelled questions; the method `values` computes them on any selection of the rows.

    Args:
        examples: The questions.
        answers: The reader's answers, one a question.
    """

    def __init__(self, examples: Sequence[Example], answers: Sequence[Answer]) -> None:
        best = [answer.candidates[0].text if answer.candidates else None for answer in answers]
        pairs = list(zip(examples, answers, best, strict=True))
        self.answerable = np.array([not e.is_impossible for e in examples])
        self.answerability = np.array([a.scores["answerability"] for a in answers])
        self.exact = np.array([exact_match(a.text, e.answers) for e, a, _ in pairs])
        self.f1 = np.array([f1(a.text, e.answers) for e, a, _ in pairs])
        self.forced_exact = np.array([exact_match(b, e.answers) for e, _, b in pairs])
        self.forced_f1 = np.array([f1(b, e.answers) for e, _, b in pairs])

    def values(self, rows: NDArray[np.int64]) -> dict[str, float]:
        """Returns the figures of the chosen rows, each in [0, 1]; NaN where a class is missing."""
        yes = self.answerable[rows]
        return {
            "HasAns exact, forced": _mean(self.forced_exact[rows][yes]),
            "HasAns F1, forced": _mean(self.forced_f1[rows][yes]),
            "official exact": _mean(self.exact[rows]),
            "official F1": _mean(self.f1[rows]),
            "HasAns F1": _mean(self.f1[rows][yes]),
            "NoAns exact": _mean(self.exact[rows][~yes]),
            "answerability AUROC": auroc(self.answerability[rows], yes),
            "answerability ECE": calibration_error(self.answerability[rows], yes),
        }

    def with_intervals(self, resamples: int = 1000, seed: int = 0) -> dict[str, tuple[float, float, float]]:
        """Returns each figure with its 95 % interval: the percentile bootstrap over questions (Efron 1979)."""
        n = len(self.answerable)
        rng = np.random.default_rng(seed)
        drawn = [self.values(rng.integers(0, n, n)) for _ in range(resamples)]
        found: dict[str, tuple[float, float, float]] = {}
        for name, value in self.values(np.arange(n)).items():
            low, high = np.nanpercentile([figures[name] for figures in drawn], _MIDDLE_95)
            found[name] = (value, float(low), float(high))
        return found


def measure(
    reader: ExtractiveReader, examples: Sequence[Example], report: Callable[[int], None]
) -> tuple[Figures, float]:
    """Returns the reader's figures and the median of its milliseconds a question, asked one at a time.

    Args:
        reader: The reader.
        examples: The questions.
        report: Is told how many are done.
    """
    answers: list[Answer] = []
    seconds: list[float] = []
    for example in examples:
        began = time.perf_counter()
        (answer,) = reader.answer_many([example.as_input()])
        seconds.append(time.perf_counter() - began)
        answers.append(answer if isinstance(answer, Answer) else Answer(None, scores={"answerability": 0.0}))
        report(1)
    return Figures(examples, answers), 1e3 * float(np.median(seconds))


def main(
    model: Annotated[Path, typer.Argument(help="Folder with reader.onnx, tokenizer.json, config.json.")],
    squad_file: Annotated[Path, typer.Argument(help="SQuAD v2 file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    threads: Annotated[int | None, typer.Option(help="Threads of the model.")] = None,
) -> None:
    """Prints exact match, F1, AUROC and calibration error of a reader, with 95 % bootstrap intervals."""
    try:
        reader = ExtractiveReader(model_path=model, num_threads=threads)
        examples = load(squad_file)
        with typer.progressbar(length=len(examples), label="questions", file=sys.stderr) as bar:
            figures, milliseconds = measure(reader, examples, bar.update)
    except TwosupError as error:
        sys.exit(f"error: {error}")
    table = figures.with_intervals()
    if as_json:
        typer.echo(json.dumps({"n": len(examples), "ms_p50": milliseconds, **table}, indent=2))
        return
    typer.echo(
        f"{len(examples)} questions, {int(figures.answerable.sum())} answerable; {milliseconds:.1f} ms a question (p50)"
    )
    for name, (value, low, high) in table.items():
        typer.echo(f"{name:24} {value:.4f}  [{low:.4f}, {high:.4f}]")


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")


if __name__ == "__main__":
    typer.run(main)
