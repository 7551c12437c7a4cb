"""twosup_chain: a small local model answers, a hosted LLM is asked only when needed, and "no answer" is an answer.

The public names are imported on first use, so that ``import twosup_chain`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from twosup_chain._version import __version__

if TYPE_CHECKING:
    from twosup_chain.answerers.chat import ChatAnswerer
    from twosup_chain.answerers.consistency import SelfConsistent
    from twosup_chain.calibration.calibrate import calibrate
    from twosup_chain.calibration.grouped import GroupedCalibration
    from twosup_chain.calibration.monitor import Monitor
    from twosup_chain.calibration.promise import check
    from twosup_chain.calibration.record import Calibration
    from twosup_chain.chain import TwoSupervisorChain
    from twosup_chain.chat.condenser import QuestionCondenser
    from twosup_chain.chat.middleware import TwoSupervisorMiddleware as TwoSupervisorMiddleware
    from twosup_chain.chat.model import TwoSupervisorChatModel
    from twosup_chain.classifier.classifier import TextClassifier as TextClassifier
    from twosup_chain.collection.collect import acollect, collect
    from twosup_chain.decisions.llama import LlamaCppDecisionModel as LlamaCppDecisionModel
    from twosup_chain.decisions.model import TwoSupervisorDecisionModel as TwoSupervisorDecisionModel
    from twosup_chain.decisions.scorer import DecisionScorer as DecisionScorer
    from twosup_chain.decisions.scorer import SupportChecked as SupportChecked
    from twosup_chain.decisions.support import SupportModel as SupportModel
    from twosup_chain.evaluation.evaluate import evaluate
    from twosup_chain.fitting.fit_classifier import fit_classifier
    from twosup_chain.fitting.fit_scorer import fit_scorer, fit_supervisor
    from twosup_chain.llama.answerer import LlamaCppAnswerer
    from twosup_chain.llama.chat import LlamaCppChat
    from twosup_chain.outcomes.price import Price
    from twosup_chain.reader.reader import ExtractiveReader
    from twosup_chain.schema import Answer, Candidate, Citation, QAInput, TokenLogprob, TwoSupervisorResult, Verdict
    from twosup_chain.scoring.embedding import EmbeddingSimilarity
    from twosup_chain.scoring.learned import LearnedScorer
    from twosup_chain.supervisor import Supervisor
    from twosup_chain.text.questions import load_decisions

_MODULES = {
    "answerers.chat": "ChatAnswerer",
    "answerers.consistency": "SelfConsistent",
    "calibration": "Calibration GroupedCalibration Monitor calibrate check",
    "chain": "TwoSupervisorChain",
    "chat.condenser": "QuestionCondenser",
    "chat.middleware": "TwoSupervisorMiddleware",
    "chat.model": "TwoSupervisorChatModel",
    "classifier.classifier": "TextClassifier",
    "collection": "acollect collect",
    "decisions.llama": "LlamaCppDecisionModel",
    "decisions.model": "TwoSupervisorDecisionModel",
    "decisions.scorer": "DecisionScorer SupportChecked",
    "decisions.support": "SupportModel",
    "evaluation.evaluate": "evaluate",
    "fitting.fit_classifier": "fit_classifier",
    "fitting.fit_scorer": "fit_scorer fit_supervisor",
    "llama.answerer": "LlamaCppAnswerer",
    "llama.chat": "LlamaCppChat",
    "outcomes.price": "Price",
    "reader.reader": "ExtractiveReader",
    "schema": "Answer Candidate Citation QAInput TokenLogprob TwoSupervisorResult Verdict",
    "scoring.embedding": "EmbeddingSimilarity",
    "scoring.learned": "LearnedScorer",
    "supervisor": "Supervisor",
    "text.questions": "load_decisions",
}

__all__ = [
    "Answer",
    "Calibration",
    "Candidate",
    "ChatAnswerer",
    "Citation",
    "EmbeddingSimilarity",
    "ExtractiveReader",
    "GroupedCalibration",
    "LearnedScorer",
    "LlamaCppAnswerer",
    "LlamaCppChat",
    "Monitor",
    "Price",
    "QAInput",
    "QuestionCondenser",
    "SelfConsistent",
    "Supervisor",
    "TokenLogprob",
    "TwoSupervisorChain",
    "TwoSupervisorChatModel",
    "TwoSupervisorResult",
    "Verdict",
    "__version__",
    "acollect",
    "calibrate",
    "check",
    "collect",
    "evaluate",
    "fit_classifier",
    "fit_scorer",
    "fit_supervisor",
    "load_decisions",
]


def __getattr__(name: str) -> Any:
    """Imports a public name from its module on first use (PEP 562)."""
    module = next((module for module, names in _MODULES.items() if name in names.split()), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
