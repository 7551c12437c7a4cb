"""`Head`: from a text's embedding and n-grams to logits; a linear model, in numpy alone."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twosup_chain.classifier.grams import Grams

Floats = NDArray[np.float64]
#: What arrays a head's file holds.
ARRAYS = ("hashes", "rarity", "mean", "scale", "words", "dense", "bias", "centres")


@dataclass(frozen=True, eq=False, kw_only=True)
class Head:
    """A linear model of n features of an embedding and m n-grams, with k rows of logits.

    Args:
        grams: The m n-grams.
        mean: The embedding's mean over the texts that it was fitted on, shape (n,).
        scale: What an embedding is divided by once the mean is taken off, shape (n,).
        words: The weights of the n-grams, shape (m, k).
        dense: The weights of the embedding, shape (k, n).
        bias: The constants, shape (k,).
        centres: The mean scaled embedding of each label's texts, shape (labels, n).
    """

    grams: Grams
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    words: NDArray[np.float16]
    dense: NDArray[np.float32]
    bias: NDArray[np.float32]
    centres: NDArray[np.float32]

    def scaled(self, embedding: Floats) -> Floats:
        """Returns an embedding as the weights are for, shape (n,)."""
        return (embedding - self.mean) / self.scale

    def logits(self, embedding: Floats, text: NDArray[np.uint32]) -> Floats:
        """Returns the logits, shape (k,), of a text with this embedding (scaled) and these hashes of n-grams."""
        at, weights = self.grams.weigh(text)
        return self.dense @ embedding + weights @ self.words[at].astype(np.float64) + self.bias

    def distance(self, embedding: Floats) -> float:
        """Returns how far a scaled embedding is from the nearest label's centre."""
        return float(np.sqrt(np.min(np.sum((self.centres - embedding) ** 2, axis=1))))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns what is kept of it, by name."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "grams"}
        return {**own, "hashes": self.grams.hashes, "rarity": self.grams.rarity}

    @classmethod
    def of(cls, arrays: dict[str, NDArray[Any]]) -> "Head":
        """Returns the head that `arrays` are of; a ValueError where their shapes do not fit together."""
        own = dict(arrays)
        head = cls(grams=Grams(hashes=own.pop("hashes"), rarity=own.pop("rarity")), **own)
        (m,), (n,), (k,) = head.grams.hashes.shape, head.mean.shape, head.bias.shape
        wanted = {"rarity": (m,), "scale": (n,), "words": (m, k), "dense": (k, n), "centres": (len(head.centres), n)}
        for name, shape in wanted.items():
            if arrays[name].shape != shape:
                raise ValueError(f"{name} has the shape {arrays[name].shape}, not {shape}")
        return head
