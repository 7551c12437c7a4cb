"""From a checkpoint to a folder that `ExtractiveReader` loads: ONNX model, tokenizer, calibrated ``config.json``."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twosup_chain.errors import ConfigurationError
from twosup_chain.reader.folder import (
    CONFIG_FILE,
    FORMAT_VERSION,
    MODEL_FILE,
    TOKENIZER_FILE,
    calibration_features,
    file_digest,
)
from twosup_chain.text.questions import LabelledQuestion
from twosup_chain.text.squad import f1
from twosup_chain.training.calibration import FEATURES, fit_answerability, fit_no_answer_below
from twosup_chain.training.graph import build_graph
from twosup_chain.training.smoothing import smoothing_factors
from twosup_chain.training.weights import read_checkpoint

_READ_AT_ONCE = 64
#: How many questions, spread over those of the calibration, show the ranges of the activations.
_SHOWN = 64


def export_reader(
    checkpoint: Path,
    out: Path,
    calibrate: list[LabelledQuestion],
    *,
    name: str = "twosup-reader",
    int8: bool = True,
    report: Callable[[int, int], object] = lambda _done, _all: None,
) -> Path:
    """Writes the folder and returns it.

    Args:
        checkpoint: Holds configuration, weights and tokenizer, as `weights` reads them, of a
            ``BertForQuestionAnswering`` or an ``MPNetForQuestionAnswering`` whose null span is the first token.
        out: Another folder; its files are overwritten. If the export fails it is left without ``config.json``, so that
            nothing half done is ever read.
        calibrate: Questions that the checkpoint was not trained on, with both classes among them.
        name: The model's name, as answers carry it.
        int8: Whether to quantise to int8, for CPUs; without it the model keeps float32, which suits GPUs.
        report: Is told how many questions of the calibration are read, and how many there are.
    """
    config, weights, tokenizer = read_checkpoint(checkpoint)
    with _whole_or_nothing(checkpoint, out):
        (out / TOKENIZER_FILE).write_text(tokenizer, encoding="utf-8")
        shown = calibrate[:: -(-len(calibrate) // _SHOWN) or 1]
        smoothing = smoothing_factors(weights, config, _windows(out, config, shown)) if int8 else None
        model = build_graph(weights, config, int8=int8, smoothing=smoothing)
        (out / MODEL_FILE).write_bytes(model.SerializeToString())
        values = {
            "format": FORMAT_VERSION,
            "name": name,
            "digest": file_digest(out / MODEL_FILE),
            "tokenizer_digest": file_digest(out / TOKENIZER_FILE),
            "max_positions": config["max_position_embeddings"],
            "stackable": not int8,
            "saturates": False,  # see `graph`
            "calibration": dict.fromkeys((*FEATURES, "intercept"), 0.0),
        }
        _write_config(out, values)
        _write_config(out, values | _calibrate(out, calibrate, config["max_position_embeddings"], report))
    return out


def sample(examples: list[LabelledQuestion], count: int | None, seed: int = 0) -> list[LabelledQuestion]:
    """Returns `count` random examples; all of them if there are fewer, or `count` is ``None``."""
    if count is None or count >= len(examples):
        return examples
    return random.Random(seed).sample(examples, count)  # noqa: S311  a sample, not a secret


@contextmanager
def _whole_or_nothing(checkpoint: Path, out: Path) -> Iterator[None]:
    """Makes the folder; takes its ``config.json`` away again where the export fails."""
    if out.resolve() == checkpoint.resolve():
        raise ConfigurationError(
            f"{out} is the checkpoint's own folder: give another one, or its files would be overwritten"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        try:
            yield
        except BaseException:
            (out / CONFIG_FILE).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"cannot write to {out}: {error.strerror or error}") from error


def _windows(
    folder: Path, config: dict[str, Any], examples: list[LabelledQuestion]
) -> Iterator[tuple[list[int], list[int]]]:
    """Yields the token ids and token types of each example, cut to what the model reads at once."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    tokenizer.enable_truncation(config["max_position_embeddings"])
    for example in examples:
        encoding = tokenizer.encode(example.question, example.context)
        yield encoding.ids, encoding.type_ids


def _calibrate(
    folder: Path, examples: list[LabelledQuestion], max_positions: int, report: Callable[[int, int], object]
) -> dict[str, Any]:
    """Returns the entries of ``config.json`` that are fitted on labelled questions."""
    from twosup_chain.reader.reader import ExtractiveReader

    default = ExtractiveReader.model_fields["max_length"].default
    reader = ExtractiveReader(model=folder, max_length=min(default, max_positions))
    evidence: list[dict[str, float]] = []
    answerable: list[bool] = []
    forced: list[float] = []
    for at in range(0, len(examples), _READ_AT_ONCE):
        some = examples[at : at + _READ_AT_ONCE]
        for example, answer in zip(some, reader.answer_many([e.as_input() for e in some]), strict=True):
            if not isinstance(answer, Exception):
                evidence.append(calibration_features(answer.scores))
                answerable.append(not example.is_impossible)
                if answerable[-1]:
                    forced.append(f1(answer.candidates[0].text if answer.candidates else None, example.answers))
        report(min(at + _READ_AT_ONCE, len(examples)), len(examples))
    calibration = fit_answerability(evidence, answerable)
    return {"calibration": calibration, "no_answer_below": fit_no_answer_below(forced)}


def _write_config(folder: Path, values: dict[str, Any]) -> None:
    (folder / CONFIG_FILE).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
