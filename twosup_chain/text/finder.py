"""Where an answer stands in a passage: the one place that says so, for scorers, features and citations alike.

An answer stands where its words (`words`) stand one after the other, whatever stands between them that does not count.
The time it takes grows with the lengths of both, not with their product.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from operator import itemgetter

from twosup_chain.text.folding import fold
from twosup_chain.text.words import SIGNS, Word, words


def find(passage: str, answer: str) -> list[tuple[int, int]]:
    """Returns where an answer stands in a passage, in order, as half-open ranges of characters that do not overlap.

    An answer without a single letter or digit ("+") is looked up as it is written.
    """
    return list(_places(passage, answer, words(answer)))


def stands_in(passages: Iterable[str], answer: str) -> bool:
    """Returns whether an answer stands in one of the passages."""
    wanted = words(answer)
    return any(next(_places(passage, answer, wanted), None) is not None for passage in passages)


def whole(passage: str, start: int, end: int) -> tuple[int, int]:
    """Returns a range of characters, widened so that it cuts through no number: of "-2.5 mg" not "5 mg" alone."""
    before = max(0, start - _NUMBER)
    near = passage[before : end + _NUMBER]
    for word in words(near) if re.search(r"\d", near) else ():
        first, last = word.start + before, word.end + before
        if word.exact and first < end and start < last:
            start, end = min(start, first), max(end, last)
    return start, end


#: What may stand between the letters of one word (O'Brien, U.S., J. R. R.) and is no part of it; and a sign for a word.
_BETWEEN = {**str.maketrans("", "", "'. \n-"), ord("&"): "and"}
#: What may stand between the letters of two words, where nothing but letters and digits is left, and is no word.
_NO_WORDS = "(?:s|l|d|an?|the|and)*"
#: No number is longer, in characters.
_NUMBER = 32


def _places(passage: str, answer: str, wanted: Sequence[Word]) -> Iterator[tuple[int, int]]:
    if not wanted:
        yield from _verbatim(passage, answer)
        return
    if not _may_stand(fold(passage).text, wanted):
        return  # far quicker than to take a long passage apart
    there = words(passage)
    line = "".join(["\n", *(f"{word.key}\n" for word in there)])
    needle = "".join(["\n", *(f"{word.key}\n" for word in wanted)])
    at = line.find(needle)
    if at < 0:
        return
    starts = list(accumulate((len(word.key) + 1 for word in there), initial=0))
    while at >= 0:
        first = bisect_right(starts, at) - 1
        place = there[first : first + len(wanted)]
        yield min(word.start for word in place), max(word.end for word in place)
        at = line.find(needle, at + len(needle) - 1)


def _may_stand(folded: str, wanted: Sequence[Word]) -> bool:
    """Returns whether the words may stand in a folded text, by their letters alone; it is never wrong to say so."""
    letters, spelt = folded.translate(_BETWEEN), [*map(_is_spelt, wanted)]
    if not all(word.key in letters for word, found in zip(wanted, spelt, strict=True) if found):
        return False
    close = _squeezed(folded)
    runs = groupby(zip(wanted, spelt, strict=True), key=itemgetter(1))
    return all(
        re.search(_NO_WORDS.join(re.escape(_squeezed(word.key)) for word, _ in run), close)
        for found, run in runs
        if found
    )


def _is_spelt(word: Word) -> bool:
    """Whether a word stands in a text by its letters: no number or unit, which have many spellings, nor a sign's."""
    return word.key[0].isalpha() and word.key not in SIGNS and (not word.exact or any(map(str.isdigit, word.key)))


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.replace("&", "and"))


def _verbatim(passage: str, answer: str) -> Iterator[tuple[int, int]]:
    """Yields where signs stand that are no words."""
    sought = fold(answer).text.strip()
    if not sought or re.search(r"\w", sought):
        return
    folded = fold(passage)
    for match in re.finditer(re.escape(sought), folded.text):
        yield folded.span(*match.span())
