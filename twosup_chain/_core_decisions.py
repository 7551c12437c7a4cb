"""LangChain's types of decisions, which langchain-core has since 1.8, and what is said where it is older."""

from pydantic import Field

from twosup_chain.errors import MissingExtraError

try:
    from langchain_core.decisions import (
        Answer,
        BaseDecisionModel,
        BoxAnswer,
        Choice,
        ChoiceAnswer,
        ClassifierRequest,
        ClassifierResponse,
        Noul,
        NoulAnswer,
        Question,
        Score,
        ScoreAnswer,
        State,
    )
except ImportError:
    raise MissingExtraError("a decision model", "langchain-core 1.8 or later", "decisions") from None


class ScoredChoiceAnswer(ChoiceAnswer):
    """A choice with more evidence: numbers in the model's own units, which supervisors read by their names."""

    scores: dict[str, float] = Field(default_factory=dict)


__all__ = [
    "Answer",
    "BaseDecisionModel",
    "BoxAnswer",
    "Choice",
    "ChoiceAnswer",
    "ClassifierRequest",
    "ClassifierResponse",
    "Noul",
    "NoulAnswer",
    "Question",
    "Score",
    "ScoreAnswer",
    "ScoredChoiceAnswer",
    "State",
]
