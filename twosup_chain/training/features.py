"""From questions to padded batches: windows of tokens with their targets, batches of similar length.

Plain lists and NumPy arrays; nothing here needs torch. The null span is the [CLS] token, as in the BERT paper's
SQuAD v2 set-up (Devlin et al. 2019, section 4.3, doi:10.18653/v1/N19-1423).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twosup_chain.training.data import TrainingExample
from twosup_chain.training.options import MAX_QUESTION_TOKENS

if TYPE_CHECKING:
    from tokenizers import Tokenizer


#: Batches whose examples are sorted by length together: more means less padding and less mixing.
POOL_BATCHES = 50


@dataclass(frozen=True, slots=True)
class Window:
    """One question with one stretch of its passage, in tokens."""

    example: int  # its index
    ids: NDArray[np.int32]  # [CLS] question [SEP] passage [SEP]
    passage: int  # the index of the first passage token; the last token is the closing [SEP]
    offsets: NDArray[np.int32]  # where each passage token starts and ends in the passage, in characters
    start: int  # the answer's first token; 0 where the window does not hold the whole answer
    end: int  # its last token (inclusive), likewise
    weight: float

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows padded to one length."""

    ids: NDArray[np.int64]  # as `types` and `mask` what BERT takes, shape (windows, length)
    types: NDArray[np.int64]
    mask: NDArray[np.int64]
    allowed: NDArray[np.bool_]  # where a span may start or end: at the null token 0 and at the passage's tokens
    starts: NDArray[np.int64]  # the targets and the weights have shape (windows,)
    ends: NDArray[np.int64]
    weights: NDArray[np.float32]


def make_windows(
    examples: Sequence[TrainingExample], tokenizer: Tokenizer, *, max_length: int, stride: int, batch: int = 1024
) -> Iterator[list[Window]]:
    """Yields the windows of each example, in order; two neighbours share `stride` tokens.

    The tokenizer is of BERT's kind; its truncation and padding are set anew. `batch` questions are tokenised at once.
    """
    tokenizer.no_padding()
    for first in range(0, len(examples), batch):
        some = examples[first : first + batch]
        questions = _cut_questions([example.question for example in some], tokenizer)
        tokenizer.enable_truncation(max_length, stride=stride, strategy="only_second")
        pairs = [(question, example.context) for question, example in zip(questions, some, strict=True)]
        for i, encoding in enumerate(tokenizer.encode_batch(pairs)):
            yield [_window(first + i, some[i], part) for part in (encoding, *encoding.overflowing)]


def training_windows(
    examples: Sequence[TrainingExample], tokenizer: Tokenizer, *, max_length: int, stride: int, rng: random.Random
) -> list[Window]:
    """Returns one window an example: one that holds the answer if there is one, else any, drawn by `rng`."""
    chosen = []
    for example, windows in zip(
        examples, make_windows(examples, tokenizer, max_length=max_length, stride=stride), strict=True
    ):
        holding = [window for window in windows if window.start] if example.answerable else windows
        chosen.append(rng.choice(holding or windows))
    return chosen


def epoch_batches(
    windows: Sequence[Window], batch_size: int, rng: random.Random, *, tokens: int | None = None, multiple: int = 1
) -> list[list[Window]]:
    """Returns all windows in batches of similar length, shuffled; the last, smaller batch of a pool is kept.

    `tokens` and `multiple`: as for `length_batches`; without them a batch has `batch_size` windows.
    """
    order = list(windows)
    rng.shuffle(order)
    pool = POOL_BATCHES * (batch_size if tokens is None else max(batch_size, tokens // 64))
    batches = []
    for first in range(0, len(order), pool):
        some = sorted(order[first : first + pool], key=len)
        cut = list(length_batches(some, batch_size if tokens is None else pool, tokens, multiple))
        rng.shuffle(cut)
        batches += cut
    return batches


def length_batches(
    windows: Sequence[Window], most: int, tokens: int | None, multiple: int = 1
) -> Iterator[list[Window]]:
    """Yields sorted windows in batches of `most` at most, and of `tokens` when padded to a `multiple`; never none."""
    batch: list[Window] = []
    for window in windows:
        size = (len(batch) + 1) * _padded(len(window), multiple)
        if batch and (len(batch) == most or (tokens is not None and size > tokens)):
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def collate(windows: Sequence[Window], *, multiple: int = 32, pad_id: int = 0) -> Batch:
    """Returns the windows padded to their greatest length, rounded up to a `multiple`: each new length is slow once."""
    length = _padded(max(map(len, windows)), multiple)
    shape = (len(windows), length)
    ids, types, mask = np.full(shape, pad_id, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    allowed = np.zeros(shape, np.bool_)
    allowed[:, 0] = True
    for row, window in enumerate(windows):
        ids[row, : len(window)] = window.ids
        types[row, window.passage : len(window)] = 1
        mask[row, : len(window)] = 1
        allowed[row, window.passage : len(window) - 1] = True
    starts, ends = np.array([(window.start, window.end) for window in windows], np.int64).T
    return Batch(ids, types, mask, allowed, starts, ends, np.array([window.weight for window in windows], np.float32))


def _padded(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def _cut_questions(questions: list[str], tokenizer: Tokenizer) -> list[str]:
    tokenizer.no_truncation()
    encodings = tokenizer.encode_batch(questions, add_special_tokens=False)
    return [
        question if len(encoding) <= MAX_QUESTION_TOKENS else question[: encoding.offsets[MAX_QUESTION_TOKENS - 1][1]]
        for question, encoding in zip(questions, encodings, strict=True)
    ]


def _window(index: int, example: TrainingExample, encoding: Any) -> Window:
    sequences = encoding.sequence_ids
    passage = sequences.index(1) if 1 in sequences else len(sequences) - 1
    offsets = np.array(encoding.offsets[passage:-1], np.int32).reshape(-1, 2)
    ids = np.array(encoding.ids, np.int32)
    return Window(index, ids, passage, offsets, *_target(example, offsets, passage), example.weight)


def _target(example: TrainingExample, offsets: NDArray[np.int32], passage: int) -> tuple[int, int]:
    """Returns the first and last token of the first answer that lies wholly in the window, else (0, 0)."""
    for text, begin in example.answers:
        finish = begin + len(text)
        touching = np.flatnonzero((offsets[:, 0] < finish) & (offsets[:, 1] > begin))
        if len(touching) and offsets[touching[0], 0] <= begin and offsets[touching[-1], 1] >= finish:
            return passage + int(touching[0]), passage + int(touching[-1])
    return 0, 0
