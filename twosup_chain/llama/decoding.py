"""Decoding token by token, with the log-probability of every token: from logits to a reply.

It knows a language model only as something that takes a token and gives logits, so any can be put in its place. What
the reply means is left to `prompt`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

#: One logit for each entry of the vocabulary, shape (n_vocab,).
Logits = npt.NDArray[np.float32]

# A variant whose first token is this much less likely than the likeliest variant's is not worth evaluating.
_NEGLIGIBLE = 0.01


class LanguageModel(Protocol):
    """What decoding needs of a model that has read a prompt."""

    def append(self, token: int) -> Logits:
        """Reads one more token and returns the logits after it."""

    def rewind(self) -> None:
        """Forgets the tokens appended to the prompt."""

    def ends(self, token: int) -> bool:
        """Whether a token ends the model's turn."""

    def piece(self, token: int) -> bytes:
        """Returns the bytes that a token stands for."""


@dataclass(frozen=True)
class Reply:
    """What a model wrote.

    Args:
        text: The reply without the token that ended it.
        tokens: The generated tokens' texts, that of the ending token included.
        logprobs: Their log-probabilities, in nats, at temperature 1, shape (n_tokens,).
    """

    text: str
    tokens: tuple[str, ...]
    logprobs: tuple[float, ...]


def write_reply(
    model: LanguageModel,
    logits: Logits,
    *,
    max_tokens: int,
    temperature: float = 0.0,
    seed: int = 0,
) -> Reply:
    """Lets a model write one line.

    Args:
        model: The model, which has read the prompt.
        logits: Its logits after the prompt, shape (n_vocab,).
        max_tokens: How many tokens it may write, at least 1.
        temperature: 0 takes the likeliest token (the first of equals); otherwise tokens are drawn from
            softmax(logits / temperature).
        seed: Seeds the drawing.

    Returns:
        The reply up to the end of the model's turn, the end of its first line that holds text, or `max_tokens`.
    """
    random = np.random.default_rng(seed)
    written = b""
    tokens: list[str] = []
    logprobs: list[float] = []
    while True:
        token = choose(logits, temperature, random)
        piece = model.piece(token)
        tokens.append(piece.decode(errors="replace"))
        logprobs.append(float(logits[token]) - log_sum_exp(logits))
        if model.ends(token):
            break
        written += piece
        if b"\n" in written.lstrip() or len(tokens) == max_tokens:
            break
        logits = model.append(token)
    return Reply(written.decode(errors="replace"), tuple(tokens), tuple(logprobs))


def opening_probability(model: LanguageModel, logits: Logits, variants: Sequence[Sequence[int]]) -> float:
    """Returns the probability that a reply opens with one of several sequences of tokens, in [0, 1].

    Each sequence's probability is the product of its tokens' probabilities; sequences whose first token is less than a
    hundredth as likely as the likeliest first token are left out.

    Args:
        model: The model, which has read the prompt.
        logits: Its logits after the prompt, shape (n_vocab,); a copy, since the model is made to read on.
        variants: The sequences, none of them the beginning of another.
    """
    total = log_sum_exp(logits)
    first = {tuple(tokens): float(logits[tokens[0]]) - total for tokens in variants if tokens}
    floor = max(first.values(), default=0.0) + math.log(_NEGLIGIBLE)
    probability = 0.0
    for tokens, start in first.items():
        if start < floor:
            continue
        model.rewind()
        logprob = start
        for token, following in pairwise(tokens):
            row = model.append(token)
            logprob += float(row[following]) - log_sum_exp(row)
        probability += math.exp(logprob)
    return min(probability, 1.0)


def log_sum_exp(logits: Logits) -> float:
    """Returns log(sum(exp(logits))), safe for logits of any size."""
    highest = logits.max()
    return float(highest) + math.log(float(np.exp(logits - highest).sum()))


def choose(logits: Logits, temperature: float, random: np.random.Generator) -> int:
    """Returns the likeliest token at temperature 0, else one drawn from softmax(logits / temperature).

    It is drawn by the Gumbel-max trick, which needs no sum over the vocabulary.
    """
    if temperature == 0.0:
        return int(logits.argmax())
    return int((logits / temperature + random.gumbel(size=logits.shape)).argmax())
