"""A checkpoint's folder as plain arrays: configuration, weights and tokenizer, without torch.

The weights are in ``model.safetensors`` (float32 or float16) or in ``weights.npz``, where a matrix may also be int8 as
``NAME|q`` with a scale a row as ``NAME|s``.
"""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from twosup_chain.errors import MissingExtraError, ModelFileError
from twosup_chain.reader.folder import TOKENIZER_FILE
from twosup_chain.training.mpnet import as_bert

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Weights = dict[str, NDArray[np.float32]]

_NPZ = "weights.npz"


def read_checkpoint(folder: Path) -> tuple[dict[str, Any], Weights, str]:
    """Returns configuration, weights in float32 by a BERT's names, and the tokenizer without truncation and padding.

    The reader cuts windows itself. An MPNet is put in a BERT's terms.

    Raises:
        MissingExtraError: safetensors is not installed.
        ModelFileError: A file is missing or cannot be read.
    """
    config, weights, tokenizer = read_weights(folder)
    try:
        if config.get("model_type") == "mpnet":
            weights, config = as_bert(weights, config, tokenizer["model"]["vocab"])
    except KeyError as error:
        raise _unreadable(folder, error) from error
    return config, weights, json.dumps({**tokenizer, "truncation": None, "padding": None}, ensure_ascii=False)


def read_weights(folder: Path) -> tuple[dict[str, Any], Weights, dict[str, Any]]:
    """Returns what `read_checkpoint` does, weights by their own names and the tokenizer as it is."""
    try:
        files = [(folder / name).read_text(encoding="utf-8") for name in ("config.json", TOKENIZER_FILE)]
        config, tokenizer = map(json.loads, files)
        weights = _from_npz(folder / _NPZ) if (folder / _NPZ).is_file() else _from_safetensors(folder)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _unreadable(folder, error) from error
    return config, weights, tokenizer


def _unreadable(folder: Path, error: Exception) -> ModelFileError:
    wanted = f"config.json, model.safetensors and {TOKENIZER_FILE}"
    return ModelFileError(f"{folder} is no checkpoint with {wanted}: {error}")


def _from_safetensors(folder: Path) -> Weights:
    try:
        from safetensors.numpy import load_file
    except ImportError as error:
        raise MissingExtraError("export", "safetensors", "train") from error
    return {key: value.astype("float32") for key, value in load_file(folder / "model.safetensors").items()}


def _from_npz(path: Path) -> Weights:
    with np.load(path, allow_pickle=False) as file:
        held = {name: file[name] for name in file.files}
    whole = {name: value.astype(np.float32) for name, value in held.items() if "|" not in name}
    coded = {name.removesuffix("|q") for name in held if name.endswith("|q")}
    return whole | {
        name: held[f"{name}|q"].astype(np.float32) * held[f"{name}|s"].astype(np.float32)[:, None] for name in coded
    }
