"""How a reader is trained: sizes, rates and limits of a run. What it is trained on is in `mixture`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twosup_chain.errors import ConfigurationError
from twosup_chain.training.features import MAX_QUESTION_TOKENS, SPECIAL_TOKENS

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class TrainerOptions:
    """How to train.

    Args:
        model: The folder to start from: a checkpoint, or an encoder without head.
        out: The folder that everything is written to; a run found there is resumed.
        epochs: How many epochs at most.
        max_steps: How many steps at most, whatever `epochs`.
        minutes: How many minutes at most; the learning rate then falls with the time spent, whatever the throughput.
        learning_rate: Its peak.
        warmup: The share of the run in which it rises; then it falls linearly to 0.
        batch_size: Windows a step.
        max_length: Longest window, in tokens.
        stride: Tokens that neighbouring windows share.
        multiple: Batches are padded to a multiple of this.
        dropout: Dropout of the encoder.
        weight_decay: AdamW's, for matrices only.
        clip: Largest norm of the gradient.
        freeze_embeddings: Whether to leave the word embeddings as they are (half of a small encoder's weights).
        freeze_layers: How many of the encoder's lowest layers are left as they are, and the embeddings with them;
            no gradient is computed for them, which makes a step faster.
        half_precision: Whether to compute in bfloat16 where that is safe (autocast).
        device: ``"cpu"``, ``"cuda"``, …; ``None`` takes CUDA where there is one.
        threads: CPU threads; ``None`` leaves PyTorch's choice.
        evaluate_every: Steps between evaluations.
        save_every: Steps between checkpoints that a resume starts from; one is saved at each evaluation as well.
        evaluate_on: Held-out questions used during training; at the end all are used.
        patience: Evaluations without gain after which training stops; ``None`` never does.
        seed: Decides everything random.
    """

    model: Path
    out: Path
    epochs: int = 2
    max_steps: int | None = None
    minutes: float | None = None
    learning_rate: float = 1e-4
    warmup: float = 0.05
    batch_size: int = 32
    max_length: int = 256
    stride: int = 96
    multiple: int = 16
    dropout: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    freeze_embeddings: bool = False
    freeze_layers: int = 0
    half_precision: bool = False
    device: str | None = None
    threads: int | None = None
    evaluate_every: int = 200
    save_every: int = 100
    evaluate_on: int = 1000
    patience: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        least = {
            "epochs": 1,
            "batch_size": 1,
            "max_length": 96,
            "multiple": 1,
            "evaluate_every": 1,
            "save_every": 1,
            "evaluate_on": 100,
        }
        if self.max_steps is not None:
            least["max_steps"] = 1
        for name, value in least.items():
            if getattr(self, name) < value:
                message = f"{name}={getattr(self, name)!r} must be at least {value}"
                raise ConfigurationError(message)
        for name in ("learning_rate", "clip", "minutes"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                message = f"{name}={value!r} must be above 0"
                raise ConfigurationError(message)
        room = self.max_length - MAX_QUESTION_TOKENS - SPECIAL_TOKENS
        if not 0 <= self.stride < room:
            message = f"stride={self.stride!r} must be at least 0 and less than {room}, what a long question leaves"
            raise ConfigurationError(message)
        for name in ("warmup", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                message = f"{name}={getattr(self, name)!r} must be at least 0 and less than 1"
                raise ConfigurationError(message)
