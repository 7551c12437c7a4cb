"""What the words of question, passage and answer say, without a model: microseconds, English, and no more than cues.

Unanswerable questions are often made of a passage's own words with one of them exchanged (a name, a number, a negation;
Rajpurkar et al. 2018, table 1, DOI 10.18653/v1/P18-2124), and wrong answers often stand in another sentence than the
question's words.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from twosup_chain.text.finder import find
from twosup_chain.text.layout import cells_of
from twosup_chain.text.words import words as words_of

_WORD = re.compile(r"\d[\d,.]*\d|\w+(?:['’]\w+)?")
_DIGIT = re.compile(r"\d")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“‘(]?[A-Z0-9])")
_STOP_WORDS = (
    "a an the of in on at to for from by with and or but as is are was were be been being am do does did has have had "
    "it its this that these those there their they them he she his her him who whom whose what which when where why "
    "how many much long often old far i you we us our your my me not no nor so than then if into about over after "
    "before during between can could would should will shall may might must s t also name type kind"
)
_NEGATING_WORDS = "not no never none neither nor without cannot unable except unlike"
_STOP, _NEGATIONS = frozenset(_STOP_WORDS.split()), frozenset(_NEGATING_WORDS.split())
#: By the question's opening, whether its answer should hold a number (1), a name (2), or either.
_KINDS = {
    "how_many": r"\bhow (?:many|much|long|old|far|tall|high|large|big|often|fast)\b|\bwhat (?:percent|number)",
    "when": r"\b(?:when|(?:what|which) (?:year|century|date|day|month|decade|time))\b",
    "who": r"\b(?:who|whom|whose)\b",
    "where": r"\b(?:where|(?:what|which) (?:city|country|state|place|region))\b",
    "why": r"\bwhy\b",
    "how": r"\bhow\b",
    "what": r"\b(?:what|which)\b",
}
_NUMBERED = frozenset({"how_many", "when"})
_NAMED = frozenset({"who", "where"})
_SPELT_NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand million "
    "billion dozen half first second third monday tuesday wednesday thursday friday saturday sunday january february "
    "march april may june july august september october november december century"
)
NUMBER_WORDS = frozenset(_SPELT_NUMBERS.split())
#: How many words on either side of an answer are near it.
_NEAR = 12
#: More occurrences of an answer than this are not looked at.
_MOST_OCCURRENCES = 8
#: Words that share so many first letters count as the same.
_STEM = 5
#: What stands before an answer that a passage only tells: stems, and how many words may lie between.
_TELLING = frozenset({"answe", "reply", "respo"})
_TOLD_WITHIN = 5
#: The share of a question, from its first word on, that restates it; and the fewest words that do.
_RESTATED = 0.75
_FEWEST_RESTATED = 3


class _Asked(NamedTuple):
    """The question's words: all in lower case, stems of content words, names, numbers, whether it negates, its kind."""

    words: list[str]
    stems: frozenset[str]
    names: frozenset[str]
    numbers: frozenset[str]
    negated: bool
    kind: str


class _Passage(NamedTuple):
    """A passage's words by place: stems, the words themselves in lower case, and where they start."""

    stems: list[str]
    words: list[str]
    starts: list[int]


def wording_features(question: str, passages: Sequence[str], text: str | None) -> dict[str, float]:
    """Returns the features of the words.

    Of question and passages:

    - ``question_words``, ``passage_words``: logarithms of one plus their numbers (of content words, of words);
    - ``question_missing``: the share of the question's content words that stand nowhere in the passages, in [0, 1];
    - ``question_missing_names``, ``question_missing_numbers``: how many of its names and numbers do not;
    - ``question_restated``: whether a passage has its words, from the first on, in a row, as a passage has that tells
      a model what to answer (and as a list of questions and answers has), 1 or 0;
    - ``question_negated``, ``asks_who``, ``asks_when``, ``asks_where``, ``asks_how_many``, ``asks_how``, ``asks_why``,
      ``asks_what``: 1 or 0.

    Of an answer's text:

    - ``answer_words``: the logarithm of one plus its number of words;
    - ``answer_in_question``: the share of its words that the question already holds, in [0, 1];
    - ``answer_kind``: whether it has a number or a name where the question asks for one: 1, 0, or 0.5 where the
      question's kind does not tell;
    - ``in_context``: whether it stands in a passage word for word, 1 or 0.

    Of the place where it stands, if it does; where there are several, the one with most of the question's words near:

    - ``near_overlap``, ``sentence_overlap``: the share of the question's content words within 12 words of the answer,
      and in its sentence;
    - ``sentence_lag``: by how much the best sentence of all has more of them, in [0, 1];
    - ``sentence_missing_names``, ``sentence_missing_numbers``: how many names and numbers of the question its sentence
      lacks;
    - ``negation_differs``: whether one of question and sentence negates and the other does not;
    - ``answer_occurrences``: the logarithm of one plus the number of places;
    - ``answer_told``: whether it follows the restated question, or a word like "answer" or "reply", at one of them, 1
      or 0.
    """
    asked = _asked(question)
    read = [_passage(passage) for passage in passages]
    vocabulary = {stem for passage in read for stem in passage.stems}
    features = {
        "question_words": math.log1p(len(asked.stems)),
        "passage_words": math.log1p(sum(len(passage.words) for passage in read)),
        "question_missing": len(asked.stems - vocabulary) / max(len(asked.stems), 1),
        "question_missing_names": float(len(asked.names - vocabulary)),
        "question_missing_numbers": _missing_numbers(asked, passages),
        "question_restated": float(any(_restates(asked, p, range(len(p.words))) for p in read)),
        "question_negated": float(asked.negated),
    }
    features |= {f"asks_{kind}": float(kind == asked.kind) for kind in _KINDS}
    if text is None:
        return features
    words = [word.lower() for word in _WORD.findall(text)]
    stems = [_stem(word) for word in words]
    features |= {
        "answer_words": math.log1p(len(words)),
        "answer_in_question": sum(stem in asked.stems for stem in stems) / max(len(stems), 1),
        "answer_kind": _fits(asked.kind, text, words),
    }
    pairs = zip(read, passages, strict=True)
    places = [(passage, whole, place) for passage, whole in pairs for place in _places(passage, whole, text)]
    features["in_context"] = float(bool(places))
    features["answer_occurrences"] = math.log1p(len(places))
    if places:
        features["answer_told"] = float(any(_told(asked, passage, at.start) for passage, _, at in places))
    if places and asked.stems:
        features |= _around(asked, places)
    return features


def _around(asked: _Asked, places: Sequence[tuple[_Passage, str, range]]) -> dict[str, float]:
    nearest, overlap = None, -1.0
    for place in places:
        passage, _, at = place
        near = {*passage.stems[max(0, at.start - _NEAR) : at.start], *passage.stems[at.stop : at.stop + _NEAR]}
        found = len(asked.stems & near) / len(asked.stems)
        if found > overlap:
            nearest, overlap = place, found
    assert nearest is not None  # noqa: S101  there is a place
    passage, whole, at = nearest
    sentences = _sentences(passage, whole)
    own = next((s for s in sentences if s.start <= at.start < s.stop), range(len(passage.stems)))
    shares = {s: len(asked.stems.intersection(passage.stems[s.start : s.stop])) / len(asked.stems) for s in sentences}
    inside = set(passage.stems[own.start : own.stop])
    negated = any(negates(word) for word in passage.words[own.start : own.stop])
    return {
        "near_overlap": overlap,
        "sentence_overlap": shares.get(own, 0.0),
        "sentence_lag": max(shares.values(), default=0.0) - shares.get(own, 0.0),
        "sentence_missing_names": float(len(asked.names - inside)),
        "sentence_missing_numbers": _missing_numbers(asked, [_cut(passage, whole, own)] if own else []),
        "negation_differs": float(negated != asked.negated),
    }


def _restates(asked: _Asked, passage: _Passage, starts: range) -> bool:
    """Returns whether a passage has the question's words, or nearly all of them, in a row from one of these places."""
    fewest = max(_FEWEST_RESTATED, math.ceil(_RESTATED * len(asked.words)))
    opening = asked.words[:fewest]
    return len(opening) == fewest and any(
        passage.words[at] == opening[0] and passage.words[at : at + fewest] == opening for at in starts
    )


def _told(asked: _Asked, passage: _Passage, start: int) -> bool:
    """Returns whether what starts there follows the restated question, or a word that announces an answer."""
    first = max(0, start - _TOLD_WITHIN)
    if not _TELLING.isdisjoint(passage.stems[first:start]):
        return True
    return _restates(asked, passage, range(max(0, first - len(asked.words)), max(0, start - len(asked.words) + 1)))


def content_stems(text: str) -> frozenset[str]:
    """Returns what the content words of a text count as, when words are compared."""
    return frozenset(_stem(word) for word in map(str.lower, _WORD.findall(text)) if word not in _STOP)


def sentence_around(passages: Sequence[str], text: str) -> str | None:
    """Returns the sentence in which a text first stands; ``None`` where it stands nowhere."""
    for whole in passages:
        passage = _passage(whole)
        for place in _places(passage, whole, text):
            for span in _sentences(passage, whole):
                if span.start <= place.start < span.stop:
                    return _cut(passage, whole, span)
    return None


def sentences(passages: Sequence[str]) -> list[str]:
    """Returns the sentences of passages, in order."""
    read = [(_passage(whole), whole) for whole in passages]
    return [_cut(passage, whole, span) for passage, whole in read for span in _sentences(passage, whole)]


def _cut(passage: _Passage, whole: str, span: range) -> str:
    end = passage.starts[span.stop] if span.stop < len(passage.starts) else len(whole)
    return whole[passage.starts[span.start] : end].strip()


def _asked(question: str) -> _Asked:
    words = _WORD.findall(question)
    low = [word.lower() for word in words]
    return _Asked(
        words=low,
        stems=content_stems(question),
        names=frozenset(_stem(w.lower()) for w in words[1:] if w[0].isupper() and w.lower() not in _STOP),
        numbers=_numbers([question]),
        negated=any(map(negates, low)),
        kind=next((kind for kind, pattern in _KINDS.items() if re.search(pattern, question.lower())), ""),
    )


def _passage(text: str) -> _Passage:
    found = list(_WORD.finditer(text))
    words = [match.group().lower() for match in found]
    return _Passage([_stem(word) for word in words], words, [match.start() for match in found])


def _numbers(texts: Sequence[str]) -> frozenset[str]:
    """Returns the numbers of texts, as `text.words` counts them."""
    found = (word.key for text in texts if _DIGIT.search(text) for word in words_of(text))
    return frozenset(filter(_DIGIT.search, found))


def _missing_numbers(asked: _Asked, texts: Sequence[str]) -> float:
    return float(len(asked.numbers - _numbers(texts))) if asked.numbers else 0.0


def _stem(word: str) -> str:
    """Returns what a word counts as: its first letters, so that most inflected forms are the same; a number whole."""
    word = word.replace("’", "'").removesuffix("'s")
    if word[:1].isdigit():
        return word.replace(",", "")
    return word[:_STEM] if len(word) > _STEM else word.removesuffix("s")


def negates(word: str) -> bool:
    """Returns whether a word in lower case negates."""
    return word in _NEGATIONS or word.endswith(("n't", "n’t"))


def _fits(kind: str, text: str, words: Sequence[str]) -> float:
    if kind in _NUMBERED:
        return float(any(char.isdigit() for char in text) or any(word in NUMBER_WORDS for word in words))
    if kind in _NAMED:
        return float(any(char.isupper() for char in text))
    return 0.5


def _places(passage: _Passage, whole: str, text: str) -> Iterator[range]:
    """Yields the words where a text stands, as ranges of places."""
    for start, end in islice(find(whole, text), _MOST_OCCURRENCES):
        yield range(max(0, bisect_right(passage.starts, start) - 1), bisect_left(passage.starts, end))


def _sentences(passage: _Passage, whole: str) -> list[range]:
    """Returns the words of each sentence, or cell of the layout, of the passage, as ranges of places."""
    cells = cells_of(whole, np.array(passage.starts, np.int64))
    ends = [match.end() for match in _SENTENCE_END.finditer(whole)]
    ends += [passage.starts[i] for i in np.flatnonzero(np.diff(cells)) + 1]
    ranges, at, place = [], 0, 0
    for end in [*sorted(ends), len(whole) + 1]:
        while at < len(passage.starts) and passage.starts[at] < end:
            at += 1
        if at > place:
            ranges.append(range(place, at))
        place = at
    return ranges
