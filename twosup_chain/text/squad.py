"""SQuAD v2 files and the official SQuAD v2 measures, exact match and token F1.

Rajpurkar, Jia & Liang, *Know What You Don't Know: Unanswerable Questions for SQuAD* (ACL 2018, DOI
10.18653/v1/P18-2124), section 4, and its evaluation script. A prediction of ``None`` or ``""`` is "no answer". Curves,
costs and thresholds are not here.
"""

from __future__ import annotations

import gzip
import json
import re
import string
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twosup_chain._options import Record
from twosup_chain.errors import InputError
from twosup_chain.schema import QAInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


class Example(Record):
    """One labelled question.

    Args:
        id: The question's id, unique in its file.
        question: The question.
        context: The passage.
        answers: The accepted answers; empty for an unanswerable question.
        is_impossible: Whether the passage does not hold an answer.
        title: The title of the article that the passage is from.
    """

    id: str
    question: str
    context: str
    answers: tuple[str, ...] = ()
    is_impossible: bool = False
    title: str = ""

    def as_input(self) -> QAInput:
        """Returns the question and its passage, as every answerer takes them."""
        return QAInput(question=self.question, context=self.context, id=self.id)


def load(path: str | Path) -> list[Example]:
    """Returns the questions of a SQuAD file (v1.1 or v2.0, plain or gzipped JSON), in the file's order.

    Raises:
        InputError: The file is missing, or is not in SQuAD format; the message names the place.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
        document = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    except OSError as error:
        message = f"cannot read {path}: {error.strerror or error}"
        raise InputError(message) from error
    except (ValueError, EOFError, zlib.error) as error:
        message = f"{path} is not JSON, or a damaged archive: {error}"
        raise InputError(message) from error
    try:
        return list(_examples(document))
    except (KeyError, TypeError) as error:
        message = f"{path} is not in SQuAD format ('data' → 'paragraphs' → 'qas'): {error!r}"
        raise InputError(message) from error


def _examples(document: dict[str, Any]) -> Iterable[Example]:
    for article in document["data"]:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                answers = tuple(answer["text"] for answer in qa.get("answers", ()))
                yield Example(
                    id=str(qa["id"]),
                    question=qa["question"],
                    context=paragraph["context"],
                    answers=answers,
                    is_impossible=bool(qa.get("is_impossible", not answers)),
                    title=article.get("title", ""),
                )


def normalize_answer(text: str) -> str:
    """Returns the text in lower case, without punctuation, articles and surplus white space (the official rule)."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(prediction: str | None, golds: Sequence[str]) -> float:
    """Returns 1.0 if the prediction equals an accepted answer after normalisation, else 0.0.

    Args:
        prediction: The predicted text; ``None`` or ``""`` predicts that there is no answer.
        golds: The accepted answers; none where the question is unanswerable.
    """
    predicted = normalize_answer(prediction or "")
    return max(float(predicted == gold) for gold in _normalized(golds))


def f1(prediction: str | None, golds: Sequence[str]) -> float:
    """Returns the best token F1 of the prediction against the accepted answers, in [0, 1].

    Args:
        prediction: The predicted text; ``None`` or ``""`` predicts that there is no answer.
        golds: The accepted answers; none where the question is unanswerable.
    """
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
