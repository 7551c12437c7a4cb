"""What each ingredient of the reader's training adds: short rounds of as many steps, each with one ingredient left out.

    python tests/benchmarks/reader_ingredients.py train OUT --model FOLDER --file train.json.gz --extra extra.json.gz
        --known KNOWN.json --steps 120
    python tests/benchmarks/reader_ingredients.py table OUT

All rounds start from the same checkpoint and are judged on the same held-out passages of the training file; an
interrupted run goes on. Differences are paired by question. A short round tells less than a long one: what needs many
examples to take effect looks small here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from scipy.stats import bootstrap

from twosup_chain.curves import auroc
from twosup_chain.text.squad import exact_match, f1
from twosup_chain.training.options import MixtureOptions, TrainerOptions
from twosup_chain.training.trainer import Trainer

FULL = {
    "sources": {"SQuADShifts-new_wiki": 0.3, "QED": 0.5, "SubjQA": 0.12},
    "inferred_weight": 0.975,
    "unanswerable_share": 0.5,
    "passage_negatives": 0.05,
    "swap_negatives": 0.06,
}
STEP = {"dropout": 0.0, "freeze_layers": 2}
#: By name, what is changed; a name in `FULL` or `STEP`, or "known".
ROUNDS: dict[str, dict[str, Any]] = {
    "all of them": {},
    "the unanswerable at their own share": {"unanswerable_share": 0.0},
    "no known questions left out": {"known": None},
    "no questions against other passages": {"passage_negatives": 0.0},
    "no swapped questions": {"swap_negatives": 0.0},
    "no other sources": {"sources": {}},
    "none of these, the plain file": {
        "unanswerable_share": 0.0,
        "known": None,
        "passage_negatives": 0.0,
        "swap_negatives": 0.0,
        "sources": {},
    },
    "all layers trained, dropout 0.1": {"dropout": 0.1, "freeze_layers": 0},
}
FIGURES = "AUROC", "exact match", "F1"


class Round(Trainer):
    """A trainer that keeps its latest predictions for held-out questions."""

    def predict_held_out(self, limit: int | None = None) -> Any:
        self.predicted = super().predict_held_out(limit)
        return self.predicted


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Out = Annotated[Path, typer.Argument(help="A folder for the rounds.")]


@app.command()
def train(
    out: Out,
    *,
    model: Annotated[Path, typer.Option(help="The checkpoint that every round starts from.")],
    file: Annotated[Path, typer.Option(help="The training file.")],
    extra: Annotated[Path, typer.Option(help="The file with other sources.")],
    known: Annotated[Path, typer.Option(help="What a reader knows of the training file.")],
    steps: Annotated[int, typer.Option(help="How many steps a round has, of 32 examples each.")] = 120,
    only: Annotated[list[str] | None, typer.Option(help="Only these rounds.")] = None,
) -> None:
    """Trains a round for each ingredient and keeps what it predicts for the held-out questions."""
    for name in only or ROUNDS:
        changed = ROUNDS[name]
        predicted = out / f"{name}.json"
        if predicted.exists():
            continue
        step = {key: changed.get(key, value) for key, value in STEP.items()}
        mixed = {key: changed.get(key, value) for key, value in FULL.items()}
        trainer = Round(
            TrainerOptions(
                model=model, out=out / name, epochs=8, max_steps=steps, learning_rate=1e-4, half_precision=True,
                threads=1, evaluate_every=10**6, save_every=50, evaluate_on=100, **step,
            ),
            MixtureOptions(files=(file,), extra=(extra,), known=changed.get("known", known), **mixed),
        )  # fmt: skip
        trainer.run()
        examples, predictions = trainer.predicted
        pairs = [(p.text, [text for text, _ in e.answers]) for e, p in zip(examples, predictions, strict=True)]
        found = {
            "examples": 32 * trainer.progress.step,
            "answerable": [e.answerable for e in examples],
            "margin": [max(p.margin, -1e9) for p in predictions],
            "exact": [exact_match(text, answers) if answers else 0.0 for text, answers in pairs],
            "f1": [f1(text, answers) if answers else 0.0 for text, answers in pairs],
        }
        predicted.write_text(json.dumps(found), encoding="utf-8")
        typer.echo(name)


@app.command()
def table(out: Out) -> None:
    """Prints what is lost without each ingredient, with 95 % intervals."""
    rounds = {name: json.loads((out / f"{name}.json").read_text("utf-8")) for name in ROUNDS}
    typer.echo("| round | examples | " + " | ".join(FIGURES) + " |\n|" + "---|" * (2 + len(FIGURES)))
    (first, whole), *others = rounds.items()
    for name, found in ((first, None), *others):
        columns = [np.array(whole[key], float) for key in ("answerable", "margin", "exact", "f1")]
        if found is not None:
            columns += [np.array(found[key], float) for key in ("margin", "exact", "f1")]
        cells = []
        for place in range(len(FIGURES)):
            drawn = bootstrap(
                columns, lambda *some, place=place: _figure(some, place), paired=True, vectorized=False,
                n_resamples=1000, method="percentile", rng=np.random.default_rng(0),
            )  # fmt: skip
            sign = "" if found is None else "+"
            low, high = drawn.confidence_interval
            cells.append(f"{_figure(columns, place):{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})")
        examples = (found or whole)["examples"]
        typer.echo(f"| {name} | {examples:,} | " + " | ".join(cells) + " |")


def _figure(columns: Any, place: int) -> float:
    """One figure of the round, or, where two are given, of the second less the first."""
    answerable = columns[0] > 0
    values = [
        auroc(some[0], answerable) if place == 0 else float(some[place][answerable].mean())
        for some in (columns[1:4], columns[4:])
        if some
    ]
    return values[-1] - (values[0] if len(values) > 1 else 0.0)


if __name__ == "__main__":
    app()
