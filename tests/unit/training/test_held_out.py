"""Figures on held-out questions: by hand, and against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.training.data import TrainingExample
from twosup_chain.training.features import Window
from twosup_chain.training.held_out import MAX_ANSWER_TOKENS, Prediction, figures, predict

CONTEXT = "Ann Reed built it"
OFFSETS = np.array([[0, 3], [4, 8], [9, 14], [15, 17]], np.int32)


def example(*answers):
    return TrainingExample("q", "Who?", CONTEXT, tuple((text, CONTEXT.index(text)) for text in answers))


def window(index=0, offsets=OFFSETS):
    ids = np.arange(3 + len(offsets), dtype=np.int32)  # [CLS] ? passage… [SEP]
    return Window(index, ids, 2, offsets, 0, 0, 1.0)


def logits_of(starts, ends):
    def run(batch):
        shape = batch.ids.shape
        made = [np.full(shape, -50.0, np.float32) for _ in range(2)]
        for part, values in zip(made, (starts, ends), strict=True):
            part[:, : len(values)] = values
        return made[0], made[1]

    return run


def test_best_span_is_found_with_its_margin_over_the_null_span():
    run = logits_of([1.0, 9.0, 4.0, 0.0, 0.0, 0.0, 9.0], [2.0, 9.0, 0.0, 5.0, 0.0, 0.0, 9.0])
    (found,) = predict([example("Ann Reed")], [window()], run)
    assert found == Prediction("Ann Reed", 6.0)


def test_span_never_ends_before_it_starts():
    run = logits_of([0.0, 0.0, 0.0, 0.0, 5.0, 0.0], [0.0, 0.0, 5.0, 0.0, 0.0, 1.0])
    (found,) = predict([example("it")], [window()], run)
    assert found == Prediction("built it", 6.0)


def test_span_is_never_longer_than_the_limit():
    offsets = np.array([[i, i + 1] for i in range(60)], np.int32)
    starts, ends = [0.0] * 63, [0.0] * 63
    starts[2], ends[61] = 5.0, 5.5
    item = TrainingExample("q", "Who?", "x" * 60, (("x", 0),))
    (found,) = predict([item], [window(offsets=offsets)], logits_of(starts, ends))
    assert len(found.text) <= MAX_ANSWER_TOKENS
    assert found.margin == 5.5


def test_best_window_of_an_example_decides():
    def run(batch):
        starts = np.zeros(batch.ids.shape, np.float32)
        starts[:, 2] = [3.0 if row == 1 else 1.0 for row in range(len(starts))]
        return starts, np.zeros_like(starts)

    found = predict([example("Ann"), example("Ann")], [window(0), window(0), window(1)], run)
    assert [p.margin for p in found] == [3.0, 1.0]


def test_figures_by_hand():
    examples = [example("Ann Reed"), example("Ann"), example(), example()]
    predictions = [
        Prediction("Ann Reed", 3.0),
        Prediction("Ann Reed", -1.0),
        Prediction("it", 1.0),
        Prediction("it", -2.0),
    ]
    found = figures(examples, predictions)
    assert (found.questions, found.answerable) == (4, 2)
    assert found.exact == 0.5
    assert found.f1 == pytest.approx((1 + 2 / 3) / 2)
    assert found.auroc == 0.75
    assert found.official_f1 == pytest.approx(0.75)
    assert found.threshold == 3.0
    assert found.balanced_f1 == pytest.approx(0.75)
    assert found.as_dict()["f1"] == 0.8333


def test_balanced_figure_weighs_both_kinds_alike():
    examples = [example("Ann")] * 9 + [example()]
    predictions = [Prediction("Ann", 0.0)] * 9 + [Prediction("Ann", 0.0)]
    found = figures(examples, predictions)
    assert found.official_f1 == pytest.approx(0.9)
    assert found.balanced_f1 == pytest.approx(0.5)


@given(st.lists(st.tuples(st.integers(-3, 3), st.sampled_from(["Ann", "Ann Reed", None])), min_size=2, max_size=30))
def test_best_official_f1_is_that_of_some_threshold(rows):
    rows = [*rows, (0, "Ann"), (0, None)]
    examples = [example(*([gold] if gold else [])) for _, gold in rows]
    predictions = [Prediction("Ann", float(margin)) for margin, _ in rows]

    def official(threshold):
        gains = {"Ann": 1.0, "Ann Reed": 2 / 3}
        return np.mean([gains.get(gold, 0.0) if m >= threshold else float(gold is None) for m, gold in rows])

    found = figures(examples, predictions)
    assert found.official_f1 == pytest.approx(max(official(threshold) for threshold in range(-4, 5)))
    assert official(found.threshold) == pytest.approx(found.official_f1)
