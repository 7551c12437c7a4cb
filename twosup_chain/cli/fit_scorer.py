"""``twosup fit-scorer``: a learned scorer from recorded questions, as a JSON file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer
from rich.console import RenderableType

from twosup_chain.cli.command import command
from twosup_chain.cli.console import clean, note
from twosup_chain.cli.options import Output, Records
from twosup_chain.cli.tables import bar, table

if TYPE_CHECKING:
    from twosup_chain.scoring.learned import LearnedScorer

_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How the scorer is fitted.

    Args:
        role: Whose answers it judges: those of the ``local`` model, or of the ``remote`` one.
        model: ``logistic``, ``boosted`` (small trees), or ``isotonic`` (a curve of one `feature`).
        feature: A feature to use; may be repeated. By default all that were recorded and differ from question to
            question.
        folds: Into how many parts the questions are divided, each judged by a fit on the others.
        seed: The seed of the division and of the trees.
        described: What these questions are, in words; it stands in the file.
    """

    panel: ClassVar[str] = "Fit"
    role: Annotated[str, typer.Option("--role", metavar="ROLE")]
    model: Annotated[str, typer.Option(metavar="FAMILY")] = "logistic"
    feature: Annotated[tuple[str, ...], typer.Option("--feature")] = ()
    folds: int = 5
    seed: Annotated[int, typer.Option(min=0)] = 0
    described: Annotated[str | None, typer.Option(metavar="TEXT")] = None


@dataclass(frozen=True, kw_only=True)
class File(Output):
    """What is written.

    Args:
        out: The scorer's JSON file.
    """

    out: Annotated[Path, typer.Option("--out", "-o")]


@command()
def fit_scorer(records: Records, options: Fit, output: File) -> None:
    """Learn from recorded questions how probable it is that an answer is right.

    Questions on the same passage are never on both sides of a fold. Calibrate thresholds on other records than these.

    [bold]Examples[/bold]

    [cyan]twosup fit-scorer records.jsonl --role remote --out remote.json[/cyan]

    [cyan]twosup calibrate others.jsonl --risk 0.1 --remote-scorer remote.json --out calibration.json[/cyan]
    """
    from twosup_chain.fitting.fit_scorer import fit_scorer as fit

    scorer = fit(
        list(records.records),
        role=options.role,  # type: ignore[arg-type]  # `fit` lists the good words
        model=options.model,  # type: ignore[arg-type]
        features=options.feature or None,
        correct=records.correct,
        folds=options.folds,
        seed=options.seed,
        fitted_on=options.described,
    )
    scorer.save(output.out)
    output.show(lambda: {"path": str(output.out), **_figures(scorer)}, lambda: _overview(scorer))
    note(f"{output.out} is written: pass it as --{scorer.role}-scorer, or LearnedScorer.load({str(output.out)!r})")


def _figures(scorer: LearnedScorer) -> dict[str, Any]:
    model = scorer.model
    return {
        "name": scorer.name,
        "role": scorer.role,
        "family": model.family,
        "fitted_on": model.fitted_on,
        "fitness": model.fitness.model_dump(mode="json"),
        "importances": scorer.importances(),
        "others": {name: other.fitness.model_dump(mode="json") for name, other in scorer.others.items()},
    }


def _overview(scorer: LearnedScorer) -> list[RenderableType]:
    from twosup_chain.evaluation.words import number, percent

    fitness = scorer.model.fitness
    head = (
        f"{scorer.name}: {scorer.model.family}, {fitness.rows:,} predictions on {fitness.groups:,} passages, "
        f"{fitness.right:,} of them right"
    )
    found = {"right": fitness, **{name: other.fitness for name, other in scorer.others.items()}}
    quality = [(name, *map(number, (fit.auroc, fit.log_loss, fit.brier))) for name, fit in found.items()]
    shares = list(scorer.importances().items())
    left = len(shares) - _SHOWN
    return [
        clean(head),
        table(("Out of fold", ">AUROC", ">log loss", ">Brier score"), quality),
        table(
            ("Feature", ">share", ""), [(clean(name), percent(share), bar(share)) for name, share in shares[:_SHOWN]]
        ),
        *([f"and {left} more features (--json)"] if left > 0 else []),
    ]
