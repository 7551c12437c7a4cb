"""A reply that a GGUF model writes token by token, with the log-probability of each, up to a stop text or a limit.

Between two tokens the model may be put to other work: it then reads the prompt and what was written again. What the
prompt is, and what becomes of the pieces, is left to `llama_cpp`.
"""

from __future__ import annotations

import codecs
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twosup_chain.llama.decoding import Logits, choose, log_sum_exp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twosup_chain.llama.model import LlamaModel

# Seconds after which a stream that nobody reads on is overtaken.
_PATIENCE = 1.0


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen, and where the reply ends.

    Args:
        max_tokens: The most tokens that are written, at least 1.
        temperature: 0 takes the likeliest token; otherwise tokens are drawn from softmax(logits / temperature).
        seed: Seeds the drawing.
        stop: Texts before which the reply ends.
        top_logprobs: How many of the likeliest tokens are told at each place.
    """

    max_tokens: int
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    top_logprobs: int = 0


@dataclass(frozen=True)
class WrittenToken:
    """One token of a reply.

    Args:
        data: Its bytes, which may be a part of a character.
        logprob: Its log-probability at temperature 1, in nats.
        top: The likeliest tokens at its place and their log-probabilities, best first.
    """

    data: bytes
    logprob: float
    top: tuple[tuple[bytes, float], ...] = ()


@dataclass(frozen=True)
class Piece:
    """What can be shown of a reply at a time.

    Args:
        text: Its text; only the last piece may have none.
        tokens: The tokens that spell it.
        generated: How many tokens were generated since the piece before, the ending one and those of a stop text
            included.
        ending: ``"stop"`` or ``"length"`` in the last piece.
    """

    text: str
    tokens: tuple[WrittenToken, ...]
    generated: int
    ending: str | None = None


def write(model: LlamaModel, prompt: Sequence[Sequence[int]], sampling: Sampling) -> Iterator[Piece]:
    """Lets a model write a reply, one piece at a time; closing the generator ends the writing there.

    Args:
        model: The model.
        prompt: The prompt's tokens, in segments; with `Sampling.max_tokens` not more than the context holds.
        sampling: How tokens are chosen.
    """
    hand = _Hand(model, prompt, sampling)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text, shown, generated = "", 0, 0
    waiting: list[tuple[int, WrittenToken]] = []  # tokens not shown yet, and where each starts in the text
    ending: str | None = None
    with _in_turn(model):
        while ending is None:
            token = hand.next_token()
            generated += 1
            if token is None:
                ending = "stop"
            else:
                waiting.append((len(text), token))
                text += decoder.decode(token.data)
                if len(hand.tokens) == sampling.max_tokens:
                    ending = "length"
            if ending is not None:
                text += decoder.decode(b"", final=True)
            cut = min((at for stop in sampling.stop if (at := text.find(stop, shown)) >= 0), default=None)
            if cut is not None:
                text, ending = text[:cut], "stop"
            end = len(text) if ending else len(text) - _held_back(text[shown:], sampling.stop)
            if end > shown or ending:
                ready = tuple(token for start, token in waiting if start < end)
                yield Piece(text[shown:end], ready, generated, ending)
                waiting = [] if ending else waiting[len(ready) :]
                shown, generated = end, 0


class _Hand:
    """Chooses one token after the other, and makes the model read again where it was put to other work."""

    def __init__(self, model: LlamaModel, prompt: Sequence[Sequence[int]], sampling: Sampling) -> None:
        self.model = model
        self.prompt = prompt
        self.sampling = sampling
        self.tokens: list[int] = []
        self._random = np.random.default_rng(sampling.seed)

    def next_token(self) -> WrittenToken | None:
        """Returns the next token; ``None`` where the model ends its turn."""
        model = self.model
        with model.lock:
            logits = self._read_on()
            token = choose(logits, self.sampling.temperature, self._random)
            self.tokens.append(token)
            if model.ends(token):
                return None
            total = log_sum_exp(logits)
            best = _best(logits, self.sampling.top_logprobs)
            top = tuple((model.piece(place), float(logits[place]) - total) for place in best)
            return WrittenToken(model.piece(token), float(logits[token]) - total, top)

    def _read_on(self) -> Logits:
        if self.tokens and self.model.reader is self:
            return self.model.append(self.tokens[-1])
        logits = self.model.read([*self.prompt, self.tokens])
        self.model.reader = self
        return logits


def _best(logits: Logits, count: int) -> list[int]:
    if count == 0:
        return []
    found = np.argpartition(logits, -count)[-count:] if count < len(logits) else np.arange(len(logits))
    return [int(place) for place in found[np.argsort(-logits[found], kind="stable")]]


def _held_back(text: str, stops: Sequence[str]) -> int:
    """Returns how many characters at the end of a text may turn out to begin a stop text."""
    longest = max((len(stop) - 1 for stop in stops), default=0)
    lengths = range(min(longest, len(text)), 0, -1)
    return next((n for n in lengths if any(stop.startswith(text[-n:]) for stop in stops)), 0)


@contextmanager
def _in_turn(model: LlamaModel) -> Iterator[None]:
    """Waits until no other stream is being written, or until the one that is has paused for a while."""
    held = _take_turn(model)
    try:
        yield
    finally:
        if held:
            model.turn.release()


def _take_turn(model: LlamaModel) -> bool:
    before = -1
    while not model.turn.acquire(timeout=_PATIENCE):
        if model.lock.acquire(blocking=False):  # nothing is being evaluated at this moment
            now = model.evaluated
            model.lock.release()
            if now == before:
                return False
            before = now
    return True
