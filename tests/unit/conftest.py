"""A language model whose every probability is known, in the place of a GGUF."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from twosup_chain.llama import model as _llama_model
from twosup_chain.llama.model import LlamaModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from twosup_chain.llama.decoding import Logits

END = 256  # the token that ends a turn; the others are bytes

Script = dict[bytes, float]


class ScriptedModel(LlamaModel):
    """Writes the replies of a script, each with the probability given there; its tokens are bytes.

    `script` gets the prompt and returns its replies with their probabilities, which sum to 1. `prompts` keeps the
    prompts read, in segments; `trusted` the texts in which special tokens counted.
    """

    def __init__(self, path: Path, script: Callable[[str], Script], **options: int) -> None:
        super().__init__(path, **options)
        self.script = script
        self.prompts: list[list[str]] = []
        self.trusted: list[str] = []
        self._script: Script = {}
        self._written = b""

    @property
    def name(self) -> str:
        return "scripted"

    @property
    def n_ctx(self) -> int:
        return self.options["n_ctx"]

    def tokenize(self, text: str, *, special: bool = False, start: bool = False, spaced: bool = False) -> list[int]:
        if special:
            self.trusted.append(text)
        return list(f" {text}".encode() if spaced else text.encode())

    def piece(self, token: int) -> bytes:
        return b"<|end|>" if token == END else bytes([token])

    def ends(self, token: int) -> bool:
        return token == END

    def render(self, messages: Sequence[dict[str, str]]) -> str:
        return "".join(f"[{m['role']}] {m['content']}\n" for m in messages) + "[assistant] "

    def read(self, segments: Sequence[Sequence[int]]) -> Logits:
        self.reader = None
        self.prompts.append([bytes(segment).decode(errors="replace") for segment in segments])
        self._script = self.script("".join(self.prompts[-1]))
        self.rewind()
        return self._logits()

    def append(self, token: int) -> Logits:
        self._written += bytes([token])
        return self._logits()

    def rewind(self) -> None:
        self._written = b""

    def _logits(self) -> Logits:
        """Returns the logarithms of what the script says of the next byte, shifted as a real model's logits are."""
        masses = np.zeros(END + 1)
        for reply, probability in self._script.items():
            if reply.startswith(self._written):
                masses[(*reply, END)[len(self._written)]] += probability
        if not masses.any():  # nobody writes this: what follows is anyone's guess
            masses[:] = 1 / len(masses)
        with np.errstate(divide="ignore"):
            return (np.log(masses) + 17.0).astype(np.float32)


@pytest.fixture
def gguf_path(tmp_path: Path) -> Path:
    """A file that starts as a GGUF does, and holds no model."""
    path = tmp_path / "scripted.gguf"
    path.write_bytes(b"GGUF" + bytes(60))
    return path


@pytest.fixture
def scripted(gguf_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ScriptedModel]:
    """Returns a function that makes a `ScriptedModel` from a script, or from replies that no prompt changes."""
    monkeypatch.setattr(_llama_model, "find_spec", lambda _: object())

    def make(script: Callable[[str], Script] | Script, **options: int) -> ScriptedModel:
        total = math.fsum(script.values()) if isinstance(script, dict) else 1.0
        assert math.isclose(total, 1.0)
        return ScriptedModel(gguf_path, script if callable(script) else lambda _: script, **options)

    return make
