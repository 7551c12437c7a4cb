"""A conversation's reply, in pieces that can be shown: whole characters, and nothing of a stop text."""

import codecs
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from twosup_chain.llama.decoding import Logits, Sampling, WrittenToken, decode
from twosup_chain.llama.model import LlamaModel


@dataclass(frozen=True)
class Piece:
    """What can be shown of a reply at a time."""

    text: str  # only the last piece may have none
    tokens: tuple[WrittenToken, ...]  # those that spell it
    generated: int  # tokens since the piece before, the ending one and those of a stop text included
    ending: str | None = None  # "stop" or "length" in the last piece


def write(model: LlamaModel, prompt: Sequence[Sequence[int]], sampling: Sampling) -> Generator[Piece]:
    """Lets a model write a reply, one piece at a time; closing the generator ends the writing there.

    With `Sampling.max_tokens` the prompt, in segments, is not more than the context holds.
    All of this is one job of the model's worker.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text, shown, counted = "", 0, 0
    waiting: list[tuple[int, WrittenToken]] = []  # tokens not shown yet, and where each starts in the text
    ending: str | None = None

    def logits_after(written: Sequence[int]) -> Logits:
        return model.append(written[-1]) if written else model.read(prompt)

    for generated, token in enumerate(decode(model, sampling, logits_after), 1):
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


def _held_back(text: str, stops: Sequence[str]) -> int:
    """Returns how many characters at the end of a text may turn out to begin a stop text."""
    longest = max((len(stop) - 1 for stop in stops), default=0)
    lengths = range(min(longest, len(text)), 0, -1)
    return next((n for n in lengths if any(stop.startswith(text[-n:]) for stop in stops)), 0)
