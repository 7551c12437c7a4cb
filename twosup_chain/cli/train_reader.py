"""``twosup train-reader``: trains a reader; its options are those of `training.options`."""

from typing import Any

import typer

from twosup_chain.cli.command import command
from twosup_chain.cli.console import clean
from twosup_chain.cli.options import Output
from twosup_chain.cli.progress import progress_bar
from twosup_chain.training.options import MixtureOptions, TrainerOptions

#: The figures that are shown: forced EM and F1, AUROC of the null margin, official F1 at the best threshold.
_SHOWN = ("exact", "f1", "auroc", "official_f1", "balanced_f1")


@command(
    out=typer.Argument(metavar="OUT"),
    model=typer.Option(metavar="FOLDER"),
    files=typer.Option("--file"),
    sources=typer.Option("--source", metavar="NAME=SHARE"),
    half_precision=typer.Option("--bf16"),
)
def train_reader(trainer: TrainerOptions, mixture: MixtureOptions, output: Output) -> None:
    """Train an extractive reader on SQuAD-format files.

    It can be interrupted at any moment: the same command goes on from the last checkpoint.

    The best model is left in OUT/final, of which [bold]twosup export-reader[/bold] makes a reader.

    Needs the extra [bold]train[/bold].

    [bold]Example[/bold]

    [cyan]twosup train-reader run --model all-MiniLM-L6-v2 --file train-v2.0.json --minutes 60[/cyan]

    [cyan]twosup train-reader run --model all-MiniLM-L6-v2 --file train-v2.0.json --teacher base-checkpoint
    --unlabelled more.json --swap-negatives 0.5 --averaged 0.999 --batch-tokens 24576 --bf16 --seconds 300[/cyan]

    [cyan]twosup export-reader run/final my-reader --calibrate run/held_out.json[/cyan]
    """
    from twosup_chain.training.trainer import Trainer

    training = Trainer(trainer, mixture)
    with progress_bar("Training", kept=trainer.out) as bar:

        def watch(entry: dict[str, Any]) -> None:
            state = f"step {entry['step']}/{training.steps}"
            if "auroc" in entry:
                bar.say(f"step {entry['step']}: {_figures(entry)} (n={entry['questions']})")
            bar(training.share, 1.0, f"{state}, loss {entry['loss']:.3f}" if "loss" in entry else state)

        found = training.run(watch).as_dict()
    output.show(lambda: found, lambda: [f"{clean(str(trainer.out / 'final'))}: {_figures(found)}"])


def _figures(found: dict[str, Any]) -> str:
    return ", ".join(f"{name} {found[name]:.3f}" for name in _SHOWN)
