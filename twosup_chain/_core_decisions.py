"""LangChain's types of decisions, which langchain-core has since 1.8, and what is said where it is older."""

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
    "State",
]
