"""Where an answer stands in its documents: the citations of a result.

What a citation holds is written in `schema.Citation`. Whether the answer can be trusted is not asked here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
from langchain_core.documents import Document

from twosup_chain.reader.occurrences import occurrences
from twosup_chain.schema import Citation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from twosup_chain.schema import Answer, Candidate, QAInput

    _Search = Callable[[str, str], Iterator[tuple[int, int]]]

_ARTICLES = frozenset({"a", "an", "the"})


def citations(question: QAInput, answer: Answer, near: Sequence[Candidate] = ()) -> tuple[Citation, ...]:
    """Returns where the answer's text stands in the passages, the likeliest place first.

    An answer that tells its own span, as the reader's does, is cited there and nowhere else. Any other text is looked
    up: letter for letter, and where it stands nowhere like that, word for word without case, accents, articles and
    punctuation. An answer in words of its own ("It was Ada.") stands nowhere, and has no citation.

    Args:
        question: The question and its passages.
        answer: The answer; "no answer" has no citation.
        near: A reader's candidates, which say the likeliest of several places; other places follow in order.
    """
    if answer.text is None or not answer.text.strip():
        return ()
    passages = question.passages
    own = _own_span(answer, passages)
    if own is not None:
        return (_citation(question, *own),)
    found = list(_places(answer.text, passages, _verbatim)) or list(_places(answer.text, passages, _by_words))
    found.sort(key=lambda place: (-_support(place, near), place))
    return tuple(_citation(question, *place) for place in found)


def _own_span(answer: Answer, passages: Sequence[str]) -> tuple[int, int, int] | None:
    """Returns the document and the characters that the answer names, if its text does stand there."""
    if answer.start is None or answer.end is None:
        return None
    document = answer.document or 0
    stands = 0 <= document < len(passages) and passages[document][answer.start : answer.end] == answer.text
    return (document, answer.start, answer.end) if stands else None


def _places(text: str, passages: Sequence[str], search: _Search) -> Iterator[tuple[int, int, int]]:
    for document, passage in enumerate(passages):
        for start, end in search(text, passage):
            yield document, start, end


def _verbatim(text: str, passage: str) -> Iterator[tuple[int, int]]:
    """Yields where the text stands letter for letter; in ASCII, not inside of a word."""
    pattern = re.escape(text.strip())
    bounded = rf"(?<!\w){pattern}(?!\w)" if text.isascii() else pattern
    yield from (match.span() for match in re.finditer(bounded, passage))


def _by_words(text: str, passage: str) -> Iterator[tuple[int, int]]:
    """Yields where the text's words stand in the same order, articles and punctuation aside."""
    words, spans = _words(passage)
    wanted = [word for word in _words(text)[0] if word not in _ARTICLES]
    if not set(wanted) <= set(words):
        return
    numbers = {word: i for i, word in enumerate({*words, *wanted})}
    ids = np.array([numbers[word] for word in words], dtype=np.int64)
    counts = np.array([word not in _ARTICLES for word in words], dtype=bool)
    needle = np.array([numbers[word] for word in wanted], dtype=np.int64)
    yield from ((spans[first][0], spans[last][1]) for first, last in occurrences(ids, counts, needle))


def _words(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    found = list(re.finditer(r"\w+", text))
    return [_plain(match.group()) for match in found], [match.span() for match in found]


def _plain(word: str) -> str:
    """Returns the word without case and accents."""
    letters = unicodedata.normalize("NFKD", word)
    return "".join(char for char in letters if not unicodedata.combining(char)).casefold()


def _support(place: tuple[int, int, int], near: Sequence[Candidate]) -> float:
    """Returns the greatest probability of a candidate that overlaps the place."""
    document, start, end = place
    overlapping = (c.probability for c in near if c.document == document and c.start < end and start < c.end)
    return max(overlapping, default=0.0)


def _citation(question: QAInput, document: int, start: int, end: int) -> Citation:
    passage = question.passages[document]
    source = question.context[document] if isinstance(question.context, tuple) else None
    metadata = dict(source.metadata) if isinstance(source, Document) else {}
    return Citation(document=document, start=start, end=end, text=passage[start:end], metadata=metadata)
