"""A larger reader as teacher: what it says of each training window (Hinton et al. 2015, arXiv 1503.02531)."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twosup_chain.errors import ConfigurationError, ModelFileError
from twosup_chain.reader.folder import TOKENIZER_FILE
from twosup_chain.training.checkpoint import bert
from twosup_chain.training.features import Batch, Window, collate, length_batches
from twosup_chain.training.mpnet import rows_of
from twosup_chain.training.weights import read_weights

#: Takes `input_ids`, `token_type_ids` and `attention_mask` as a BERT does.
Network = Callable[..., Any]
Forward = Callable[[Network, Batch], tuple[Any, Any]]


class SoftLabels:
    """A teacher's logits for windows, each by its example's index.

    Args:
        network: The teacher.
        windows: What is labelled, one window an example.
        forward: Returns a network's start and end logits for a batch, -inf where no span may start or end.
        tokens: Tokens a batch, padding included.
        multiple: Batches are padded to a multiple of this, in tokens.
    """

    def __init__(
        self, network: Network, windows: Sequence[Window], forward: Forward, *, tokens: int, multiple: int
    ) -> None:
        self._labels: dict[int, NDArray[np.float16]] = {}
        for some in length_batches(sorted(windows, key=len), len(windows), tokens, multiple):
            both = np.stack([part.cpu().numpy() for part in forward(network, collate(some, multiple=multiple))], 1)
            for window, logits in zip(some, both, strict=True):
                self._labels[window.example] = logits[:, : len(window)].astype(np.float16)

    def of(self, windows: Sequence[Window], length: int) -> NDArray[np.float32]:
        """Returns logits of starts and of ends, shape (windows, 2, length); -inf where there is none."""
        found = np.full((len(windows), 2, length), -np.inf, np.float32)
        for row, window in enumerate(windows):
            found[row, :, : len(window)] = self._labels[window.example]
        return found


def load_teacher(folder: Path, student: Path, device: Any) -> Network:
    """Returns the question answering network of a folder, a BERT or an MPNet, which reads the student's tokens.

    Raises:
        ModelFileError: The folder holds no such checkpoint.
        ConfigurationError: Its tokens are not the student's.
    """
    import torch
    from transformers import MPNetConfig, MPNetForQuestionAnswering

    config, weights, tokenizer = read_weights(folder)
    vocabulary = tokenizer["model"]["vocab"]
    if vocabulary != json.loads((student / TOKENIZER_FILE).read_text(encoding="utf-8"))["model"]["vocab"]:
        raise ConfigurationError(
            f"teacher={str(folder)!r} has other tokens than {student}: student and teacher must share a vocabulary"
        )
    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
    if config.get("model_type") != "mpnet":
        return _ready(bert(folder, tensors, head=True), device)
    model = MPNetForQuestionAnswering(MPNetConfig(**config))
    lacking = set(model.load_state_dict(tensors, strict=False).missing_keys)
    if lacking:
        raise ModelFileError(
            f"{folder} holds no MPNet reader: {len(lacking)} weights are missing, {min(lacking)} first"
        )
    network, rows = _ready(model, device), torch.from_numpy(rows_of(vocabulary)).to(device)
    # MPNet has its own ids, and no token types
    return lambda input_ids, attention_mask, **_: network(rows[input_ids], attention_mask=attention_mask)


def _ready(model: Any, device: Any) -> Network:
    network: Network = model.requires_grad_(requires_grad=False).to(device).eval()
    return network
