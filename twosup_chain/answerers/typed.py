"""LangChain's typed questions and answers as questions with options and as answers, and back.

A `Choice` has its criteria as options, a `Noul` yes and no, a `Score` the numbers of its levels; a `Box` has none, and
its place is its text. This file knows them by their ``type`` and needs no langchain-core that has them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from langchain_core.messages import BaseMessage

from twosup_chain._options import shorten
from twosup_chain._plain import plain
from twosup_chain.errors import InputError, NotTextError, RefusalError
from twosup_chain.schema import Answer, QAInput

if TYPE_CHECKING:
    from langchain_core.decisions import ClassifierRequest

#: The options of a `Noul`.
YES, NO = "yes", "no"
#: How sure a decision model says that it is; the score of the scorer of that name.
_STATED = "stated_confidence"
#: What of a message's content can be read as text.
_TEXTS = ("text", "reasoning", "thinking", "tool_use", "tool_call")


class Decision(QAInput):
    """One typed question of a request to a decision model; its id is that of the question there.

    The state's text is the context, ``None`` where it holds something else (an image).
    """

    request: Any

    @classmethod
    def of(cls, request: ClassifierRequest | dict[str, Any], name: str) -> Self:
        """Returns the question of this name."""
        asked = request["questions"][name]
        return cls(
            question=as_text(asked.instructions) or "",
            context=as_text(request["state"]),
            id=name,
            options=_options(asked),
            request=request,
        )

    @property
    def asked(self) -> Any:
        """The typed question."""
        return self.request["questions"][self.id]


class Decided(Answer):
    """A typed answer (`typed`), read as the option that it chooses."""

    typed: Any


def as_text(content: Any) -> str | None:
    """Returns instructions or a state as text, messages by their role; ``None`` where it holds something else."""
    if isinstance(content, str):
        return content
    if isinstance(content, BaseMessage):
        blocks = content.content if isinstance(content.content, list) else ()
        if any(not isinstance(block, str) and block.get("type") not in _TEXTS for block in blocks):
            return None
        return content.text
    if isinstance(content, (list, tuple)) and content and all(isinstance(item, BaseMessage) for item in content):
        texts = [as_text(message) for message in content]
        if None in texts:
            return None
        return "\n\n".join(f"{message.type}: {text}" for message, text in zip(content, texts, strict=True))
    return None if _shows(content) else json.dumps(plain(content), ensure_ascii=False)


def answer_of(asked: Any, typed: Any, **known: Any) -> Decided:
    """Returns a typed answer as an answer; `known` are usage, seconds and model.

    The model's own confidence becomes ``scores["stated_confidence"]``, unless it knows nothing at all; further numbers
    come from a field ``scores``, which answers of this package's own models have.

    Raises:
        RefusalError: The model refused.
        NotTextError: There is no answer of this kind of question, or none of its options was chosen.
    """
    kind = getattr(typed, "type", None)
    if kind == "refusal":
        raise RefusalError("the decision model refused to answer", known.get("usage"))
    if kind != asked.type:
        raise NotTextError(f"{shorten(typed)} is no answer to a question of type {asked.type!r}", known.get("usage"))
    probabilities = {str(label): float(p) for label, p in getattr(typed, "probabilities", {}).items()}
    if kind == "noul":
        probabilities = {YES: typed.noul, NO: 1.0 - typed.noul}
    text = _text(typed, probabilities)
    options = _options(asked)
    if options and text not in options:
        message = (
            f"the decision model chose {shorten(text)}, which is none of the options {shorten(list(options), 200)}"
        )
        raise NotTextError(message, known.get("usage"))
    scores = {name: float(score) for name, score in getattr(typed, "scores", {}).items()}
    confidence = getattr(typed, "confidence", None)
    if confidence is not None and (probabilities or confidence > 0.0):
        scores[_STATED] = confidence
    return Decided(text=text, scores=scores, probabilities=probabilities, typed=typed, **known)


def typed_of(asked: Any, answer: Answer, confidence: float) -> Any:
    """Returns an answer as a typed one, with this confidence where its type has any.

    Raises:
        NotTextError: It is none of the options.
    """
    from twosup_chain._core_decisions import NoulAnswer, ScoreAnswer, ScoredChoiceAnswer

    if isinstance(answer, Decided):
        return answer.typed.model_copy(update={"confidence": confidence} if asked.type != "noul" else {})
    found, options = answer.probabilities, _options(asked)
    if answer.text not in options:
        raise NotTextError(f"the answer {shorten(answer.text)} is none of the options {shorten(list(options), 200)}")
    if asked.type == "choice":
        told = {"probabilities": found, "confidence": confidence, "scores": answer.scores}
        return ScoredChoiceAnswer(type="choice", choice=answer.text, **told)
    if asked.type == "noul":
        return NoulAnswer(type="noul", noul=found.get(YES, float(answer.text == YES)))
    levels = {int(level): p for level, p in (found or {answer.text: 1.0}).items()}
    score = sum(level * p for level, p in levels.items()) / sum(levels.values())
    legend = dict(enumerate(asked.criteria))
    return ScoreAnswer(type="score", score=score, legend=legend, probabilities=levels, confidence=confidence)


def _options(asked: Any) -> dict[str, Any]:
    if asked.type == "choice":
        return dict(asked.criteria)
    if asked.type == "noul":
        criteria = asked.criteria
        return {YES: criteria and criteria.true, NO: criteria and criteria.false}
    return {str(level): text for level, text in enumerate(asked.criteria)} if asked.type == "score" else {}


def _text(typed: Any, probabilities: Mapping[str, float]) -> str:
    if typed.type == "choice":
        return str(typed.choice)
    if typed.type == "box":
        return str(typed.box.model_dump_json())
    if probabilities:
        return max(probabilities, key=probabilities.__getitem__)
    return str(round(typed.score))


def _shows(content: Any) -> bool:
    """Whether a structure holds something that is no text, as LangChain's media blocks are."""
    if isinstance(content, Mapping):
        media = content.get("type") in ("image", "audio", "video", "file", "image_url")
        return media or any(map(_shows, content.values()))
    if isinstance(content, BaseMessage):
        return as_text(content) is None
    return isinstance(content, (list, tuple)) and any(map(_shows, content))


def need_text(asked: QAInput) -> str:
    """Returns the text that a decision is about.

    Raises:
        InputError: There is none.
    """
    if asked.context is None:
        raise InputError("the state holds something that is no text: a model that reads text alone cannot decide on it")
    return "\n\n".join(asked.passages)
