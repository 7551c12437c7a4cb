"""Averaged weights: what they are after some steps, and that a model gets its own ones back."""

from __future__ import annotations

import pytest

from twosup_chain.training.average import Average

torch = pytest.importorskip("torch")


def stepped(average, model, values):
    for step, value in enumerate(values, 1):
        torch.nn.init.constant_(model.weight, value)
        average.add(model, step)


@pytest.fixture
def model():
    made = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(made.weight, 0.0)
    return made


def test_of_many_steps_so_much_is_left_as_the_decay_says(model):
    average = Average(model, 0.5)
    stepped(average, model, [0.0] * 20)  # from the ninth step on it is the decay that counts
    torch.nn.init.constant_(model.weight, 8.0)
    for step in (21, 22):
        average.add(model, step)
    assert average.weights[0].item() == pytest.approx(6.0)


def test_of_few_steps_the_start_counts_little(model):
    average = Average(model, 0.999)
    stepped(average, model, [1.0])
    assert average.weights[0].item() == pytest.approx(0.9)


def test_a_model_has_the_average_meanwhile_and_then_its_own_weights(model):
    average = Average(model, 0.5)
    stepped(average, model, [1.0, 1.0])
    with average.inside(model):
        assert model.weight.item() == average.weights[0].item() < 1.0
    assert model.weight.item() == 1.0
