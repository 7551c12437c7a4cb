"""The other predictions that could be made once the evidence is there, each with the trust in it.

Once the local model has answered, "no answer" could be predicted in its place; once the hosted model has, the local
answer could be kept, or "no answer" predicted. A learned scorer has a model for each; any other scorer scores each
prediction as if it had been made, which makes sense where its scores are probabilities of being right (``grounded``,
``backed``).
"""

from contextlib import suppress

from twosup_chain.errors import MissingEvidenceError
from twosup_chain.schema import Answer, Evidence
from twosup_chain.scoring.scorer import Scorer


def alternatives(scorer: Scorer, evidence: Evidence) -> dict[str, float]:
    """Returns the trust in the predictions that could be made instead of the one to judge, by name.

    ``"local"`` is the local answer, where the hosted one is to judge; ``"unanswerable"`` is "no answer", on the
    evidence of the local model, where there is any. What another model predicts already is not repeated under this
    name, and what cannot be scored is left out.
    """
    answer, local, possible = evidence.answer, evidence.local, {}
    if evidence.weigh == "remote" and local is not None and local.text is not None:
        possible["local"] = local
    if answer.text is not None:
        own = (local or Answer(None)) if evidence.weigh == "remote" else answer
        spanless = dict.fromkeys(("text", "start", "end", "document", "token_logprobs"))
        possible["unanswerable"] = own.model_copy(update=spanless)
    if scorer.alternatives is not None:
        found = scorer.alternatives(evidence.input, answer, local=local)
        return {name: trust for name, trust in found.items() if name in possible}
    scored = {}
    for name, other in possible.items():
        with suppress(MissingEvidenceError):
            scored[name] = scorer.score(Evidence(input=evidence.input, answer=other, local=local))
    return scored
