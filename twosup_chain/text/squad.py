"""The official SQuAD v2 measures, exact match and token F1, for figures that are compared with others' figures.

Rajpurkar, Jia & Liang, *Know What You Don't Know: Unanswerable Questions for SQuAD* (ACL 2018, DOI
10.18653/v1/P18-2124), section 4, and its evaluation script. A prediction of ``None`` or ``""`` is "no answer".
Whether an answer can be trusted is never asked by these rules, to which 1.5 million is 15 million: see `agreement`.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize_answer(text: str) -> str:
    """Returns the text in lower case, without punctuation, articles and surplus white space (the official rule)."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(prediction: str | None, golds: Sequence[str]) -> float:
    """Returns 1.0 if the prediction equals an accepted answer (none: unanswerable) after normalisation, else 0.0."""
    predicted = normalize_answer(prediction or "")
    return max(float(predicted == gold) for gold in _normalized(golds))


def f1(prediction: str | None, golds: Sequence[str]) -> float:
    """Returns the best token F1 of the prediction against the accepted answers (none: unanswerable), in [0, 1]."""
    predicted = normalize_answer(prediction or "").split()
    return max(token_f1(predicted, gold.split()) for gold in _normalized(golds))


def token_f1(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Returns the harmonic mean of token precision and recall; if either side is empty, whether both are."""
    if not predicted or not gold:
        return float(predicted == gold)
    common = sum((Counter(predicted) & Counter(gold)).values())
    return 2 * common / (len(predicted) + len(gold))


def _normalized(golds: Sequence[str]) -> list[str]:
    return [text for text in map(normalize_answer, golds) if text] or [""]
