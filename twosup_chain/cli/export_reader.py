"""``twosup export-reader``: from a trained checkpoint to a folder that the reader loads.

It takes the command line's words apart; the work is done in `training.export`.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads the annotation
from typing import Annotated

import typer

from twosup_chain.cli.console import clean, print_json, show
from twosup_chain.cli.progress import progress_bar

_CALIBRATION, _OUTPUT = "Calibration", "Output"


def export_reader(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CHECKPOINT",
            help="The folder of a trained reader, with config.json, model.safetensors and tokenizer.json: the folder "
            "final/ of [bold]twosup train-reader[/bold], or any BERT for question answering whose null span is the "
            "first token.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="The folder that the reader will load; made if missing.", show_default=False
        ),
    ],
    *,
    calibrate: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Labelled questions that the checkpoint was not trained on, some of them unanswerable: a SQuAD file "
            "or JSON lines. Training leaves such a file behind, held_out.json.",
            show_default=False,
            rich_help_panel=_CALIBRATION,
        ),
    ],
    count: Annotated[
        int,
        typer.Option(
            min=2, metavar="N", help="Calibrate on so many of them, drawn at random.", rich_help_panel=_CALIBRATION
        ),
    ] = 4000,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of that draw.", rich_help_panel=_CALIBRATION)] = 0,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="The model's name, which its answers carry.", rich_help_panel=_OUTPUT)
    ] = "reader",
    float32: Annotated[
        bool,
        typer.Option(
            "--float32", help="Keep float32, four times the size: for GPUs, or to compare.", rich_help_panel=_OUTPUT
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was written as one JSON document.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Make a trained checkpoint a reader: an int8 ONNX model with a calibrated answerability.

    Use it as [bold]ExtractiveReader(model_path="OUT")[/bold]. Needs the extra [bold]train[/bold], but no torch.

    [bold]Example[/bold]

    [cyan]twosup export-reader run/final my-reader --calibrate run/held_out.json[/cyan]
    """
    from twosup_chain.collection.questions import load_questions
    from twosup_chain.reader.folder import CONFIG_FILE, MODEL_FILE, ReaderConfig
    from twosup_chain.training import export

    examples = export.sample(load_questions(calibrate), count, seed)
    with progress_bar("Calibrating") as watch:
        folder = export.export_reader(checkpoint, out, examples, name=name, int8=not float32, report=watch)
    model = ReaderConfig.read(folder / CONFIG_FILE).label
    megabytes = (folder / MODEL_FILE).stat().st_size / 1e6
    if as_json:
        found = {
            "folder": str(folder),
            "model": model,
            "megabytes": round(megabytes, 1),
            "calibrated_on": len(examples),
        }
        print_json(found)
    else:
        show(
            f"{clean(str(folder))}: {clean(model)}, {megabytes:.1f} MB, calibrated on {len(examples)} questions",
            f"twosup evaluate-reader FILE --model {clean(str(folder))} measures it",
        )
