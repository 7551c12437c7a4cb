"""Whether a screen is as it was: words exactly, times not at all, other numbers within what machines differ by."""

from __future__ import annotations

import re

_BARS = re.compile(r"[━─┃█▓░▒╺╸]+")
_VOLATILE = (
    (re.compile(r"\d[\d.]* (?:ms|s|min|h)\b(?: \d+ (?:s|min)\b)?"), "TIME"),
    (re.compile(r"@[0-9a-f]{12}\b"), "@DIGEST"),
    (re.compile(r"127\.0\.0\.1:\d+"), "ADDRESS"),
    (re.compile(r"(?<=\w)\.(?=\s|$)"), " ."),  # a number at the end of a sentence is one
)
_NUMBER = re.compile(r"\d+\.\d+|\d+(?= ?%)|\d+")
#: By how much scores in [0, 1], and by how many points percentages (of one decimal), may differ between processors.
SCORE, POINTS = 0.05, 6.0


def differences(kept: str, seen: str) -> list[str]:
    """Returns the lines of words in which two screens differ; empty where they are alike."""
    before, now = _words(kept), _words(seen)
    if len(before) != len(now):
        return [f"{len(before)} words were kept, {len(now)} are seen"]
    return [f"{old!r} was kept, {new!r} is seen" for old, new in zip(before, now, strict=True) if not _alike(old, new)]


def _words(screen: str) -> list[str]:
    text = " ".join(_BARS.sub(" ", screen).split())
    for pattern, word in _VOLATILE:
        text = pattern.sub(word, text)
    return re.sub(r"(\d) %", r"\1%", text).split()


def _alike(old: str, new: str) -> bool:
    if _NUMBER.sub("#", old) != _NUMBER.sub("#", new):
        return False
    percentages = "%" in old
    pairs = zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True)
    return all(a == b or abs(float(a) - float(b)) <= _tolerance(a, percentages=percentages) for a, b in pairs)


def _tolerance(number: str, *, percentages: bool) -> float:
    """Returns by how much a number may differ; one that counts, by nothing."""
    decimals = len(number.partition(".")[2])
    return POINTS if percentages or decimals == 1 else SCORE if decimals else 0.0
