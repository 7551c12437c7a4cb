"""The command that trains a reader, with its progress bar; ``app.command("train-reader")(train_reader)`` adds it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from twosup_chain.errors import ConfigurationError, TwosupError

if TYPE_CHECKING:
    from rich.progress import TaskID

_SHOWN = ("exact", "f1", "auroc", "official_f1", "balanced_f1")


def train_reader(  # noqa: PLR0913, PLR0917  a command line has as many options as it has
    out: Annotated[Path, typer.Argument(help="Folder for checkpoints, log and curves; a run found there is resumed.")],
    model: Annotated[Path, typer.Option(help="Folder of the checkpoint or encoder (BERT) to start from.")],
    file: Annotated[list[Path], typer.Option(help="SQuAD-format file to train on; may be repeated.")],
    extra: Annotated[list[Path] | None, typer.Option(help="File of which only the --source named are used.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="NAME=SHARE of the extra files; may be repeated.")] = None,
    held_out: Annotated[float, typer.Option(help="Share of the passages held out.")] = 0.04,
    unanswerable_share: Annotated[float, typer.Option(help="Share of unanswerable questions; 0 keeps all.")] = 0.45,
    passage_negatives: Annotated[float, typer.Option(help="Made from other passages, per answerable one.")] = 0.04,
    swap_negatives: Annotated[float, typer.Option(help="Made by swapped words, per answerable one.")] = 0.04,
    inferred_weight: Annotated[float, typer.Option(help="Weight of unanswerable ones with join=inferred.")] = 1.0,
    epochs: Annotated[int, typer.Option(help="Epochs at most.")] = 2,
    minutes: Annotated[float | None, typer.Option(help="Minutes at most; the learning rate follows.")] = None,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 1e-4,
    warmup: Annotated[float, typer.Option(help="Share of the run in which the learning rate rises.")] = 0.05,
    batch_size: Annotated[int, typer.Option(help="Windows a step.")] = 32,
    max_length: Annotated[int, typer.Option(help="Longest window, in tokens.")] = 256,
    stride: Annotated[int, typer.Option(help="Tokens that neighbouring windows share.")] = 96,
    dropout: Annotated[float, typer.Option(help="Dropout of the encoder.")] = 0.1,
    freeze_embeddings: Annotated[bool, typer.Option(help="Leave the word embeddings as they are.")] = False,
    bf16: Annotated[bool, typer.Option(help="Compute in bfloat16 where safe; for CPUs and GPUs that have it.")] = False,
    evaluate_every: Annotated[int, typer.Option(help="Steps between evaluations.")] = 200,
    save_every: Annotated[int, typer.Option(help="Steps between checkpoints.")] = 100,
    evaluate_on: Annotated[int, typer.Option(help="Held-out questions of an evaluation during training.")] = 1000,
    patience: Annotated[int | None, typer.Option(help="Evaluations without gain before stopping early.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, …; CUDA is taken where there is one.")] = None,
    seed: Annotated[int, typer.Option(help="Decides everything random.")] = 0,
) -> None:
    """Trains an extractive reader on SQuAD-format files; resumes where an earlier run in the folder stopped."""
    from twosup_chain.training.mixture import MixtureOptions
    from twosup_chain.training.trainer import Trainer, TrainerOptions

    mixture = MixtureOptions(
        files=tuple(file),
        extra=tuple(extra or ()),
        sources=dict(_source(item) for item in source or ()),
        held_out=held_out,
        unanswerable_share=unanswerable_share or None,
        passage_negatives=passage_negatives,
        swap_negatives=swap_negatives,
        inferred_weight=inferred_weight,
        seed=seed,
    )
    options = TrainerOptions(
        model=model,
        out=out,
        epochs=epochs,
        minutes=minutes,
        learning_rate=learning_rate,
        warmup=warmup,
        batch_size=batch_size,
        max_length=max_length,
        stride=stride,
        dropout=dropout,
        freeze_embeddings=freeze_embeddings,
        half_precision=bf16,
        evaluate_every=evaluate_every,
        save_every=save_every,
        evaluate_on=evaluate_on,
        patience=patience,
        threads=threads,
        device=device,
        seed=seed,
    )
    trainer = Trainer(options, mixture)
    with _Bar(trainer) as bar:
        trainer.run(bar)


def main() -> None:
    """Runs the command by itself, errors as one line and exit code 2."""
    try:
        typer.run(train_reader)
    except TwosupError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None


def _source(item: str) -> tuple[str, float]:
    name, _, share = item.rpartition("=")
    try:
        return (name or item), float(share)
    except ValueError:
        message = f"--source {item!r} is not NAME=SHARE, as in --source SQuADShifts=0.5"
        raise ConfigurationError(message) from None


class _Bar:
    """The progress bar on stderr; evaluations are printed above it."""

    def __init__(self, trainer: Any) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("training"), BarColumn(), TextColumn("{task.fields[state]}"), TimeRemainingColumn())
        self.trainer = trainer
        self.progress = Progress(*columns, console=Console(stderr=True))
        self.task: TaskID = self.progress.add_task("training", total=1.0, state="reading")

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def __call__(self, entry: dict[str, Any]) -> None:
        """Shows an entry of the log."""
        state = f"step {entry['step']}/{self.trainer.steps}"
        if "loss" in entry:
            state += f", loss {entry['loss']:.3f}"
        if "auroc" in entry:
            found = ", ".join(f"{name} {entry[name]:.3f}" for name in _SHOWN)
            self.progress.console.print(f"step {entry['step']}: {found} (n={entry['questions']})", highlight=False)
        self.progress.update(self.task, completed=self.trainer.share, state=state)
