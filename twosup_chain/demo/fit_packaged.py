"""How the packaged pair of learned scorers is fitted: ``python -m twosup_chain.demo.fit_packaged --help``.

From files of records that ``twosup collect`` has written, or, where none is given, from the questions that the demo's
thresholds were fixed on, with the packaged reader and the recorded hosted model.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, cast

import typer

from twosup_chain.demo.thresholds import tuning_records
from twosup_chain.fitting.fit_scorer import fit_scorer
from twosup_chain.scoring.learned_model import Family  # noqa: TC001 - typer reads the annotations
from twosup_chain.scoring.packaged import FILES, FOLDER

_DEMO = (
    "144 questions of the project's own (demo/tuning.json), with the packaged reader and Qwen2.5-Coder-1.5B-Instruct"
)


def main(
    records: Annotated[
        list[Path] | None, typer.Argument(metavar="[RECORDS…]", help="Files of records; by default the demo's.")
    ] = None,
    *,
    described: Annotated[str, typer.Option(help="What these questions and models are, in words.")] = _DEMO,
    model: Annotated[str, typer.Option(help="logistic or boosted, for both.")] = "logistic",
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = FOLDER,
) -> None:
    """Fits both scorers and writes their files."""
    with tempfile.TemporaryDirectory() as folder:
        paths = records or [tuning_records(Path(folder) / "records.jsonl")]
        out.mkdir(parents=True, exist_ok=True)
        for name, file in FILES.items():
            scorer = fit_scorer(
                list(paths),
                role=name.removeprefix("learned_"),  # type: ignore[arg-type]
                model=cast("Family", model),
                fitted_on=described,
            )
            scorer.save(out / file.name)
            fitness = scorer.model.fitness
            typer.echo(
                f"{out / file.name}: {scorer.name}, {fitness.rows} predictions, {fitness.right} right, out-of-fold "
                f"AUROC {fitness.auroc:.3f}, log loss {fitness.log_loss:.3f}"
            )


if __name__ == "__main__":
    typer.run(main)
