"""The scorers of decisions: they read the probabilities that a model gives to the options, and the features of these.

Max softmax is the local score of BiSupervised (DOI 10.1145/3617593), after Hendrycks & Gimpel (ICLR 2017, arXiv
1610.02136); energy is that of Liu et al. (NeurIPS 2020, arXiv 2010.03759), temperature scaling that of Guo et al. (ICML
2017, arXiv 1706.04599).
"""

import math

from twosup_chain.errors import MissingEvidenceError
from twosup_chain.schema import Answer, QAInput
from twosup_chain.scoring.scorer import Scorer

#: Options that are less likely count as likely as this.
_FLOOR = 1e-12


def max_softmax(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the probability of the option that was chosen: the paper's score for classifiers."""
    return _of_chosen(answer, "max_softmax")


def softmax_margin(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the probability of the option that was chosen, less that of the likeliest other one; at least 0."""
    return max(0.0, _of_chosen(answer, "softmax_margin") - _of_others(answer))


def softmax_entropy(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns one less the entropy of the options' probabilities, as a share of the highest that there can be."""
    _of_chosen(answer, "softmax_entropy")
    shares = _tempered(answer, 1.0).values()
    return 1.0 - min(1.0, -math.fsum(p * math.log(p) for p in shares) / math.log(max(2, len(shares))))


def tempered_softmax(
    question: QAInput, answer: Answer, *, local: Answer | None = None, temperature: float = 2.0
) -> float:
    """Returns the probability of the option that was chosen at another temperature (above 0; 1: as it is).

    Bind the temperature with `functools.partial`.
    """
    _of_chosen(answer, "tempered_softmax")
    return min(1.0, _tempered(answer, temperature)[str(answer.text)])


def label_agreement(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the local model's probability of the option that the hosted one chose; 1 or 0 where it gives none."""
    if local is None:
        message = "label_agreement compares with the local choice, and there is none: use it for the remote supervisor"
        raise MissingEvidenceError(message)
    if local.probabilities and answer.text is not None:
        return min(1.0, local.probabilities.get(answer.text, 0.0))
    return float(answer.text == local.text)


def energy(question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
    """Returns the log-sum-exp of the classifier's logits on (0, 1): low for what is like nothing that it was fitted on.

    It rises with that number e as ½ + ½ e / (1 + |e|).
    """
    if "energy" not in answer.scores:
        message = (
            "energy reads Answer.scores['energy'], the log-sum-exp of the logits: decide locally with TextClassifier"
        )
        raise MissingEvidenceError(message)
    found = answer.scores["energy"]
    return 0.5 + 0.5 * found / (1.0 + abs(found))


def distribution_features(answer: Answer, local: Answer | None) -> dict[str, float]:
    """Returns the features of the options' probabilities, each the score of that name; empty where there are none."""
    asked = QAInput(question="?")
    found = {}
    if answer.probabilities and answer.text in answer.probabilities:
        for score in (max_softmax, softmax_margin, softmax_entropy):
            found[score.__name__] = score(asked, answer)
    if local is not None:
        found["label_agreement"] = label_agreement(asked, answer, local=local)
    return found


def _of_chosen(answer: Answer, scorer: str) -> float:
    if answer.text is not None and answer.text in answer.probabilities:
        return min(1.0, answer.probabilities[answer.text])
    raise MissingEvidenceError(
        f"{scorer} reads the probability of the option that was chosen, and the answer carries none "
        f"({'no probabilities at all' if not answer.probabilities else 'its text is no option'}): decide with a model "
        "that gives them (a chat model: logprobs=True, top_logprobs=5), or choose label_agreement or stated_confidence"
    )


def _of_others(answer: Answer) -> float:
    return max((p for label, p in answer.probabilities.items() if label != answer.text), default=0.0)


def _tempered(answer: Answer, temperature: float) -> dict[str, float]:
    """Returns the probabilities at another temperature, in sum 1."""
    logs = {label: math.log(max(p, _FLOOR)) / temperature for label, p in answer.probabilities.items()}
    highest = max(logs.values())
    weights = {label: math.exp(log - highest) for label, log in logs.items()}
    total = math.fsum(weights.values())
    return {label: weight / total for label, weight in weights.items()}


SCORERS = (
    Scorer(name="energy", function=energy, needs="energy"),
    Scorer(name="label_agreement", function=label_agreement, needs="probabilities", reads_local=True),
    Scorer(name="max_softmax", function=max_softmax, needs="probabilities"),
    Scorer(name="softmax_entropy", function=softmax_entropy, needs="probabilities"),
    Scorer(name="softmax_margin", function=softmax_margin, needs="probabilities"),
    Scorer(name="tempered_softmax", function=tempered_softmax, needs="probabilities"),
)
