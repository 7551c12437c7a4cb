"""What the log-probabilities of `LlamaCppAnswerer` cost over plain generation, measured in the same run.

Both write the same text token by token in turns, on one thread, and processor time counts: what else the machine does
changes the seconds, not the ratio.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import pytest

from twosup_chain.llama.decoding import Logits, Sampling, write_line
from twosup_chain.llama.model import LlamaModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

llama_cpp = pytest.importorskip("llama_cpp")
pytestmark = pytest.mark.benchmark

PROMPT = "<|im_start|>user\nTell the story of a {subject}, in one paragraph.<|im_end|>\n<|im_start|>assistant\n"
TOKENS = 200


class InTurns:
    """A model that lets a plain generation write one token before each of its own, and times both."""

    def __init__(self, model: LlamaModel, plain: Iterator[int]) -> None:
        self.model = model
        self.plain = plain
        self.ends = model.ends
        self.piece = model.piece
        self.plain_tokens: list[int] = []
        self.plain_seconds: list[float] = []
        self.own_seconds: list[float] = []
        self._since: float | None = None

    def append(self, token: int) -> Logits:
        start = time.process_time()
        if self._since is not None:
            self.own_seconds.append(start - self._since)
        self.plain_tokens.append(next(self.plain))
        self._since = time.process_time()
        self.plain_seconds.append(self._since - start)
        return self.model.append(token)

    def rewind(self) -> None:
        self.model.rewind()


def test_log_probabilities_cost_at_most_a_twentieth_of_plain_generation(smollm2_path: Path) -> None:
    model = LlamaModel(smollm2_path, n_ctx=512, n_threads=1)
    llama = llama_cpp.Llama(str(smollm2_path), n_ctx=512, n_threads=1, n_threads_batch=1, verbose=False)
    ratios: list[float] = []
    for subject in ("ferry", "bakery", "mountain", "violin"):
        prompt = model.tokenize(PROMPT.format(subject=subject), special=True)
        llama.reset()
        stream = llama.generate(prompt, temp=0.0)
        first = next(stream)
        turns = InTurns(model, stream)
        reply = write_line(turns, model.read([prompt]), Sampling(TOKENS))
        same = llama.detokenize([first, *turns.plain_tokens], special=True).decode(errors="replace")
        assert "".join(token.text for token in reply) == same
        ratios += [own / plain for own, plain in zip(turns.own_seconds, turns.plain_seconds[:-1], strict=True)]
    ratio = statistics.median(ratios)
    print(f"with log-probabilities / plain: median {ratio:.4f} of {len(ratios)} pairs of tokens")
    assert len(ratios) > TOKENS
    assert ratio <= 1.05
    model.close()
    llama.close()
