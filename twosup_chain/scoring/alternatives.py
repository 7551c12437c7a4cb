"""The other predictions that could be made once the evidence is there, each with the trust in it.

Once the local model has answered, "no answer" could be predicted in its place; once the hosted model has, the local
answer could be kept, or "no answer" predicted. A learned scorer has a model for each; any other scorer scores each
prediction as if it had been made, which makes sense where its scores are probabilities of being right (``grounded``,
``backed``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twosup_chain.errors import MissingEvidenceError
from twosup_chain.schema import Answer, Evidence

if TYPE_CHECKING:
    from twosup_chain.scoring.scorer import Scorer

#: What a prediction of "no answer" is called among the alternatives.
UNANSWERABLE = "unanswerable"


def alternatives(scorer: Scorer, evidence: Evidence) -> dict[str, float]:
    """Returns the trust in the predictions that could be made instead of the one to judge, by name.

    ``"local"`` is the local answer, where the hosted one is to judge; ``"unanswerable"`` is "no answer". What another
    model predicts already is not repeated under this name, and what cannot be scored is left out.
    """
    at_remote = evidence.weigh == "remote"
    others = {"local": evidence.local} if at_remote else {}
    possible = {name: other for name, other in others.items() if other is not None and other.text is not None}
    if evidence.answer.text is not None:
        possible[UNANSWERABLE] = _withdrawn(evidence)
    if scorer.alternatives is not None:
        found = scorer.alternatives(evidence.input, evidence.answer, local=evidence.local)
        return {name: trust for name, trust in found.items() if name in possible}
    scored = {}
    for name, answer in possible.items():
        try:
            scored[name] = scorer.score(Evidence(input=evidence.input, answer=answer, local=evidence.local))
        except MissingEvidenceError:
            continue
    return scored


def _withdrawn(evidence: Evidence) -> Answer:
    """Returns the prediction of "no answer" on the evidence of the local model, where there is any."""
    local = evidence.local if evidence.weigh == "remote" else evidence.answer
    if local is None:
        return Answer(None)
    return local.model_copy(update={"text": None, "start": None, "end": None, "document": None, "token_logprobs": None})
