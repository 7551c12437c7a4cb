"""A conversation's reply, in pieces that can be shown: whole characters, and nothing of a stop text.

Between two tokens the model may be put to other work: it then reads the prompt and what was written again. How tokens
are chosen is in `decoding`; what the prompt is, and what becomes of the pieces, is left to `chat`.
"""

from __future__ import annotations

import codecs
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twosup_chain.llama.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twosup_chain.llama.decoding import Logits, Sampling, WrittenToken
    from twosup_chain.llama.model import LlamaModel

# Seconds after which a stream that nobody reads on is overtaken.
_PATIENCE = 1.0


@dataclass(frozen=True)
class Piece:
    """What can be shown of a reply at a time."""

    text: str  # only the last piece may have none
    tokens: tuple[WrittenToken, ...]  # those that spell it
    generated: int  # tokens since the piece before, the ending one and those of a stop text included
    ending: str | None = None  # "stop" or "length" in the last piece


def write(model: LlamaModel, prompt: Sequence[Sequence[int]], sampling: Sampling) -> Iterator[Piece]:
    """Lets a model write a reply, one piece at a time; closing the generator ends the writing there.

    With `Sampling.max_tokens` the prompt, in segments, is not more than the context holds.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text, shown, generated, counted = "", 0, 0, 0
    waiting: list[tuple[int, WrittenToken]] = []  # tokens not shown yet, and where each starts in the text
    ending: str | None = None
    with _in_turn(model):
        for token in _Reader(model, prompt).decode(sampling):
            generated += 1
            if token.ends:
                ending = "stop"
            else:
                waiting.append((len(text), token))
                ending = "length" if generated == sampling.max_tokens else None
                text += decoder.decode(token.data)
            if ending is not None:
                text += decoder.decode(b"", final=True)
            cut = min((at for stop in sampling.stop if (at := text.find(stop, shown)) >= 0), default=None)
            if cut is not None:
                text, ending = text[:cut], "stop"
            end = len(text) if ending else len(text) - _held_back(text[shown:], sampling.stop)
            if end > shown or ending:
                ready = tuple(token for start, token in waiting if start < end)
                yield Piece(text[shown:end], ready, generated - counted, ending)
                waiting, shown, counted = waiting[len(ready) :], end, generated
            if ending:
                return


class _Reader:
    """Makes a model read one prompt and what was written after it, again where it was put to other work."""

    def __init__(self, model: LlamaModel, prompt: Sequence[Sequence[int]]) -> None:
        self.model = model
        self.prompt = prompt

    def decode(self, sampling: Sampling) -> Iterator[WrittenToken]:
        """Lets the model write; it is held from token to token, and free in between."""
        tokens = decode(self.model, sampling, self._logits_after)
        while True:
            with self.model.lock:
                token = next(tokens, None)
            if token is None:
                return
            yield token

    def _logits_after(self, written: Sequence[int]) -> Logits:
        if written and self.model.reader is self:
            return self.model.append(written[-1])
        logits = self.model.read([*self.prompt, written])
        self.model.reader = self
        return logits


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
