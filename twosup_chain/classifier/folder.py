"""A classifier's folder: what its two files hold, and how they are read and written."""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic import Field

from twosup_chain._atomic import write_folder
from twosup_chain._json_file import read_json
from twosup_chain._options import Record
from twosup_chain._packed import read_file
from twosup_chain.classifier.head import ARRAYS, Head
from twosup_chain.errors import ConfigurationError, ModelFileError

CONFIG_FILE, HEAD_FILE = "classifier.json", "head.npz"
FORMAT_VERSION: Final = 1


class Fitness(Record):
    """What a classifier was fitted on, and how good it is on texts that its fit has not seen (out of `folds` folds).

    Args:
        texts: How many texts there were, by label, without those that no label fits.
        outside: How many texts no label fits.
        accuracy: How often the likeliest label is right, of the texts that one fits.
        macro_f1: The labels' mean F1, on the same texts.
        log_loss: The mean log loss in nats, after the temperature.
        outside_auroc: How well ``in_scope`` tells those that no label fits from the others; ``None`` without such.
        folds: Into how many parts the texts were divided, each judged by a fit on the others.
        seed: The seed of that division.
        balanced: Whether each label weighed alike.
    """

    texts: dict[str, int]
    outside: int = Field(ge=0)
    accuracy: float = Field(ge=0.0, le=1.0)
    macro_f1: float = Field(ge=0.0, le=1.0)
    log_loss: float = Field(ge=0.0)
    outside_auroc: float | None = Field(default=None, ge=0.0, le=1.0)
    folds: int = Field(ge=2)
    seed: int
    balanced: bool


class ClassifierConfig(Record):
    """What ``classifier.json`` says of the head beside it.

    Args:
        format: The version of the format.
        name: What the classifier is called.
        labels: The labels, in the order of the head's rows; a further row stands for "none of them" where some texts
            had no label.
        temperature: What logits are divided by before they become probabilities.
        layers: The layers of the encoder whose hidden states are its embedding.
        encoder: The SHA-256 of the encoder's file, in hexadecimal.
        head: The SHA-256 of the head's file.
        fitness: What it was fitted on, and how good it is.
    """

    format: Literal[1] = FORMAT_VERSION
    name: str
    labels: tuple[str, ...] = Field(min_length=2)
    temperature: float = Field(gt=0.0, allow_inf_nan=False)
    layers: tuple[int, ...] = Field(min_length=1)
    encoder: str
    head: str
    fitness: Fitness

    @property
    def label(self) -> str:
        """The name with a digest of head and encoder: what differs in one has another label."""
        whole = f"{self.encoder} {self.head} {self.temperature!r} {' '.join(self.labels)}"
        return f"{self.name}@{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def write(folder: Path, head: Head, **known: Any) -> ClassifierConfig:
    """Writes a classifier's folder, all of it or nothing; returns its configuration, of which the rest is `known`."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = head.arrays()
    np.savez_compressed(buffer, **arrays)
    packed = buffer.getvalue()
    config = ClassifierConfig(head=hashlib.sha256(packed).hexdigest(), **known)
    write_folder(folder, {HEAD_FILE: packed, CONFIG_FILE: config.model_dump_json(indent=2) + "\n"})
    return config


def read(folder: Path) -> tuple[ClassifierConfig, Head]:
    """Returns what a classifier's folder holds; a ModelFileError where a file is missing, broken or of another fit."""
    config = _config(folder / CONFIG_FILE)
    path = folder / HEAD_FILE
    try:
        packed = read_file(path)
        with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
            head = Head.of({name: arrays[name] for name in ARRAYS})
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise _unreadable(path, error) from error
    if (found := hashlib.sha256(packed).hexdigest()) != config.head:
        raise _unreadable(path, f"{CONFIG_FILE} beside it was written for {config.head[:12]}…, it is {found[:12]}…")
    if not len(config.labels) <= len(head.bias) <= len(config.labels) + 1:
        raise _unreadable(path, f"it has {len(head.bias)} rows for {len(config.labels)} labels")
    return config, head


def _config(path: Path) -> ClassifierConfig:
    values = read_json(path, ModelFileError)
    if not isinstance(values, dict) or values.get("format") != FORMAT_VERSION:
        raise _unreadable(path, f"it has no 'format': {FORMAT_VERSION}")
    try:
        return ClassifierConfig(**values)
    except (ConfigurationError, ValueError, TypeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, cause: object) -> ModelFileError:
    return ModelFileError(
        f"cannot read {path}: {cause}; a classifier's folder holds {CONFIG_FILE} and {HEAD_FILE} as twosup "
        "train-classifier writes them: fit it again"
    )
