"""A reader's folder: the names of its files, and what its ``config.json`` says of model and calibration.

The model itself is run in `engine`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from twosup_chain._json_file import parse_json
from twosup_chain._options import shorten
from twosup_chain._packed import read_file
from twosup_chain.errors import MissingExtraError, ModelFileError

PACKAGED_MODEL = Path(__file__).parent / "packaged"
MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE = "reader.onnx", "tokenizer.json", "config.json"
#: The package of the larger model, whose folder it is.
_COMPANION = "twosup_chain_reader_base"
FORMAT_VERSION = 1
#: The most bytes of a ``config.json``.
_MOST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class ReaderConfig:
    """What ``config.json`` beside the model says."""

    name: str
    digest: str  # SHA-256 of the model file, in hexadecimal
    max_positions: int  # the most tokens that the encoder takes
    stackable: bool  # not where a run has one dynamic scale: a window's logits would depend on its neighbours
    calibration: dict[str, float]  # the answerability model's weights by feature, and its "intercept"
    no_answer_below: float = 0.5  # the answerability below which "no answer" is the better prediction
    saturates: bool = True  # whether int8 products can leave 16 bits, which a processor without VNNI cuts off
    tokenizer_digest: str = ""  # SHA-256 of the tokenizer file; empty where it was not kept yet

    @property
    def label(self) -> str:
        """The name with a digest of model, calibration and threshold: what differs in one has another label."""
        whole = json.dumps([self.digest, sorted(self.calibration.items()), self.no_answer_below])
        return f"{self.name}@{hashlib.sha256(whole.encode()).hexdigest()[:12]}"

    @classmethod
    def read(cls, path: Path) -> ReaderConfig:
        """Reads the file; every fault of it is a ModelFileError."""
        try:
            values = parse_json(read_file(path, _MOST_BYTES))
            version = values["format"]
            if version == FORMAT_VERSION:
                return cls(
                    name=str(values["name"]),
                    digest=str(values["digest"]),
                    max_positions=_positive(values["max_positions"]),
                    stackable=bool(values["stackable"]),
                    calibration={str(name): _finite(weight) for name, weight in values["calibration"].items()},
                    no_answer_below=_finite(values.get("no_answer_below", cls.no_answer_below)),
                    saturates=bool(values.get("saturates", cls.saturates)),
                    tokenizer_digest=str(values.get("tokenizer_digest", "")),
                )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise unreadable(path, error) from error
        raise ModelFileError(
            f"{path} has format {version!r}, this version reads {FORMAT_VERSION}: export the model again"
        )


def model_folder(model: str | Path) -> Path:
    """Returns the folder of ``"small"``, of ``"base"``, or of a model by its path.

    Raises:
        MissingExtraError: The larger model is not installed.
    """
    if model == "small":
        return PACKAGED_MODEL
    if model != "base":
        return Path(model)
    if (found := find_spec(_COMPANION)) is None or found.origin is None:
        raise MissingExtraError('ExtractiveReader(model="base")', "twosup-chain-reader-base", "reader-base")
    return Path(found.origin).parent


def file_digest(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(folder: Path, config: ReaderConfig) -> None:
    """Checks that model and tokenizer are those that the configuration was written for.

    Raises:
        ModelFileError: One of them is another.
    """
    for name, digest in ((MODEL_FILE, config.digest), (TOKENIZER_FILE, config.tokenizer_digest)):
        found = file_digest(folder / name) if digest else ""
        if found != digest:
            raise ModelFileError(
                f"{folder / name} is not the file that {CONFIG_FILE} beside it was written for (SHA-256 {found[:12]}…, "
                f"not {digest[:12]}…): export the model again, or reinstall twosup-chain where it is the packaged one"
            )


def calibration_features(evidence: Mapping[str, float]) -> dict[str, float]:
    """Returns what a calibration may read: a reading's evidence, and the best span's share of its window.

    ``window_span_probability`` is the best span's probability against the other spans of its window and null alone, so
    that it means the same whatever the number of windows and passages; `span_probability` is joint over all of them.
    """
    odds, total = evidence["null_margin"], evidence["answer_log_odds"]
    share = min(0.0, odds - max(0.0, total) - math.log1p(math.exp(-abs(total))))
    return {**evidence, "window_span_probability": math.exp(share)}


def answerability(calibration: dict[str, float], features: dict[str, float]) -> float:
    """Returns the calibrated probability that the context holds an answer: a logistic model of the features.

    Platt scaling with several inputs (Platt 1999, "Probabilistic outputs for support vector machines").
    """
    logit = 0.0
    for name, weight in calibration.items():
        if name != "intercept" and name not in features:
            raise ModelFileError(
                f"the reader's calibration needs the feature {name!r}; this version has {', '.join(sorted(features))}"
            )
        logit += weight * features.get(name, 1.0)
    return 0.5 + 0.5 * math.tanh(0.5 * logit)


def _finite(value: Any) -> float:
    number = float(value)
    if math.isfinite(number):
        return number
    raise ValueError(f"{number} is no number")


def _positive(value: Any) -> int:
    if isinstance(value, int) and value >= 1:
        return value
    raise ValueError(f"max_positions={shorten(value)} is no count of tokens")


def unreadable(path: Path, cause: object) -> ModelFileError:
    """Returns the error of a file in a reader's folder."""
    return ModelFileError(
        f"cannot read {path}: {cause}; a reader's folder holds {MODEL_FILE}, {TOKENIZER_FILE} and {CONFIG_FILE} "
        "as twosup export-reader writes them"
    )
