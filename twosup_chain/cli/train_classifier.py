"""``twosup train-classifier``: a local classifier from labelled texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer
from rich.console import RenderableType

from twosup_chain.cli.command import command
from twosup_chain.cli.console import clean, note
from twosup_chain.cli.options import Output
from twosup_chain.cli.progress import progress_bar

if TYPE_CHECKING:
    from twosup_chain.classifier.folder import ClassifierConfig


@dataclass(frozen=True, kw_only=True)
class Data:
    """The labelled texts.

    Args:
        data: JSON lines with ``text`` and ``label``; ``null`` where no label fits, which teaches what is out of scope.
    """

    data: Annotated[Path, typer.Argument(metavar="DATA")]


@dataclass(frozen=True, kw_only=True)
class Training:
    """How the classifier is fitted.

    Args:
        balanced: Let each label weigh alike, however many texts it has.
        folds: Into how many parts the texts are divided; temperature and figures are of texts that a fit has not seen.
        seed: The seed of that division.
        threads: The threads that read a text; one a physical core by default.
    """

    panel: ClassVar[str] = "Training"
    balanced: bool = False
    folds: Annotated[int, typer.Option(min=2)] = 3
    seed: Annotated[int, typer.Option(min=0)] = 0
    threads: Annotated[int | None, typer.Option(min=1)] = None


@dataclass(frozen=True, kw_only=True)
class Folder(Output):
    """What is written.

    Args:
        out: The classifier's folder.
        name: The classifier's name, which its answers carry.
    """

    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER")]
    name: str = "classifier"


@command()
def train_classifier(data: Data, training: Training, output: Folder) -> None:
    """Fit a local classifier on labelled texts, in minutes on a CPU.

    Use it as [bold]TextClassifier(model="FOLDER")[/bold]. Calibrate thresholds on other texts than these.

    [bold]Example[/bold]

    [cyan]twosup train-classifier issues.jsonl --out triage --balanced[/cyan]
    """
    from twosup_chain.fitting.fit_classifier import fit_classifier
    from twosup_chain.text.questions import load_decisions

    examples = load_decisions(data.data)
    with progress_bar("Reading") as bar:
        config = fit_classifier(
            examples,
            output.out,
            name=output.name,
            balanced=training.balanced,
            folds=training.folds,
            seed=training.seed,
            num_threads=training.threads,
            report=bar,
        )
    found = {"folder": str(output.out), "model": config.label, **config.fitness.model_dump(mode="json")}
    output.show(lambda: found, lambda: _overview(config))
    note(f'{output.out} is written: TextClassifier(model="{output.out}") loads it')


def _overview(config: ClassifierConfig) -> list[RenderableType]:
    from twosup_chain.evaluation.words import number, percent

    fitness = config.fitness
    count = sum(fitness.texts.values())
    least, most = min(fitness.texts.values()), max(fitness.texts.values())
    lines = [
        f"{clean(config.label)}: {count:,} texts, {len(config.labels)} labels of {least:,} to {most:,} texts each",
        f"{percent(fitness.accuracy)} right and a macro F1 of {number(fitness.macro_f1)} out of {fitness.folds} folds",
    ]
    if fitness.outside_auroc is not None:
        lines.append(f"{fitness.outside:,} texts that no label fits: AUROC {number(fitness.outside_auroc)}")
    return list(lines)
