"""``twosup fit-scorer``: a learned scorer from recorded questions, as a JSON file.

It takes the command line's words apart and shows how good the fit is; the work is done in `fitting`.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twosup_chain.cli import options  # noqa: TC001 - typer reads the annotations
from twosup_chain.cli.console import clean, note, print_json, show

if TYPE_CHECKING:
    from rich.console import RenderableType

    from twosup_chain.scoring.learned import LearnedScorer

_FIT, _RECORDS, _OUTPUT = "Fit", "Records", "Output"
_SHOWN = 12
_BAR = 30


def fit_scorer(  # noqa: PLR0913 - a command's options are its arguments
    records: Annotated[
        list[Path],
        typer.Argument(metavar="RECORDS…", help="Files of records, as twosup collect writes them.", show_default=False),
    ],
    *,
    role: Annotated[
        str,
        typer.Option(
            "--role",
            "--place",
            metavar="ROLE",
            help="Whose answers it judges: those of the [bold]local[/bold] model, or of the [bold]remote[/bold] one.",
            rich_help_panel=_FIT,
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="The scorer's JSON file.", rich_help_panel=_OUTPUT),
    ],
    model: Annotated[
        str,
        typer.Option(
            metavar="FAMILY",
            help="[bold]logistic[/bold], [bold]boosted[/bold] (small trees), or [bold]isotonic[/bold] (a curve of one "
            "--feature).",
            rich_help_panel=_FIT,
        ),
    ] = "logistic",
    feature: Annotated[
        list[str] | None,
        typer.Option(
            "--feature",
            "--signal",
            metavar="NAME",
            help="A feature to use; may be repeated. By default all that were recorded and differ from question to "
            "question.",
            rich_help_panel=_FIT,
        ),
    ] = None,
    folds: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Into how many parts the questions are divided, each judged by a fit on the others.",
            rich_help_panel=_FIT,
        ),
    ] = 5,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="The seed of the division and of the trees.", rich_help_panel=_FIT)
    ] = 0,
    f1: options.F1Floor = None,
    described: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="What these questions are, in words; it stands in the file.", rich_help_panel=_RECORDS
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as one JSON document.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Learn from recorded questions how probable it is that an answer is right.

    Questions on the same passage are never on both sides of a fold. Calibrate thresholds on other records than these.

    [bold]Examples[/bold]

    [cyan]twosup fit-scorer records.jsonl --role remote --out remote.json[/cyan]

    [cyan]twosup calibrate others.jsonl --risk 0.1 --remote-scorer remote.json --out calibration.json[/cyan]
    """
    from twosup_chain.fitting.fit_scorer import fit_scorer as fit

    scorer = fit(
        list(records),
        role=role,  # type: ignore[arg-type]  # `fit` lists the good words
        model=model,  # type: ignore[arg-type]
        features=feature or None,
        correct="exact_match" if f1 is None else ("f1", f1),
        folds=folds,
        seed=seed,
        fitted_on=described,
    )
    scorer.save(out)
    if as_json:
        print_json({"path": str(out), **_figures(scorer)})
    else:
        show(*_overview(scorer))
    note(f"{out} is written: pass it as --{scorer.role}-scorer, or LearnedScorer.load({str(out)!r})")


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
    from rich import box
    from rich.table import Table
    from rich.text import Text

    fitness = scorer.model.fitness
    head = (
        f"{scorer.name}: {scorer.model.family}, {fitness.rows:,} predictions on {fitness.groups:,} passages, "
        f"{fitness.right:,} of them right"
    )
    quality = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    quality.add_column("Out of fold")
    for title in ("AUROC", "log loss", "Brier score"):
        quality.add_column(title, justify="right")
    for name, model in (("right", scorer.model), *scorer.others.items()):
        found = model.fitness
        quality.add_row(name, f"{found.auroc:.3f}", f"{found.log_loss:.3f}", f"{found.brier:.3f}")
    shares = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    shares.add_column("Feature", no_wrap=True)
    shares.add_column("share", justify="right", no_wrap=True)
    shares.add_column("", no_wrap=True)
    importances = list(scorer.importances().items())
    for name, share in importances[:_SHOWN]:
        shares.add_row(Text(clean(name)), f"{share:.1%}", "█" * round(_BAR * share))
    left = len(importances) - _SHOWN
    return [Text(clean(head)), quality, shares, *([Text(f"and {left} more features (--json)")] if left > 0 else [])]
