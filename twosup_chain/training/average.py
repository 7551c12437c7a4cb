"""`Average`: a model's weights averaged over the steps of its training."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


class Average:
    """An exponential moving average of a model's weights; of few steps it is of those few.

    Args:
        model: The model at its first step.
        decay: What is left of the average at each step, in (0, 1).
    """

    def __init__(self, model: Any, decay: float) -> None:
        self.decay = decay
        self.weights = [parameter.detach().clone() for parameter in model.parameters()]

    def add(self, model: Any, step: int) -> None:
        """Takes in the weights after a step (counted from 1)."""
        import torch

        share = 1 - min(self.decay, step / (9 + step))
        with torch.no_grad():
            torch._foreach_lerp_(self.weights, list(model.parameters()), share)

    def settle(self, model: Any) -> None:
        """Gives the model the averaged weights."""
        _put(model, self.weights)

    @contextmanager
    def inside(self, model: Any) -> Iterator[None]:
        """The model has the averaged weights meanwhile."""
        own = [parameter.detach().clone() for parameter in model.parameters()]
        _put(model, self.weights)
        try:
            yield
        finally:
            _put(model, own)


def _put(model: Any, weights: Sequence[Any]) -> None:
    import torch

    with torch.no_grad():
        for parameter, value in zip(model.parameters(), weights, strict=True):
            parameter.copy_(value)
