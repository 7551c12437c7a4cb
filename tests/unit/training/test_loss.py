"""What a student is told: no distance to itself, none where nothing may start, and labels that weigh nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twosup_chain.training.features import Batch
from twosup_chain.training.loss import hard_loss, soft_loss

torch = pytest.importorskip("torch")

INF = math.inf
TOLD = np.array([[[2.0, -INF, 0.0], [1.0, -INF, 3.0]]], np.float32)


def logits(values):
    parts = torch.tensor(values, requires_grad=True)
    return parts, (parts[:, 0], parts[:, 1])


def batch(weights):
    n = len(weights)
    empty = np.zeros((n, 3), np.int64)
    targets = np.zeros(n, np.int64)
    return Batch(empty, empty, empty, empty.astype(bool), targets, targets, np.array(weights, np.float32))


def test_a_student_that_says_the_same_is_at_no_distance():
    _, same = logits(TOLD.copy())
    assert soft_loss(same, TOLD, 2.0).item() == pytest.approx(0.0, abs=1e-6)


def test_the_distance_is_the_divergence_times_the_squared_temperature():
    _, said = logits(np.array([[[0.0, -INF, 0.0], [1.0, -INF, 3.0]]], np.float32))
    p = 1 / (1 + math.exp(-1.0))
    expected = 4 * (p * math.log(2 * p) + (1 - p) * math.log(2 * (1 - p))) / 2  # start and end, of which one differs
    assert soft_loss(said, TOLD, 2.0).item() == pytest.approx(expected, rel=1e-5)


def test_gradients_are_numbers_and_none_where_nothing_may_start():
    parts, said = logits(np.array([[[0.0, -INF, 0.0], [0.0, -INF, 0.0]]], np.float32))
    soft_loss(said, TOLD, 2.0).backward()
    assert torch.isfinite(parts.grad).all()
    assert (parts.grad[:, :, 1] == 0).all()
    assert (parts.grad[:, :, 0] != 0).all()


def test_labels_that_weigh_nothing_count_nothing():
    _, said = logits(np.array([[[0.0, 1.0, 0.0]] * 2, [[9.0, 0.0, 0.0]] * 2], np.float32))
    _, first = logits(np.array([[[0.0, 1.0, 0.0]] * 2], np.float32))
    assert hard_loss(said, batch([1.0, 0.0])).item() == pytest.approx(hard_loss(first, batch([1.0])).item())
    assert hard_loss(said, batch([0.0, 0.0])).item() == 0.0
