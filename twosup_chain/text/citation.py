"""Where an answer stands in its documents: the citations of a result.

Whether the answer can be trusted is not asked here.
"""

from collections.abc import Sequence

from langchain_core.documents import Document

from twosup_chain.schema import Answer, Candidate, Citation, QAInput
from twosup_chain.text.finder import find, whole

#: No answer has more citations.
MOST = 100


def citations(question: QAInput, answer: Answer, near: Sequence[Candidate] = ()) -> tuple[Citation, ...]:
    """Returns where the answer's text stands in the passages, the likeliest place first, at most `MOST` places.

    An answer that tells its own span, as the reader's does, is cited there and nowhere else, a number that the span
    cuts through as a whole. Any other text is looked up by the `finder`. An answer in words of its own ("It was Ada.")
    stands nowhere, and has no citation. A reader's candidates (`near`) say the likeliest of several places; others
    follow in order.
    """
    if answer.text is None or not answer.text.strip():
        return ()
    passages = question.passages
    own = _own_span(answer, passages)
    if own is not None:
        return (_citation(question, *own),)
    found = [(at, *place) for at, passage in enumerate(passages) for place in find(passage, answer.text)]
    found.sort(key=lambda place: (-_support(place, near), place))
    return tuple(_citation(question, *place) for place in found[:MOST])


def says_where(answer: Answer, passages: Sequence[str]) -> bool:
    """Whether an answer need not be looked up: it tells its span, or has no text."""
    return answer.text is None or not answer.text.strip() or _own_span(answer, passages) is not None


def _own_span(answer: Answer, passages: Sequence[str]) -> tuple[int, int, int] | None:
    """Returns the document and the characters that the answer names, if its text does stand there."""
    if answer.start is None or answer.end is None:
        return None
    document = answer.document or 0
    stands = 0 <= document < len(passages) and passages[document][answer.start : answer.end] == answer.text
    return (document, *whole(passages[document], answer.start, answer.end)) if stands else None


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
