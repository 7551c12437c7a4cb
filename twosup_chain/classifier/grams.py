"""What words a text has: its words and pairs of neighbouring words as hashes, weighed by how rare they are."""

import re
import zlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

#: A word, or a sign that is none; line breaks of web pages are neither.
_TOKEN = re.compile(r"\w+|[^\w\s]")
_MARKUP = re.compile(r"<br\s*/?>", re.IGNORECASE)


def grams(text: str) -> NDArray[np.uint32]:
    """Returns the hashes (CRC-32) of a text's words and word pairs, in lower case, repeated as they occur."""
    words = _TOKEN.findall(_MARKUP.sub(" ", text.lower()))
    pairs = (f"{first} {second}" for first, second in pairwise(words))
    return np.array([zlib.crc32(gram.encode("utf-8", "replace")) for gram in (*words, *pairs)], np.uint32)


@dataclass(frozen=True, eq=False, kw_only=True)
class Grams:
    """The n-grams that count: their hashes in ascending order, and their inverse document frequencies; shape (m,)."""

    hashes: NDArray[np.uint32]
    rarity: NDArray[np.float32]

    @classmethod
    def of(cls, texts: list[NDArray[np.uint32]], least: int) -> "Grams":
        """Returns those that at least so many of the texts have."""
        own = [np.unique(text) for text in texts]
        hashes, counts = np.unique(np.concatenate(own), return_counts=True)
        often = counts >= least
        rarity = np.log((1.0 + len(texts)) / (1.0 + counts[often])) + 1.0
        return cls(hashes=hashes[often], rarity=rarity.astype(np.float32))

    def weigh(self, text: NDArray[np.uint32]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Returns which of these n-grams a text has, and their weights: (1 + log count) × rarity, of length 1."""
        own, counts = np.unique(text, return_counts=True)
        at = np.searchsorted(self.hashes, own)
        known = at < len(self.hashes)
        known[known] = self.hashes[at[known]] == own[known]
        weights = (1.0 + np.log(counts[known])) * self.rarity[at[known]].astype(np.float64)
        length = float(np.sqrt(np.sum(weights * weights)))
        return at[known], weights / (length or 1.0)
