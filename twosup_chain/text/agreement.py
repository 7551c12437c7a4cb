"""How far two answers say the same, as evidence for trust; the official figures have their own rule in `squad`."""

from collections import Counter
from collections.abc import Iterable

from twosup_chain.text.folding import fold
from twosup_chain.text.words import Word, words


def agreement(a: str | None, b: str | None) -> float:
    """Returns the F1 of the words that two answers share, in [0, 1]; it is symmetric.

    Numbers, units and names of one letter contradict each other: unless those of one answer are all among the other's,
    they do not agree at all, however many words they share ("$15 million" and "$1.5 million", "vitamin A" and "vitamin
    C"). Two "no answers" (``None``) agree fully, and "no answer" with no answer.
    """
    return agreements(a, (b,))[0]


def agreements(a: str | None, others: Iterable[str | None]) -> list[float]:
    """Returns the `agreement` of an answer with each of the others."""
    own = words(a or "")
    return [_shared(a, own, b) for b in others]


def _shared(a: str | None, own: tuple[Word, ...], b: str | None) -> float:
    if a is None or b is None:
        return float(a is b)
    other = words(b)
    if not own or not other:
        return float(not own and not other and fold(a).text.split() == fold(b).text.split())
    exact, too = (Counter(word.key for word in some if word.exact) for some in (own, other))
    if not (exact <= too or too <= exact):
        return 0.0
    common = (Counter(word.key for word in own) & Counter(word.key for word in other)).total()
    return 2 * common / (len(own) + len(other))
