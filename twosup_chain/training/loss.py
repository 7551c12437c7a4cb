"""What a student is told: the labels' own loss, and how far it is from its teacher."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twosup_chain.training.features import Batch

Logits = tuple[Any, Any]


def hard_loss(logits: Logits, batch: Batch) -> Any:
    """Returns the weighted mean cross-entropy of start and end over a batch's windows; 0 where all weights are 0."""
    import torch

    weights = torch.from_numpy(batch.weights).to(logits[0].device)
    losses = [
        torch.nn.functional.cross_entropy(some, torch.from_numpy(targets).to(some.device), reduction="none")
        for some, targets in zip(logits, (batch.starts, batch.ends), strict=True)
    ]
    return ((losses[0] + losses[1]) / 2 * weights).sum() / weights.sum().clamp(min=1e-9)


def soft_loss(logits: Logits, labels: NDArray[np.float32], temperature: float) -> Any:
    """Returns the mean Kullback-Leibler divergence of a student from its teacher, start and end, at a temperature.

    It is multiplied with the temperature's square, so that gradients keep their size (Hinton et al. 2015, section 2).

    Args:
        logits: The student's, shape (windows, length) each, -inf where no span may start or end.
        labels: The teacher's, shape (windows, 2, length), likewise.
        temperature: What both are divided by.
    """
    import torch

    told = torch.from_numpy(labels).to(logits[0].device) / temperature
    said = torch.stack(logits, 1) / temperature
    apart = told.log_softmax(-1) - said.log_softmax(-1)
    # where nothing may start, both are -inf and differ by nothing
    distance = told.softmax(-1) * apart.masked_fill(told == -torch.inf, 0.0)
    return distance.sum(-1).mean() * temperature**2
