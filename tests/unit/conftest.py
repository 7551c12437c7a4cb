"""What unit tests share: a language model whose every probability is known, and two models on recorded questions."""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest

from twosup_chain import Answer, LearnedScorer, collect, fit_scorer
from twosup_chain.llama import model as _llama_model
from twosup_chain.llama.model import LlamaModel
from twosup_chain.text.questions import LabelledQuestion

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twosup_chain import QAInput
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


@dataclass(frozen=True)
class Notes:
    """Questions on who wrote a note, two models that answer them, their records, and scorers that are fitted to these.

    A third has no answer. The local model is surer where there is one, and finds the right span, a part of it or
    another one; the remote one fails now and then.
    """

    #: What stands in every passage; the first is right where there is an answer.
    spans: ClassVar = ("Ada Lovelace", "in London", "1843")
    examples: tuple[LabelledQuestion, ...]
    records: Path
    scorers: dict[str, LearnedScorer]

    @classmethod
    def local(cls, question: QAInput) -> Answer:
        rng = random.Random(f"local {question.question}")  # noqa: S311 (a drawing, not a secret)
        sure = min(max(rng.gauss(0.3 if cls._number(question) % 3 == 0 else 0.7, 0.2), 0.01), 0.99)
        text = rng.choice([cls.spans[0], cls.spans[0][:3], *cls.spans])
        start = question.passages[0].find(text)
        place = {"text": text, "start": start, "end": start + len(text), "document": 0}
        span = {**place, "probability": sure * rng.random()}
        scores = {"answerability": sure, "null_probability": 1 - sure, "span_probability": span["probability"]}
        made = place if rng.random() < 0.7 else {"text": None}
        return Answer(**made, scores=scores, candidates=(span,), model="small")

    @classmethod
    def remote(cls, question: QAInput) -> Answer:
        rng = random.Random(f"remote {question.question}")  # noqa: S311
        if cls._number(question) % 20 == 7:
            message = "the server is down"
            raise TimeoutError(message)
        text = rng.choice([cls.spans[0], *cls.spans, None])
        read, written = rng.randrange(50, 90), rng.randrange(1, 9)
        usage = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
        return Answer(text, token_logprobs=[(text or "none", -3 * rng.random())], usage=usage, model="large")

    @staticmethod
    def _number(question: QAInput) -> int:
        return int(question.question.rstrip("?").split()[-1])


@pytest.fixture(scope="session")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Notes:
    """150 questions, collected once, and a fitted scorer for each role, which does not know on which questions."""
    first, second, third = Notes.spans
    passage = f"{first} wrote note number {{}} {second}, and it came out in {third}."
    examples = tuple(
        LabelledQuestion(str(i), f"Who wrote note number {i}?", passage.format(i), (first,) if i % 3 else (), not i % 3)
        for i in range(150)
    )
    path = tmp_path_factory.mktemp("notes") / "records.jsonl"
    collect(examples, local=Notes.local, remote=Notes.remote, out=path)
    fitted = {role: fit_scorer(path, role=role) for role in ("local", "remote")}
    return Notes(examples, path, {role: LearnedScorer(made.model, made.others) for role, made in fitted.items()})


@pytest.fixture(scope="session")
def as_new(tmp_path_factory):
    """Returns a function that copies records as those of other questions, on which nothing was fitted.

    ``apart`` gives each question a passage of its own, so that all of them count.
    """

    def copy(path, bit=63, *, apart=False):
        out = tmp_path_factory.mktemp("new") / "new.jsonl"
        lines = map(json.loads, Path(path).read_text(encoding="utf-8").splitlines())
        new = [{**line, "digest": f"{int(line['digest'], 16) ^ 2**bit:016x}"} for line in lines]
        if apart:
            new = [{**line, "passage": line["digest"]} for line in new]
        out.write_text("".join(json.dumps(line) + "\n" for line in new), encoding="utf-8")
        return out

    return copy
