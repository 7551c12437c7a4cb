"""Does the passage support this answer? The question for decision models, and local ones that answer it.

A reader answers the question again and compares; a cross-encoder for natural language inference takes the passage for
the premise, and the question with its answer for the hypothesis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field

from twosup_chain._core_decisions import (
    BaseDecisionModel,
    Choice,
    ChoiceAnswer,
    ClassifierRequest,
    ClassifierResponse,
    Question,
    State,
)
from twosup_chain._options import Options, shorten
from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.reader.reader import ExtractiveReader
from twosup_chain.schema import Answer, QAInput
from twosup_chain.scoring.grounded import Grounded

#: The id of the question in a request.
SUPPORT = "support"
SUPPORTED, CONTRADICTED, UNSURE = "supported", "contradicted", "not enough"
_INSTRUCTIONS = (
    "Does the passage support this answer to the question? An answer of null says that the passage does not answer it."
)

#: ``(question, passage, answer or None) -> probabilities`` that it is supported, contradicted, or neither, in sum 1.
Judge = Callable[[str, str, str | None], tuple[float, float, float]]


def support_request(asked: QAInput, answer: Answer, unsure: str = UNSURE) -> ClassifierRequest:
    """Returns the request that asks a decision model about an answer; `unsure` is what neither-nor is called."""
    criteria = {
        SUPPORTED: "The passage says so.",
        CONTRADICTED: "The passage says otherwise.",
        unsure: "The passage does not tell.",
    }
    state = {"question": asked.question, "passage": "\n\n".join(asked.passages), "answer": answer.text}
    return {"state": state, "questions": {SUPPORT: Choice(instructions=_INSTRUCTIONS, criteria=criteria)}}


def support_in(response: Any) -> float:
    """Returns the probability that the answer is supported; 1, ½ (unsure) or 0 where only the choice is told."""
    found = response.choices[SUPPORT]
    if found.probabilities:
        return min(1.0, max(0.0, float(found.probabilities.get(SUPPORTED, 0.0))))
    return {SUPPORTED: 1.0, CONTRADICTED: 0.0}.get(found.choice, 0.5)


class SupportModel(BaseDecisionModel, Options):
    """A local decision model that says whether a passage supports an answer.

    It answers a `Choice` of three options, in the order supported, contradicted, neither, about a state with
    ``question``, ``passage`` and ``answer``, as `DecisionScorer` asks; other questions it leaves out.

    Args:
        judge: ``(question, passage, answer) -> (supported, contradicted, neither)``, probabilities in sum 1; the answer
            is ``None`` where it says that the passage holds none.
        model: The name in traces and responses.

    Raises:
        InputError: At a call, where the state lacks one of the three, or no question is of this kind.
    """

    judge: Judge = Field(repr=False, exclude=True)
    model: str = "support"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    @classmethod
    def of_reader(cls, reader: ExtractiveReader | None = None) -> SupportModel:
        """Returns the model that lets a reader answer again: ``ExtractiveReader(model="base")`` by default.

        Supported is `Grounded`'s score; neither, that the passage holds no answer; contradicted, the rest.
        """
        reader = reader or ExtractiveReader(model="base")
        return cls(judge=_ReaderJudge(reader), model=f"support of {reader.label}")

    @classmethod
    def of_cross_encoder(cls, encoder: Any) -> SupportModel:
        """Returns the model of a cross-encoder for natural language inference, or for one score of support.

        Args:
            encoder: A sentence-transformers ``CrossEncoder`` (extra ``embeddings``), or what has its ``predict`` and
                ``config``. With three labels, named like entailment, contradiction and neutral, it gives logits; with
                one, the probability of support.
        """
        return cls(judge=_EncoderJudge(encoder), model="support of a cross-encoder")

    @property
    def _provider(self) -> str:
        return "twosup"

    def _classify(self, state: State, questions: dict[str, Question]) -> ClassifierResponse:
        if not isinstance(state, Mapping) or not {"question", "passage", "answer"} <= state.keys():
            raise InputError(f"state={shorten(state)}: pass a dict with question, passage and answer")
        asked = {name: q for name, q in questions.items() if isinstance(q, Choice) and len(q.criteria) == 3}  # noqa: PLR2004
        if not asked:
            raise InputError("questions: ask a Choice of three options: supported, contradicted, neither")
        answer = state["answer"]
        found = self.judge(str(state["question"]), str(state["passage"]), None if answer is None else str(answer))
        answers = {name: _choice(dict(zip(q.criteria, found, strict=True))) for name, q in asked.items()}
        return ClassifierResponse(model=self.model, answers=answers)


def _choice(probabilities: dict[str, float]) -> ChoiceAnswer:
    chosen = max(probabilities, key=probabilities.__getitem__)
    confidence = min(1.0, probabilities[chosen])
    return ChoiceAnswer(type="choice", choice=chosen, probabilities=probabilities, confidence=confidence)


class _ReaderJudge:
    """Answers again and compares."""

    def __init__(self, reader: ExtractiveReader) -> None:
        self._grounded = Grounded(reader)

    def __call__(self, question: str, passage: str, answer: str | None) -> tuple[float, float, float]:
        asked = QAInput(question=question, context=passage)
        none = self._grounded(asked, Answer(None))
        if answer is None:
            return none, 1.0 - none, 0.0
        supported = min(self._grounded(asked, Answer(answer)), 1.0 - none)
        return supported, 1.0 - none - supported, none


class _EncoderJudge:
    """Lets a cross-encoder judge."""

    def __init__(self, encoder: Any) -> None:
        config = getattr(encoder, "config", None) or encoder.model.config
        names = {str(name).casefold(): int(place) for place, name in dict(config.id2label).items()}
        self._encoder = encoder
        self._places = [
            next((place for name, place in names.items() if name.startswith(kind)), -1)
            for kind in ("entail", "contra", "neutral")
        ]
        if len(names) > 1 and -1 in self._places:
            raise ConfigurationError(
                f"the cross-encoder's labels are {sorted(names)}: pass one with entailment, contradiction and neutral, "
                "or with one score"
            )

    def __call__(self, question: str, passage: str, answer: str | None) -> tuple[float, float, float]:
        claim = f"{question} {'That is not said.' if answer is None else answer}"
        (row,) = self._encoder.predict([(passage, claim)])
        if -1 in self._places:
            supported = float(row[0] if hasattr(row, "__len__") else row)
            return supported, 0.0, 1.0 - supported
        logits = [float(row[place]) for place in self._places]
        weights = [math.exp(logit - max(logits)) for logit in logits]
        return (weights[0] / sum(weights), weights[1] / sum(weights), weights[2] / sum(weights))
