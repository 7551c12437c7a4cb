"""What a training is asked for: how the reader is trained, and on what.

What these classes say of their options is also the help of ``twosup train-reader``.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from twosup_chain.errors import ConfigurationError

#: Longest question in tokens; what is beyond is cut off.
MAX_QUESTION_TOKENS = 64
#: [CLS] and the two [SEP].
SPECIAL_TOKENS = 3

_LEAST = {
    "epochs": 1,
    "max_steps": 1,
    "batch_size": 1,
    "batch_tokens": 1,
    "max_length": 96,
    "multiple": 1,
    "evaluate_every": 1,
    "save_every": 1,
    "evaluate_on": 100,
}


@dataclass(frozen=True, kw_only=True)
class TrainerOptions:
    """How to train.

    Args:
        out: The folder for checkpoints, log, curves and held-out questions; a run found there is resumed.
        model: What to start from: the folder of a BERT encoder or question answering checkpoint, with config.json,
            model.safetensors and tokenizer.json.
        epochs: Epochs at most.
        max_steps: How many steps at most, whatever `epochs`.
        minutes: How many minutes at most; the learning rate then falls with the time spent, whatever the throughput.
        seconds: The same in seconds. What a teacher takes to label everything beforehand does not count.
        learning_rate: The learning rate at its peak.
        warmup: The share of the run in which it rises; then it falls linearly to 0.
        batch_size: Windows a step.
        batch_tokens: Tokens a step, padding included, in place of a number of windows.
        max_length: The longest window, in tokens.
        stride: Tokens that neighbouring windows share.
        multiple: Batches are padded to a multiple of this, in tokens.
        dropout: Dropout of the encoder.
        weight_decay: AdamW's, for matrices only.
        clip: Largest norm of the gradient.
        freeze_embeddings: Leave the word embeddings as they are (half of a small encoder's weights).
        freeze_layers: Leave the embeddings and so many of the lowest layers as they are; no gradient is computed for
            them, which makes a step faster.
        half_precision: Compute in bfloat16 where that is safe, if the processor has it.
        averaged: Judge and keep the weights averaged over the steps, of which so much is left at each (0.999); 0 keeps
            them as they are.
        teacher: Learn from a larger reader too: the folder of a BERT or MPNet question answering checkpoint with the
            same tokenizer.
        temperature: At which student and teacher are compared; higher heeds more of what the teacher finds unlikely.
        teacher_weight: What the teacher's word weighs in the loss.
        label_weight: What the labels weigh in it, beside a teacher.
        device: ``cpu``, ``cuda``, …; by default CUDA where there is one.
        threads: Processor threads; by default PyTorch's choice.
        evaluate_every: Steps between evaluations.
        save_every: Steps between checkpoints that a resume starts from; one is saved at each evaluation as well.
        evaluate_on: Held-out questions of an evaluation on the way; at the end all are used.
        patience: Evaluations without gain after which training stops; by default it never does.
        seed: Decides everything random.
    """

    panel: ClassVar[str] = "Training"
    out: Path
    model: Path
    epochs: int = 2
    max_steps: int | None = None
    minutes: float | None = None
    seconds: float | None = None
    learning_rate: float = 1e-4
    warmup: float = 0.05
    batch_size: int = 32
    batch_tokens: int | None = None
    max_length: int = 256
    stride: int = 96
    multiple: int = 16
    dropout: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    freeze_embeddings: bool = False
    freeze_layers: int = 0
    half_precision: bool = False
    averaged: float = 0.0
    teacher: Path | None = None
    temperature: float = 2.0
    teacher_weight: float = 0.8
    label_weight: float = 0.3
    device: str | None = None
    threads: int | None = None
    evaluate_every: int = 200
    save_every: int = 100
    evaluate_on: int = 1000
    patience: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            _require(name, value, f"must be at least {least}", holds=value is None or value >= least)
        for name in ("learning_rate", "clip", "minutes", "seconds", "temperature", "teacher_weight"):
            value = getattr(self, name)
            _require(name, value, "must be above 0", holds=value is None or value > 0)
        _require("label_weight", self.label_weight, "must be at least 0", holds=self.label_weight >= 0)
        both = self.minutes is not None and self.seconds is not None
        _require("seconds", self.seconds, f"and minutes={self.minutes!r} are two limits: give one", holds=not both)
        for name in ("warmup", "dropout", "averaged"):
            value = getattr(self, name)
            _require(name, value, "must be at least 0 and less than 1", holds=0 <= value < 1)
        room = self.max_length - MAX_QUESTION_TOKENS - SPECIAL_TOKENS
        wanted = f"must be at least 0 and less than {room}, what a long question leaves"
        _require("stride", self.stride, wanted, holds=0 <= self.stride < room)


@dataclass(frozen=True, kw_only=True)
class MixtureOptions:
    """What is trained on.

    Args:
        files: A SQuAD-format file to train on, with unanswerable questions among the others; may be repeated.
        extra: A file of which only each `sources` is used, and nothing is held out; may be repeated.
        sources: A source of the extra files (the start of an article's ``source``) and the share of its questions that
            is used, in (0, 1]; may be repeated.
        held_out: The share of the passages of `files` that is held out for evaluation.
        unanswerable_share: The share of unanswerable questions in an epoch, reached by leaving out answerable ones
            (others each epoch); 0 keeps all.
        passage_negatives: Unanswerable questions to make by taking other passages, for each answerable one.
        neighbour_negatives: The same, by taking the passage that stands before or after the own one in its file.
        removed_negatives: The same, by taking the answer's sentence out of the passage.
        swap_negatives: The same, by swapping a name, a number or a word in the question.
        unlabelled: A SQuAD-format file whose questions a teacher answers; the file's own answers are not read. May be
            repeated.
        inferred_weight: What an unanswerable question counts whose passage was inferred (join=inferred).
        known: Leave out what a reader knows already, as twosup_chain.training.known judges it. What is held out stays
            whole.
        seed: Decides everything random.
    """

    panel: ClassVar[str] = "Data"
    files: tuple[Path, ...]
    extra: tuple[Path, ...] = ()
    sources: dict[str, float] = field(default_factory=dict)
    held_out: float = 0.04
    unanswerable_share: float = 0.45
    passage_negatives: float = 0.0
    neighbour_negatives: float = 0.0
    removed_negatives: float = 0.0
    swap_negatives: float = 0.0
    unlabelled: tuple[Path, ...] = ()
    inferred_weight: float = 1.0
    known: Path | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _require("files", self.files, "is nothing: give at least one SQuAD-format file", holds=bool(self.files))
        negatives = (f"{kind}_negatives" for kind in ("passage", "neighbour", "removed", "swap"))
        for name in ("held_out", "unanswerable_share", *negatives):
            value = getattr(self, name)
            _require(name, value, "is no share: it must be at least 0 and less than 1", holds=0 <= value < 1)
        weights = {"inferred_weight": self.inferred_weight}
        weights |= {f"sources[{name!r}]": value for name, value in self.sources.items()}
        for name, value in weights.items():
            _require(name, value, "must be above 0 and at most 1", holds=0 < value <= 1)


def _require(name: str, value: object, wanted: str, *, holds: bool) -> None:
    if not holds:
        raise ConfigurationError(f"{name}={value!r} {wanted}")
