"""Typography folded away: two spellings that a reader would call the same become the same characters.

Case, accents, ligatures, full-width forms, curly quotes, kinds of dashes and of spaces, soft hyphens and other
invisible characters do not tell answers apart, nor whether a text is composed (NFC) or decomposed (NFD). Each character
is folded by itself, so that every folded character knows the one that it comes from.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_SAME = {
    **dict.fromkeys("`´‘’‚‛′‵ʹʼˈ", "'"),
    **dict.fromkeys("“”„‟″‶«»", '"'),
    **dict.fromkeys("‐‑‒–—―−⁃﹘﹣－", "-"),
    **dict.fromkeys("⁄∕", "/"),
    **dict.fromkeys("™®©℠", " "),
    **dict(zip("øłđæœ", ("o", "l", "d", "ae", "oe"), strict=True)),
}
_ACCENTS = range(0x300, 0x370)
_SELECTORS = range(0xFE00, 0xFE10)


class Folded(NamedTuple):
    """A folded text, and for each of its characters the place of the original one, ascending."""

    text: str
    places: Sequence[int]
    original: str

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Returns the original's characters, half-open, behind a slice of folded ones that is not empty."""
        first, last = self.places[start], self.places[end - 1] + 1
        while last < len(self.original) and unicodedata.combining(self.original[last]):
            last += 1  # an accent that was folded away belongs to its letter
        return first, last


def fold(text: str) -> Folded:
    """Returns the text with its typography folded away; folding a folded text changes nothing."""
    if text.isascii():
        return Folded(text.lower().replace("`", "'"), range(len(text)), text)
    pieces = list(map(_folded, text))
    if all(len(piece) == 1 for piece in pieces):
        return Folded("".join(pieces), range(len(text)), text)
    return Folded("".join(pieces), [at for at, piece in enumerate(pieces) for _ in piece], text)


@lru_cache(maxsize=8192)
def _folded(char: str) -> str:
    once = _folded_once(char)
    return once if once == char else "".join(map(_folded, once))


def _folded_once(char: str) -> str:
    if char in _SAME:
        return _SAME[char]
    if ord(char) in _ACCENTS or ord(char) in _SELECTORS or unicodedata.category(char) == "Cf":
        return ""
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    plain = unicodedata.normalize("NFKD", char).casefold()
    kind = unicodedata.decomposition(char)
    if kind.startswith("<fraction>"):
        return f" {plain}"  # 1½ is 1 1/2, not 11/2
    return f"^{plain}" if kind.startswith("<super>") and plain.isdecimal() else plain  # 10² is not 102
