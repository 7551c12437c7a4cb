"""Windows and batches: targets that decode to the answer, offsets, padding, and the order of an epoch."""

# ruff: noqa: S311  seeds, not secrets
from __future__ import annotations

import random

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from twosup_chain.training.data import TrainingExample
from twosup_chain.training.features import (
    MAX_QUESTION_TOKENS,
    collate,
    epoch_batches,
    length_batches,
    make_windows,
    training_windows,
)

LONG = " ".join(f"word{i}" for i in range(300)) + " ."


@pytest.fixture
def tokenizer():
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "who", "built", "it", "?", "ann", "reed", ".", "the", "mill"]
    words += [f"word{i}" for i in range(300)]
    made = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer = Lowercase()
    made.pre_tokenizer = BertPreTokenizer()
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made


def example(context, answer=None, question="Who built it?", **more):
    answers = () if answer is None else ((answer, context.index(answer)),)
    return TrainingExample("q", question, context, answers, **more)


def only_window(tokenizer, item):
    ((window,),) = make_windows([item], tokenizer, max_length=64, stride=16)
    return window


def test_target_of_a_window_decodes_to_the_answer(tokenizer):
    item = example("Ann Reed built the mill.", "Ann Reed")
    window = only_window(tokenizer, item)
    assert tokenizer.decode(window.ids[window.start : window.end + 1].tolist()) == "ann reed"
    first, last = window.offsets[window.start - window.passage], window.offsets[window.end - window.passage]
    assert item.context[first[0] : last[1]] == "Ann Reed"


def test_unanswerable_question_targets_the_null_token(tokenizer):
    window = only_window(tokenizer, example("Ann Reed built the mill."))
    assert (window.start, window.end) == (0, 0)
    assert window.ids[0] == tokenizer.token_to_id("[CLS]")


def test_answer_inside_a_word_targets_the_whole_word(tokenizer):
    window = only_window(tokenizer, example("Ann Reed built the mill.", "ill"))
    assert tokenizer.decode([int(window.ids[window.start])]) == "mill"


def test_each_window_of_a_long_passage_finds_the_answer_or_targets_null(tokenizer):
    (windows,) = make_windows([example(LONG, "word150 word151")], tokenizer, max_length=100, stride=30)
    assert len(windows) > 3
    targets = {tokenizer.decode(w.ids[w.start : w.end + 1].tolist()) for w in windows if w.start}
    assert targets == {"word150 word151"}
    assert any(w.start == 0 for w in windows)
    assert all(len(w) <= 100 for w in windows)
    covered = {tuple(offset) for w in windows for offset in w.offsets.tolist()}
    assert len(covered) == 301


def test_answer_cut_by_the_edge_of_a_window_is_no_target(tokenizer):
    whole = " ".join(f"word{i}" for i in range(10, 200))
    (windows,) = make_windows([example(LONG, whole)], tokenizer, max_length=100, stride=30)
    assert all((w.start, w.end) == (0, 0) for w in windows)


def test_training_takes_the_window_that_holds_the_answer(tokenizer):
    items = [example(LONG, "word250")] * 20 + [example(LONG)] * 20
    windows = training_windows(items, tokenizer, max_length=100, stride=30, rng=random.Random(0))
    assert [w.example for w in windows] == list(range(40))
    assert all(w.start for w in windows[:20])
    assert len({tuple(w.ids.tolist()) for w in windows[20:]}) > 1


def test_long_question_is_cut_and_leaves_room_for_the_passage(tokenizer):
    item = example("Ann Reed.", "Ann", question="who " * 500)
    ((window,),) = make_windows([item], tokenizer, max_length=96, stride=16)
    assert window.passage == MAX_QUESTION_TOKENS + 2
    assert tokenizer.decode([int(window.ids[window.start])]) == "ann"


def test_batch_is_padded_to_the_multiple_and_bars_question_and_padding(tokenizer):
    items = [example("Ann Reed built the mill.", "Ann Reed", weight=0.5), example("Ann.")]
    windows = [window for some in make_windows(items, tokenizer, max_length=64, stride=16) for window in some]
    batch = collate(windows, multiple=8)
    assert batch.ids.shape == (2, 16)
    assert batch.mask.sum(axis=1).tolist() == [len(w) for w in windows]
    assert batch.weights.tolist() == [0.5, 1.0]
    for row, window in enumerate(windows):
        allowed = [0, *range(window.passage, len(window) - 1)]
        assert np.flatnonzero(batch.allowed[row]).tolist() == allowed
        assert np.flatnonzero(batch.types[row]).tolist() == list(range(window.passage, len(window)))
    assert batch.allowed[0, batch.starts[0]]
    assert batch.allowed[0, batch.ends[0]]


def test_epoch_holds_every_window_once_in_batches_of_like_length(tokenizer):
    rng = random.Random(3)
    items = [example(" ".join(["word1"] * rng.randint(5, 200))) for _ in range(400)]
    windows = training_windows(items, tokenizer, max_length=256, stride=30, rng=rng)
    batches = epoch_batches(windows, 16, random.Random(1))
    assert sorted(w.example for some in batches for w in some) == list(range(400))
    spread = [max(map(len, some)) - min(map(len, some)) for some in batches]
    assert np.mean(spread) < 20
    again, other = epoch_batches(windows, 16, random.Random(1)), epoch_batches(windows, 16, random.Random(2))
    numbers = [[[w.example for w in some] for some in order] for order in (batches, again, other)]
    assert numbers[0] == numbers[1]
    assert numbers[0] != numbers[2]


def test_batches_of_tokens_hold_no_more_when_padded_and_lose_no_window(tokenizer):
    items = [example(" ".join(f"word{i}" for i in range(length)) + " .") for length in (5, 9, 30, 31, 40, 60, 61)]
    windows = [w for some in make_windows(items, tokenizer, max_length=96, stride=16) for w in some]
    batches = list(length_batches(sorted(windows, key=len), 3, 96, 16))
    assert sorted(len(w) for batch in batches for w in batch) == sorted(map(len, windows))
    assert all(collate(batch, multiple=16).ids.size <= 96 for batch in batches)
    assert max(map(len, batches)) == 2
    epoch = epoch_batches(windows, 2, random.Random(0), tokens=96, multiple=16)
    assert sorted(map(len, epoch)) == sorted(map(len, batches))


def test_a_window_longer_than_the_tokens_of_a_batch_is_a_batch_by_itself(tokenizer):
    windows = [only_window(tokenizer, example("Ann Reed built the mill."))] * 2
    assert list(map(len, length_batches(windows, 8, 4))) == [1, 1]
