"""Decoding token by token, with the log-probability of every token: from logits to a reply.

It knows a language model only as something that takes a token and gives logits, so any can be put in its place.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

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
class Sampling:
    """How tokens are chosen, and where the reply ends."""

    max_tokens: int
    temperature: float = 0.0  # 0 takes the likeliest token (the first of equals); others draw from softmax(logits / t)
    seed: int = 0
    stop: tuple[str, ...] = ()  # texts before which the reply ends
    top_logprobs: int = 0  # how many of the likeliest tokens are told at each place


@dataclass(frozen=True)
class WrittenToken:
    """One token of a reply."""

    data: bytes  # which may be a part of a character
    logprob: float  # at temperature 1, in nats
    top: tuple[tuple[bytes, float], ...] = ()  # the likeliest tokens at its place, best first
    ends: bool = False  # the model's turn, and so is none of the text

    @property
    def text(self) -> str:
        """What it reads, replacement marks in the place of half a character."""
        return self.data.decode(errors="replace")


def decode(
    model: LanguageModel, sampling: Sampling, logits_after: Callable[[Sequence[int]], Logits]
) -> Iterator[WrittenToken]:
    """Lets a model write token by token, up to the one that ends its turn or the last of `Sampling.max_tokens`.

    `logits_after` returns the logits after the prompt and the tokens written so far. Where stop texts end the reply is
    the business of who reads it.
    """
    random = np.random.default_rng(sampling.seed)
    written: list[int] = []
    while len(written) < sampling.max_tokens:
        logits = logits_after(written)
        token = choose(logits, sampling.temperature, random)
        total = log_sum_exp(logits)
        top = tuple((model.piece(i), float(logits[i]) - total) for i in _likeliest(logits, sampling.top_logprobs))
        written.append(token)
        ends = model.ends(token)
        yield WrittenToken(model.piece(token), float(logits[token]) - total, top, ends)
        if ends:
            return


def write_line(model: LanguageModel, logits: Logits, sampling: Sampling) -> tuple[WrittenToken, ...]:
    """Lets a model that has read the prompt, with these logits after it, write one line.

    The tokens go up to the end of the model's turn, the end of its first line that holds text, or
    `Sampling.max_tokens`, the ending one included.
    """
    line: list[WrittenToken] = []
    for token in decode(model, sampling, lambda written: model.append(written[-1]) if written else logits):
        line.append(token)
        if b"\n" in spelt(line).lstrip():
            break
    return tuple(line)


def spelt(tokens: Iterable[WrittenToken]) -> bytes:
    """Returns what tokens spell together; a token that ends the model's turn spells nothing."""
    return b"".join(token.data for token in tokens if not token.ends)


def opening_probability(model: LanguageModel, logits: Logits, variants: Sequence[Sequence[int]]) -> float:
    """Returns the probability that a reply opens with one of several sequences of tokens, in [0, 1].

    None is the beginning of another. `logits` as in `sequence_probabilities`.
    """
    return min(sum(sequence_probabilities(model, logits, variants).values()), 1.0)


def sequence_probabilities(
    model: LanguageModel, logits: Logits, sequences: Iterable[Sequence[int]]
) -> dict[tuple[int, ...], float]:
    """Returns for each sequence of tokens the probability that a reply opens with it, in [0, 1].

    It is the product of its tokens' probabilities; 0 for sequences whose first token is less than a hundredth as likely
    as the likeliest first token, which are not looked at. `logits`, those after the prompt, are a copy, since the model
    is made to read on.
    """
    total = log_sum_exp(logits)
    first = {tuple(tokens): float(logits[tokens[0]]) - total for tokens in sequences if tokens}
    floor = max(first.values(), default=0.0) + math.log(_NEGLIGIBLE)
    found = dict.fromkeys(first, 0.0)
    for tokens, start in first.items():
        if start < floor:
            continue
        model.rewind()
        logprob = start
        for token, following in pairwise(tokens):
            row = model.append(token)
            logprob += float(row[following]) - log_sum_exp(row)
        found[tokens] = math.exp(logprob)
    return found


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


def _likeliest(logits: Logits, count: int) -> list[int]:
    if count == 0:
        return []
    found = np.argpartition(logits, -count)[-count:] if count < len(logits) else np.arange(len(logits))
    return [int(token) for token in found[np.argsort(-logits[found], kind="stable")]]
