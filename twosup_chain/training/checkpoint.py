"""Checkpoints of a training run: a model folder that transformers loads, and the state that makes a resume exact.

A checkpoint folder holds ``config.json``, ``model.safetensors``, ``tokenizer.json`` and, while training goes on,
``state.pt`` (optimiser, counters, random state; read with ``weights_only``, so that it runs no code).
"""

import shutil
from pathlib import Path
from typing import Any

from twosup_chain.errors import ModelFileError

#: Beside the model: its tokenizer, copied as it is.
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def load_model(folder: Path) -> Any:
    """Returns the ``BertForQuestionAnswering`` of a folder, in float32; an encoder without head gets a random one."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        if not (folder / name).is_file():
            raise ModelFileError(
                f"{folder} lacks {name}: give a folder with config.json, model.safetensors and tokenizer.json"
            )
    try:
        read = load_file(folder / "model.safetensors")
        floats = {name: tensor.float() for name, tensor in read.items() if tensor.is_floating_point()}
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelFileError(f"{folder} holds no BERT model that can be read: {error}") from error
    return bert(folder, floats, head=False)


def bert(folder: Path, weights: dict[str, Any], *, head: bool) -> Any:
    """Returns a ``BertForQuestionAnswering`` of a folder's configuration with these weights.

    `head`: whether the weights must hold the head.
    """
    from torch.cuda import is_available
    from transformers import BertConfig, BertForQuestionAnswering

    try:
        config = BertConfig.from_pretrained(folder, architectures=["BertForQuestionAnswering"], dtype="float32")
        # Plain attention on a CPU: there, in bfloat16, the fused kernel makes a training step half as slow again.
        attention = "sdpa" if is_available() else "eager"
        model = BertForQuestionAnswering._from_config(config, attn_implementation=attention)  # noqa: SLF001
        # a bare encoder names its weights without the prefix
        named = {n if n.startswith(("bert.", "qa_outputs.")) else f"bert.{n}": t for n, t in weights.items()}
        missing = model.load_state_dict(named, strict=False).missing_keys
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelFileError(f"{folder} holds no BERT model that can be read: {error}") from error
    lacking = [name for name in missing if head or not name.startswith("qa_outputs.")]
    if lacking:
        raise ModelFileError(f"{folder} holds no BERT model: {len(lacking)} weights are missing, {lacking[0]} first")
    return model


def save_model(
    folder: Path, model: Any, tokenizer: Path, *, half: bool = False, state: dict[str, Any] | None = None
) -> None:
    """Writes a checkpoint (`half`: in float16); an older one is replaced only when the new one is complete."""
    import torch
    from safetensors.torch import save_file

    new, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    new.mkdir(parents=True)
    kind = torch.float16 if half else torch.float32
    weights = {name: tensor.detach().to(kind).contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, str(new / "model.safetensors"), metadata={"format": "pt"})
    model.config.save_pretrained(new)
    for name in TOKENIZER_FILES:
        if (tokenizer / name).is_file():
            shutil.copy(tokenizer / name, new / name)
    if state is not None:
        torch.save(state, new / "state.pt")
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def load_state(folder: Path) -> dict[str, Any] | None:
    """Returns the state of the folder's checkpoint, if any; one whose replacement was cut short is put back first."""
    import torch

    old = folder.with_name(folder.name + ".old")
    if old.is_dir() and not folder.exists():
        old.rename(folder)
    path = folder / "state.pt"
    return dict(torch.load(path, weights_only=True)) if path.is_file() else None
