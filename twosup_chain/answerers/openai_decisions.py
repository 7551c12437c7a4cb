"""`OpenAIDecisionModel`: OpenAI's Decisions API, whose questions have other names, as one of LangChain's models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import Runnable

from twosup_chain._core_decisions import (
    Answer,
    BaseDecisionModel,
    ChoiceAnswer,
    ClassifierResponse,
    Noul,
    NoulAnswer,
    Question,
    Score,
    ScoreAnswer,
    State,
)
from twosup_chain._options import Options
from twosup_chain._usage import clean_usage
from twosup_chain.answerers.typed import as_text
from twosup_chain.answerers.wrapping import innermost


class OpenAIDecisionModel(BaseDecisionModel, Options):
    """Asks an ``OpenAIDecisions`` (langchain-openai 1.7 or later) what LangChain's decision models are asked.

    A `Noul` becomes a predicate, the descriptions of its outcomes a part of its instructions; a `Box` is left out, as
    what the model refuses to answer.

    Args:
        decisions: The ``OpenAIDecisions``.
        model: The name in traces and responses; by default that of `decisions`.
    """

    decisions: Runnable[Any, Any]
    model: str = ""

    def model_post_init(self, _: object) -> None:
        """Takes the model's name."""
        self.model = self.model or str(getattr(innermost(self.decisions), "model", ""))

    @property
    def _provider(self) -> str:
        return "openai"

    def _classify(self, state: State, questions: dict[str, Question]) -> ClassifierResponse:
        return _read(self.decisions.invoke(_request(state, questions)), questions)

    async def _aclassify(self, state: State, questions: dict[str, Question]) -> ClassifierResponse:
        return _read(await self.decisions.ainvoke(_request(state, questions)), questions)


def _request(state: State, questions: Mapping[str, Question]) -> dict[str, Any]:
    asked = {name: _question(question) for name, question in questions.items() if question.type != "box"}
    return {"input": state, "questions": asked}


def _question(question: Any) -> Any:
    from langchain_openai.decisions import Choice, Predicate
    from langchain_openai.decisions import Score as Levels
    from langchain_openai.decisions.types import Level

    said = as_text(question.instructions) or ""
    if isinstance(question, Noul):
        outcomes = {} if question.criteria is None else {"Yes": question.criteria.true, "No": question.criteria.false}
        told = [f"{name}: {as_text(about)}" for name, about in outcomes.items() if about is not None]
        return Predicate(instructions="\n".join([said, *told]))
    if isinstance(question, Score):
        levels = [Level(label=str(level), description=as_text(about)) for level, about in enumerate(question.criteria)]
        return Levels(instructions=said, levels=levels)
    described = {label: None if about is None else as_text(about) for label, about in question.criteria.items()}
    return Choice(instructions=said, choices=described)


def _read(response: Any, questions: Mapping[str, Question]) -> ClassifierResponse:
    answers: dict[str, Answer] = {}
    for name, said in response.answers.items():
        asked = questions.get(name)
        if asked is None or said.type == "refusal":
            continue
        if said.type == "predicate":
            answers[name] = NoulAnswer(type="noul", noul=said.probability)
            continue
        found: dict[str, Any] = {"probabilities": said.probabilities, "confidence": said.confidence}
        if isinstance(asked, Score):
            answers[name] = ScoreAnswer(type="score", score=said.score, legend=dict(enumerate(asked.criteria)), **found)
        else:
            answers[name] = ChoiceAnswer(type="choice", choice=said.choice, **found)
    usage = clean_usage(response.usage.model_dump())
    return ClassifierResponse(model=response.model, answers=answers, usage=usage, request_id=response.request_id)
