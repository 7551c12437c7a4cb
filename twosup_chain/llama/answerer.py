"""`LlamaCppAnswerer`: a GGUF model answers in this process, through llama-cpp-python.

Here it is asked, long contexts are cut into windows, and the evidence is kept. Left out: the model itself (`model`),
generation (`decoding`), the words of the prompt (`answerers.prompt`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from langchain_core.messages.ai import UsageMetadata
from pydantic import Field

from twosup_chain._options import shorten
from twosup_chain._worker import Worker
from twosup_chain.answerers.base import InProcessAnswerer
from twosup_chain.answerers.choice import CHOICE_INSTRUCTIONS
from twosup_chain.answerers.no_answer import NO_ANSWER
from twosup_chain.answerers.prompt import (
    EXAMPLES,
    INSTRUCTIONS,
    PromptExample,
    join_passages,
    parse_reply,
    qa_messages,
)
from twosup_chain.errors import EmptyAnswerError, InputError, TwosupError
from twosup_chain.llama.decoding import Sampling, WrittenToken, opening_probability, spelt, write_line
from twosup_chain.llama.labels import choose
from twosup_chain.llama.options import LlamaOptions
from twosup_chain.llama.prompt import fill, slot
from twosup_chain.schema import Answer, QAInput, TokenLogprob

_OVERLAP = 64  # tokens that neighbouring windows share, at most a quarter of a window
_LEAST_ROOM = 32  # tokens: a window that holds less of the passage is not worth asking
_WORDS = (NO_ANSWER, NO_ANSWER.capitalize())

Prompt = list[list[int]]


class LlamaCppAnswerer(InProcessAnswerer, LlamaOptions):
    """Answers with a GGUF model in this process.

    The model's own chat template writes the prompt (one without a template is asked in plain text). Whatever question
    and context hold, none of it counts as a special token. The whole wording can be changed with `instructions` and
    `examples`.

    A context that is too long is cut into overlapping windows, and every window is asked. The answer is that of the
    answering window with the highest answerability × geometric mean token probability; it is "no answer" only if all
    windows say so. A context that is empty or blank (a retriever found nothing) holds no answer for certain, so the
    model is not asked. ``context=None`` asks the model for what it knows by itself.

    The `Answer` carries the log-probability of every generated token (at temperature 1, the token that ends the reply
    included), `usage`, `seconds` (waiting for the model and loading it not counted) and in `scores`:

    - ``unanswerable_probability``: the probability mass of a reply that opens with "unanswerable", in [0, 1]; over
      several windows the least, since one window suffices to answer;
    - ``answerability``: 1 - ``unanswerable_probability``;
    - ``windows``: in how many windows the context was read (0: not at all).

    A question with options is answered with the likeliest of them, with the probability of each (`labels.choose`).

    Instructions, examples and passage stand before the question, and what the model has read it does not read again:
    questions on one passage are cheapest one after the other, and `batch` puts them so.

    Args:
        model_path: The GGUF file. It is loaded at the first question.
        n_ctx: How many tokens prompt and reply may take together, at least 64.
        n_batch: How many tokens of the prompt are evaluated together. llama.cpp's arithmetic depends on it: in
            quantised models log-probabilities change by tenths of a nat between 1 (slow) and 512.
        n_threads: Threads; ``None`` for half the CPUs that this process may use.
        n_gpu_layers: How many layers to put on a GPU; -1 for all.
        max_tokens: The longest reply, in tokens; a reply also ends with its first line.
        temperature: 0 takes the likeliest token (greedy); higher values draw.
        seed: Seeds the drawing, afresh for every question.
        instructions: The text of the system message.
        examples: Worked examples; those of the question's kind (with a passage, or without) are shown.
        max_windows: The most windows that one context may take.
        verbose: Whether llama.cpp may write to stderr.
        engine: A model already in use elsewhere, to share it; made from the options above if it does not fit them.

    Raises:
        MissingExtraError: llama-cpp-python is not installed.
        ModelFileError: The file is missing or is no GGUF file; at the first question: llama.cpp refuses it.
        ConfigurationError: An option has a wrong type or value.

    A question may meet an `InputError` (it does not fit into `n_ctx`, or its context would take too many windows) or an
    `EmptyAnswerError` (the model wrote nothing).
    """

    gives: ClassVar[frozenset[str] | None] = frozenset({"logprobs", "answerability", "probabilities"})

    instructions: str = INSTRUCTIONS
    examples: tuple[PromptExample, ...] = EXAMPLES
    max_windows: int = Field(default=16, ge=1)

    @property
    def worker(self) -> Worker:
        """The one thread of the model."""
        return self._model.worker

    def answer_many(self, inputs: Sequence[QAInput]) -> list[Answer | Exception]:
        """Returns one answer a question, or its error; questions on the same passages are asked in succession."""
        groups: dict[tuple[str, ...], list[int]] = {}
        for place, item in enumerate(inputs):
            groups.setdefault(item.passages, []).append(place)
        order = [place for group in groups.values() for place in group]
        found = self._model.worker.run(lambda: [self._answer(inputs[place]) for place in order])
        answers = dict(zip(order, found, strict=True))
        return [answers[place] for place in range(len(inputs))]

    def _answer(self, item: QAInput) -> Answer | Exception:
        model = self._model
        try:
            name = model.name
            if item.options:
                instructions = CHOICE_INSTRUCTIONS if self.instructions == INSTRUCTIONS else self.instructions
                return choose(model, item, None, instructions)
            if item.context is not None and not "".join(item.passages).strip():
                return _nothing_to_read(name)
            start = time.perf_counter()
            readings = [self._read(prompt) for prompt in self._prompts(item)]
            return _combine(readings, name, time.perf_counter() - start, item.passages)
        except (TwosupError, RuntimeError) as error:  # llama.cpp's failures are RuntimeErrors
            return error

    def _prompts(self, item: QAInput) -> list[Prompt]:
        """Returns one prompt a window, in segments: what stands before the passage, the passage, and the rest."""
        passages = None if item.context is None else [slot(0)]
        template = self._model.render(qa_messages(slot(1), passages, self.instructions, self.examples))
        filled = fill(self._model, template, [join_passages(item.passages), item.question])
        if passages is None:
            head, question, end = filled
            self._room(item, len(head), len(question) + len(end), wanted=0)
            return [[head, question + end]]
        head, passage, middle, question, end = filled
        tail = middle + question + end
        room = self._room(item, len(head), len(tail), wanted=len(passage))
        return [[head, passage[start : start + room], tail] for start in self._windows(len(passage), room)]

    def _room(self, item: QAInput, head: int, tail: int, *, wanted: int) -> int:
        """Returns how many tokens of the passage a window holds; `wanted` is how many the whole passage has."""
        reserve = max(self.max_tokens, *(len(variant) for variant in self._variants()))
        room = self._model.n_ctx - head - tail - reserve
        if room < min(wanted, _LEAST_ROOM):
            raise InputError(
                f"question={shorten(item.question)} takes {tail} tokens, instructions and examples {head} and the "
                f"reply {reserve}: of n_ctx={self._model.n_ctx} tokens, {max(room, 0)} are left for the passage. "
                "Shorten the question, the instructions or the examples, or raise n_ctx"
            )
        return room

    def _windows(self, count: int, room: int) -> list[int]:
        """Returns where the windows over `count` tokens start; the last one ends with the passage."""
        if count <= room:
            return [0]
        step = room - min(_OVERLAP, room // 4)
        starts = [*range(0, count - room, step), count - room]
        if len(starts) > self.max_windows:
            raise InputError(
                f"context: its {count} tokens take {len(starts)} windows of {room} tokens, more than max_windows="
                f"{self.max_windows}: pass only the passages that matter (use a retriever), or raise max_windows"
            )
        return starts

    def _read(self, prompt: Prompt) -> _Reading:
        model = self._model
        logits = model.read(prompt)
        tokens = write_line(model, logits, Sampling(self.max_tokens, self.temperature, self.seed))
        unanswerable = opening_probability(model, logits, self._variants())
        return _Reading(sum(map(len, prompt)), tokens, unanswerable)

    def _variants(self) -> list[list[int]]:
        return [self._model.tokenize(word, spaced=spaced) for word in _WORDS for spaced in (False, True)]


class _Reading(NamedTuple):
    """What the model made of one window."""

    input_tokens: int  # the length of the prompt
    tokens: tuple[WrittenToken, ...]
    unanswerable: float  # the probability of a reply that opens with `NO_ANSWER`

    @property
    def trust(self) -> float:
        """Answerability × geometric mean token probability: by this, windows compete."""
        logprobs = [token.logprob for token in self.tokens]
        return (1.0 - self.unanswerable) * math.exp(math.fsum(logprobs) / len(logprobs))


def _combine(readings: Sequence[_Reading], model: str, seconds: float, passages: Sequence[str]) -> Answer:
    """Returns the best window's answer, with the cost of all."""
    answered: list[tuple[str, _Reading]] = []
    declined: list[_Reading] = []
    empty: EmptyAnswerError | None = None
    for reading in readings:
        try:
            text = parse_reply(spelt(reading.tokens).decode(errors="replace"), passages)
        except EmptyAnswerError as error:
            empty = error
            continue
        if text is None:
            declined.append(reading)
        else:
            answered.append((text, reading))
    text, best = None, min(declined, key=lambda reading: reading.unanswerable, default=None)
    if answered:
        text, best = max(answered, key=lambda pair: pair[1].trust)
    if best is None:
        raise empty or EmptyAnswerError("the model was asked nothing")
    unanswerable = min(reading.unanswerable for reading in readings)
    inputs, outputs = (sum(n) for n in zip(*((r.input_tokens, len(r.tokens)) for r in readings), strict=True))
    return Answer(
        text,
        scores=_scores(unanswerable, len(readings)),
        token_logprobs=tuple(TokenLogprob(token=token.text, logprob=token.logprob) for token in best.tokens),
        usage=UsageMetadata(input_tokens=inputs, output_tokens=outputs, total_tokens=inputs + outputs),
        seconds=seconds,
        model=model,
    )


def _nothing_to_read(model: str) -> Answer:
    """Returns the answer to a question on nothing: certainly none."""
    return Answer(
        None,
        scores=_scores(1.0, 0),
        token_logprobs=(TokenLogprob(token=NO_ANSWER, logprob=0.0),),
        usage=UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0),
        seconds=0.0,
        model=model,
    )


def _scores(unanswerable: float, windows: int) -> dict[str, float]:
    return {
        "unanswerable_probability": unanswerable,
        "answerability": 1.0 - unanswerable,
        "windows": float(windows),
    }
