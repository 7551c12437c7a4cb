"""The command that trains a reader, with its progress bar; ``app.command("train-reader")(train_reader)`` adds it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from twosup_chain.cli.console import clean, print_json, show
from twosup_chain.errors import ConfigurationError, TwosupError

if TYPE_CHECKING:
    from rich.progress import TaskID

_DATA, _LENGTH, _STEP, _MACHINE = "Data", "Length of the run", "Learning", "Machine"
#: The figures that are shown: forced EM and F1, AUROC of the null margin, official F1 at the best threshold.
_SHOWN = ("exact", "f1", "auroc", "official_f1", "balanced_f1")


def train_reader(  # noqa: PLR0913  a command line has as many options as it has
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="The folder for checkpoints, log, curves and held-out questions; a run found there is resumed.",
            show_default=False,
        ),
    ],
    *,
    model: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="What to start from: the folder of a BERT encoder or question answering checkpoint, with config.json, "
            "model.safetensors and tokenizer.json.",
            show_default=False,
        ),
    ],
    file: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="A SQuAD-format file to train on, with unanswerable questions among the others; may be repeated.",
            show_default=False,
        ),
    ],
    extra: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A file of which only each --source is used.", rich_help_panel=_DATA),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SHARE",
            help="A source of the extra files and its share; may be repeated.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    held_out: Annotated[
        float, typer.Option(metavar="SHARE", help="The share of the passages held out.", rich_help_panel=_DATA)
    ] = 0.04,
    unanswerable_share: Annotated[
        float,
        typer.Option(
            metavar="SHARE", help="The share of unanswerable questions; 0 takes all there are.", rich_help_panel=_DATA
        ),
    ] = 0.45,
    passage_negatives: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Unanswerable questions to make by taking other passages, for each answerable one.",
            rich_help_panel=_DATA,
        ),
    ] = 0.0,
    swap_negatives: Annotated[
        float,
        typer.Option(
            metavar="SHARE", help="The same, by swapping names and numbers in the question.", rich_help_panel=_DATA
        ),
    ] = 0.0,
    inferred_weight: Annotated[
        float,
        typer.Option(
            metavar="WEIGHT",
            help="What an unanswerable question counts whose passage was inferred (join=inferred).",
            rich_help_panel=_DATA,
        ),
    ] = 1.0,
    known: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Leave out what a reader knows already, as judged by twosup_chain.training.known.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(metavar="N", help="Epochs at most.", rich_help_panel=_LENGTH)] = 2,
    max_steps: Annotated[
        int | None,
        typer.Option(metavar="N", help="How many steps at most, whatever --epochs.", rich_help_panel=_LENGTH),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(metavar="N", help="Minutes at most; the learning rate follows.", rich_help_panel=_LENGTH),
    ] = None,
    evaluate_every: Annotated[
        int, typer.Option(metavar="N", help="Steps between evaluations.", rich_help_panel=_LENGTH)
    ] = 200,
    evaluate_on: Annotated[
        int,
        typer.Option(metavar="N", help="Held-out questions of an evaluation on the way.", rich_help_panel=_LENGTH),
    ] = 1000,
    patience: Annotated[
        int | None,
        typer.Option(metavar="N", help="Evaluations without gain before stopping early.", rich_help_panel=_LENGTH),
    ] = None,
    save_every: Annotated[
        int, typer.Option(metavar="N", help="Steps between checkpoints.", rich_help_panel=_LENGTH)
    ] = 100,
    learning_rate: Annotated[
        float, typer.Option(metavar="RATE", help="The learning rate at its peak.", rich_help_panel=_STEP)
    ] = 1e-4,
    warmup: Annotated[
        float,
        typer.Option(metavar="SHARE", help="The share of the run in which it rises.", rich_help_panel=_STEP),
    ] = 0.05,
    batch_size: Annotated[int, typer.Option(metavar="N", help="Windows a step.", rich_help_panel=_STEP)] = 32,
    max_length: Annotated[
        int, typer.Option(metavar="N", help="The longest window, in tokens.", rich_help_panel=_STEP)
    ] = 256,
    stride: Annotated[
        int, typer.Option(metavar="N", help="Tokens that neighbouring windows share.", rich_help_panel=_STEP)
    ] = 96,
    dropout: Annotated[float, typer.Option(metavar="SHARE", help="Dropout.", rich_help_panel=_STEP)] = 0.1,
    freeze_embeddings: Annotated[
        bool, typer.Option(help="Leave the word embeddings as they are.", rich_help_panel=_STEP)
    ] = False,
    freeze_layers: Annotated[
        int,
        typer.Option(
            metavar="N", help="Leave the embeddings and the N lowest layers as they are.", rich_help_panel=_STEP
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(metavar="N", help="Decides everything random.", rich_help_panel=_STEP)] = 0,
    bf16: Annotated[
        bool,
        typer.Option(help="Compute in bfloat16 where that is safe, if the processor has it.", rich_help_panel=_MACHINE),
    ] = False,
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="Processor threads.", rich_help_panel=_MACHINE)
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="cpu, cuda, …; CUDA is taken where there is one.", rich_help_panel=_MACHINE),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures at the end as one JSON document.")] = False,
) -> None:
    """Train an extractive reader on SQuAD-format files.

    It can be interrupted at any moment: the same command goes on from the last checkpoint.

    The best model is left in OUT/final, of which [bold]twosup export-reader[/bold] makes a reader.

    Needs the extra [bold]train[/bold].

    [bold]Example[/bold]

    [cyan]twosup train-reader run --model all-MiniLM-L6-v2 --file train-v2.0.json --minutes 60[/cyan]

    [cyan]twosup export-reader run/final my-reader --calibrate run/held_out.json[/cyan]
    """
    from twosup_chain.training.mixture import MixtureOptions
    from twosup_chain.training.options import TrainerOptions
    from twosup_chain.training.trainer import Trainer

    mixture = MixtureOptions(
        files=tuple(file),
        extra=tuple(extra or ()),
        sources=dict(_source(item) for item in source or ()),
        held_out=held_out,
        unanswerable_share=unanswerable_share or None,
        passage_negatives=passage_negatives,
        swap_negatives=swap_negatives,
        inferred_weight=inferred_weight,
        known=known,
        seed=seed,
    )
    options = TrainerOptions(
        model=model,
        out=out,
        epochs=epochs,
        max_steps=max_steps,
        minutes=minutes,
        learning_rate=learning_rate,
        warmup=warmup,
        batch_size=batch_size,
        max_length=max_length,
        stride=stride,
        dropout=dropout,
        freeze_embeddings=freeze_embeddings,
        freeze_layers=freeze_layers,
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
        found = trainer.run(bar).as_dict()
    if as_json:
        print_json(found)
    else:
        show(f"{clean(str(out / 'final'))}: {', '.join(f'{name} {found[name]:.3f}' for name in _SHOWN)}")


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
