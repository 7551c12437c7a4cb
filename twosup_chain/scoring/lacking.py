"""A scorer that will never have what it reads says so when parts are put together that tell what they give."""

import warnings
from typing import Any

from twosup_chain.errors import MissingEvidenceWarning
from twosup_chain.scoring.scorer import Scorer

#: What a scorer may need of a model's answer, and how it is had.
_CURES = {
    "logprobs": "ask for log-probabilities (ChatOpenAI(…, logprobs=True)), or take a scorer that needs none",
    "top_logprobs": "ask for alternatives (ChatOpenAI(…, logprobs=True, top_logprobs=5)), or take another scorer",
    "reading": "answer locally with ExtractiveReader, or take grounded",
    "answerability": "answer with ExtractiveReader or LlamaCppAnswerer",
    "stated_confidence": "ask for it (ChatAnswerer(…, stated_confidence=True))",
    "self_consistency": "ask several times (SelfConsistent(…, samples=5))",
    "probabilities": "decide with a model that gives probabilities, or take label_agreement or stated_confidence",
    "energy": "decide locally with TextClassifier, or take max_softmax",
    "local": "it is a scorer for remote_supervisor",
    "context": "pass context=…",
}

#: What a part gives: some of the above; ``None`` where nobody knows.
Gives = frozenset[str] | None


def gives(part: object) -> Gives:
    """Returns what a part says that its answers carry."""
    found: Any = getattr(part, "gives", None)
    return found if isinstance(found, frozenset) else None


def warn_if_blind(role: str, scorer: Scorer, own: Gives, local: Gives, *, context: bool = True) -> None:
    """Warns where a scorer needs what no answer can carry."""
    needs = scorer.needs
    if needs not in _CURES:
        return
    if needs in ("local", "context"):
        blind = role == "local" if needs == "local" else not context
    else:
        read = (own, local) if scorer.reads_local else (own,)
        blind = all(found is not None and needs not in found for found in read)
    if blind:
        message = (
            f"{role}_supervisor: {scorer.name} reads {needs}, which is never there, so that no {role} answer is ever "
            f"trusted: {_CURES[needs]}; or say what stands for it (Supervisor(…, missing=…))"
        )
        warnings.warn(message, MissingEvidenceWarning, stacklevel=2)
