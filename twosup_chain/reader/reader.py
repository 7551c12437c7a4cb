"""The local extractive reader: quotes the answer from the passage, or says that the passage does not hold one.

How its model was made is told in ``packaged/MODEL_CARD.md``.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from langchain_core.documents import Document
from pydantic import Field, model_validator

from twosup_chain._options import Record
from twosup_chain._worker import Worker
from twosup_chain.answerers.base import InProcessAnswerer
from twosup_chain.errors import ConfigurationError, InputError, MissingExtraError, ModelFileError
from twosup_chain.reader.engine import ReaderEngine
from twosup_chain.reader.folder import CONFIG_FILE, ReaderConfig, answerability, calibration_features, model_folder
from twosup_chain.reader.reading import Limits, Reading, read
from twosup_chain.schema import Answer, Candidate, QAInput


class SpanScore(Record):
    """How far the reader stands behind a given answer.

    Args:
        probability: The joint probability of the spans that agree with the answer, each weighted by its token F1 with
            the nearest occurrence of the answer in the passages; in [0, 1], and 0 for an answer that does not occur.
        conditional: The same, given that the context holds an answer: divided by one minus the null probability.
        answerability: The calibrated probability that the context holds an answer, in [0, 1].
    """

    probability: float
    conditional: float
    answerability: float


class ExtractiveReader(InProcessAnswerer):
    """Answers with a span of the passage, and tells how likely it is that the passage holds an answer at all.

    The packaged model needs no download, no torch and a few milliseconds a question on a CPU; a larger one, which is
    right more often and takes several times as long, comes with the extra ``reader-base``. Long passages are read in
    overlapping windows, several documents together; the probabilities of all their spans and of "no answer" are
    normalised jointly, and the order of the documents does not matter.

    An `Answer` of the reader carries the character offsets of the span, its best `candidates` (which neither overlap
    nor say the same), and these scores:

    - ``answerability``: the calibrated probability that the context holds an answer, in [0, 1];
    - ``span_probability``: the joint probability of the best span, in [0, 1];
    - ``null_probability``: the joint probability of "no answer", in [0, 1], not calibrated;
    - ``answer_log_odds``: the log-odds of all spans against "no answer" (natural logarithm) in the window where they
      are highest: many windows without an answer must not add up to one;
    - ``null_margin``: the log-odds of the best span alone against "no answer";
    - ``runner_up_margin``: the log-odds of the best span against the next candidate, at least 0;
    - ``entropy``: the entropy of the joint distribution, as a share of the largest possible.

    A margin without a contestant is ±100; a context without a single word has answerability 0.

    Args:
        model: ``"small"`` is the packaged model, ``"base"`` the larger one of the extra ``reader-base``; anything else
            is the path of a folder with ``reader.onnx``, ``tokenizer.json`` and ``config.json``, as
            ``twosup export-reader`` writes it. (``model_path``, its older name, is understood too.)
        max_length: The most tokens that the model sees at once, question included.
        stride: How many tokens neighbouring windows share at least.
        max_answer_tokens: The most tokens of an answer.
        top_k: How many candidates an answer carries at most.
        no_answer_below: The answer is ``None`` where answerability is below this, in [0, 1]; 0 forces an answer.
            ``None`` takes the model's own, at which a span is worth as much as "no answer" by the expected F1.
        max_batch_tokens: The most tokens of windows that run together, which bounds the memory. The packaged model
            reads each window by itself, since dynamic quantisation would let neighbours change each other's numbers;
            many windows are read side by side, a thread each.
        num_threads: The most threads; ``None`` takes what the machine has.
        providers: ONNX Runtime's execution providers, the preferred one first (``["CUDAExecutionProvider"]``); the CPU
            is always the last resort. A float32 export suits a GPU better than the packaged int8 model.
        engine: The loaded model, handed from copy to copy; not to be set.

    Raises:
        ConfigurationError: An option is out of range.
        MissingExtraError: The larger model is not installed.
        ModelFileError: On first use: a model file is missing or cannot be read.
    """

    gives: ClassVar[frozenset[str] | None] = frozenset({"reading", "answerability"})

    model: Literal["small", "base"] | Path = "small"
    max_length: int = Field(default=384, ge=32)
    stride: int = Field(default=128, ge=1)
    max_answer_tokens: int = Field(default=30, ge=1)
    top_k: int = Field(default=5, ge=1)
    no_answer_below: float | None = Field(default=None, ge=0.0, le=1.0)
    max_batch_tokens: int = Field(default=16_384, ge=512)
    num_threads: int | None = Field(default=None, ge=1)
    providers: tuple[str, ...] = ()
    engine: ReaderEngine | None = Field(default=None, exclude=True, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _older_name(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "model_path" not in values:
            return values
        path = values["model_path"]
        rest = {name: value for name, value in values.items() if name != "model_path"}
        return rest if path is None else {"model": path, **rest}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.max_answer_tokens > self.stride:
            raise ConfigurationError(
                f"max_answer_tokens={self.max_answer_tokens} is more than stride={self.stride}: "
                "an answer could fall between two windows; raise stride"
            )
        if self._limits.question < self.max_length // 8:
            raise ConfigurationError(
                f"max_length={self.max_length} leaves no room for a question beside two answers of "
                f"max_answer_tokens={self.max_answer_tokens}; raise the one or lower the other"
            )
        options = (model_folder(self.model), self.num_threads, self.providers, self.max_batch_tokens)
        if self.engine is None or self.engine.options != options:
            self.engine = ReaderEngine(*options)
        return self

    @property
    def varies_by_processor(self) -> bool:
        """Whether its scores differ between kinds of processor, by what its model's file says."""
        try:
            return ReaderConfig.read(model_folder(self.model) / CONFIG_FILE).saturates
        except (ModelFileError, MissingExtraError):
            return False

    def answer_many(self, inputs: Sequence[QAInput]) -> list[Answer | Exception]:
        """Returns an answer a question, or the `InputError` of this question."""
        readings = read(self._loaded, self._limits, inputs, [None] * len(inputs))
        return [reading if isinstance(reading, Exception) else self._answer(reading) for reading in readings]

    def score(self, question: str, context: str | Document | Sequence[str | Document], answer_text: str) -> SpanScore:
        """Returns how far the reader stands behind somebody else's answer, in the time that one of its own takes.

        Typography, articles and punctuation do not matter, numbers, signs and units do (`text.finder`). A span counts
        by its token F1 with the answer, so that one which says a little more or less than the reader's span is still
        backed by it.

        Args:
            question: The question.
            context: The context, as `QAInput` takes it.
            answer_text: The answer to be checked.

        Raises:
            InputError: The question or the answer is blank, or the context is ``None`` or of the wrong type.
        """
        (result,) = self.score_many([QAInput(question=question, context=context)], [answer_text])
        if isinstance(result, Exception):
            raise result
        return result

    def score_many(self, inputs: Sequence[QAInput], answer_texts: Sequence[str]) -> list[SpanScore | Exception]:
        """Returns what `score` says of each pair, or the `InputError` of this pair."""
        if len(inputs) != len(answer_texts):
            message = f"answer_texts has {len(answer_texts)} entries for {len(inputs)} inputs: pass one a question"
            raise InputError(message)
        readings = read(self._loaded, self._limits, inputs, answer_texts)
        return [reading if isinstance(reading, Exception) else self._span_score(reading) for reading in readings]

    def _answer(self, reading: Reading) -> Answer:
        spans = [
            Candidate(
                text=span.text,
                start=span.start,
                end=span.end,
                document=span.document,
                probability=reading.joint.probability(span.log_odds),
            )
            for span in reading.spans
        ]
        scores = {"answerability": self._answerability(reading), **reading.evidence()}
        best = spans[0] if spans and scores["answerability"] >= self._no_answer_below else None
        return Answer(
            None if best is None else best.text,
            scores=scores,
            start=None if best is None else best.start,
            end=None if best is None else best.end,
            document=None if best is None else best.document,
            candidates=tuple(spans),
            seconds=reading.seconds,
            model=self._loaded.config.label,
        )

    def _span_score(self, reading: Reading) -> SpanScore:
        some, given = reading.joint.log_sum, reading.log_mass
        return SpanScore(
            probability=min(1.0, reading.joint.probability(given)),
            conditional=min(1.0, math.exp(given - some)) if some > -math.inf else 0.0,
            answerability=self._answerability(reading),
        )

    def _answerability(self, reading: Reading) -> float:
        if not reading.spans:
            return 0.0
        return answerability(self._loaded.config.calibration, calibration_features(reading.evidence()))

    @property
    def worker(self) -> Worker:
        """The threads of the model, which whoever holds it shares."""
        assert self.engine is not None  # noqa: S101  the validator has set it
        return self.engine.worker

    @property
    def label(self) -> str:
        """The model's name with a digest, as its answers carry it in `Answer.model`."""
        return self._loaded.config.label

    @property
    def _no_answer_below(self) -> float:
        return self._loaded.config.no_answer_below if self.no_answer_below is None else self.no_answer_below

    @property
    def _loaded(self) -> ReaderEngine:
        assert self.engine is not None  # noqa: S101  the validator has set it
        positions = self.engine.config.max_positions
        if self.max_length > positions:
            message = f"max_length={self.max_length} is more than the model reads: lower it to {positions} at most"
            raise ConfigurationError(message)
        return self.engine

    @property
    def _limits(self) -> Limits:
        return Limits(self.max_length, self.stride, self.max_answer_tokens, self.top_k)
