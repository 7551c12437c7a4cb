"""How a pair of learned scorers is fitted like the packaged one: ``python -m twosup_chain.demo.fit_packaged --help``.

The packaged one is fitted on more questions and readers, by ``tests/benchmarks/business_fit.py`` of the repository.

From files of records that ``twosup collect`` has written, or, where none is given, from the questions that the demo's
thresholds were fixed on, with the packaged reader and the recorded hosted model.
"""

import tempfile
from pathlib import Path
from typing import Annotated, cast

import typer

from twosup_chain.demo.lies import lying_records
from twosup_chain.demo.recording import digest, load
from twosup_chain.demo.thresholds import TUNING, TUNING_RECORDING, tuning_records
from twosup_chain.fitting.fit_scorer import fit_scorer
from twosup_chain.reader.reader import ExtractiveReader
from twosup_chain.scoring.learned_model import Family
from twosup_chain.scoring.packaged import FILES, FOLDER
from twosup_chain.text.questions import load_questions

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
        honest: list[str | Path] = [*records] if records else [tuning_records(Path(folder) / "records.jsonl")]
        lies, groups = ([], None) if records else _lies(Path(folder))
        out.mkdir(parents=True, exist_ok=True)
        for name, file in FILES.items():
            role = name.removeprefix("learned_")
            scorer = fit_scorer(
                [*honest, *lies] if role == "remote" else honest,
                role=role,  # type: ignore[arg-type]
                model=cast("Family", model),
                groups=groups if role == "remote" else None,
                fitted_on=described,
            )
            scorer.save(out / file.name)
            fitness = scorer.model.fitness
            typer.echo(
                f"{out / file.name}: {scorer.name}, {fitness.rows} predictions, {fitness.right} right, out-of-fold "
                f"AUROC {fitness.auroc:.3f}, log loss {fitness.log_loss:.3f}"
            )


def _lies(folder: Path) -> tuple[list[Path], dict[str, str]]:
    """Collects the demo's questions on passages that lie; returns the records, and the article of every question."""
    answers = load(TUNING_RECORDING).answers
    recorded = ((question, answers.get(digest(question.as_input()))) for question in load_questions(TUNING))
    said = {question: answer for question, answer in recorded if answer is not None}
    told, reader = {question.id: answer for question, answer in said.items()}, ExtractiveReader()
    records = [
        lying_records(list(said), told, reader, folder / f"{how}.jsonl", obeys=how == "obeys")
        for how in ("obeys", "resists")
    ]
    return records, {f"{question.id}{how}": question.title for question in said for how in ("", " obeys", " resists")}


if __name__ == "__main__":
    typer.run(main)
