"""``twosup export-reader``: from a trained checkpoint to a folder that the reader loads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from twosup_chain.cli.command import command
from twosup_chain.cli.console import clean
from twosup_chain.cli.options import Output
from twosup_chain.cli.progress import progress_bar


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Where the checkpoint is, and where the reader goes.

    Args:
        checkpoint: The folder of a trained reader, with config.json, model.safetensors and tokenizer.json: the folder
            final/ of ``twosup train-reader``, or any BERT for question answering whose null span is the first token.
        out: The folder that the reader will load; made if missing.
    """

    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT")]
    out: Annotated[Path, typer.Argument(metavar="OUT")]


@dataclass(frozen=True, kw_only=True)
class Held:
    """The questions that the answerability is calibrated on.

    Args:
        calibrate: Labelled questions that the checkpoint was not trained on, some of them unanswerable: a SQuAD file or
            JSON lines. Training leaves such a file behind, held_out.json.
        count: Calibrate on so many of them, drawn at random.
        seed: Seed of that draw.
    """

    panel: ClassVar[str] = "Calibration"
    calibrate: Path
    count: Annotated[int, typer.Option(min=2)] = 4000
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Exported(Output):
    """What the reader is like.

    Args:
        name: The model's name, which its answers carry.
        float32: Keep float32, four times the size: for GPUs, or to compare.
    """

    name: str = "reader"
    float32: bool = False


@command()
def export_reader(folders: Folders, calibration: Held, output: Exported) -> None:
    """Make a trained checkpoint a reader: an int8 ONNX model with a calibrated answerability.

    Use it as [bold]ExtractiveReader(model="OUT")[/bold]. Needs the extra [bold]train[/bold], but no torch.

    [bold]Example[/bold]

    [cyan]twosup export-reader run/final my-reader --calibrate run/held_out.json[/cyan]
    """
    from twosup_chain.reader.folder import CONFIG_FILE, MODEL_FILE, ReaderConfig
    from twosup_chain.text.questions import load_questions
    from twosup_chain.training import export

    examples = export.sample(load_questions(calibration.calibrate), calibration.count, calibration.seed)
    with progress_bar("Calibrating") as watch:
        folder = export.export_reader(
            folders.checkpoint, folders.out, examples, name=output.name, int8=not output.float32, report=watch
        )
    model = ReaderConfig.read(folder / CONFIG_FILE).label
    megabytes = (folder / MODEL_FILE).stat().st_size / 1e6
    found = {"folder": str(folder), "model": model, "megabytes": round(megabytes, 1), "calibrated_on": len(examples)}
    lines = (
        f"{clean(str(folder))}: {clean(model)}, {megabytes:.1f} MB, calibrated on {len(examples)} questions",
        f"twosup evaluate-reader FILE --model {clean(str(folder))} measures it",
    )
    output.show(lambda: found, lambda: lines)
