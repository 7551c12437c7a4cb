"""Whether an answer is of the kind that a question asks for, whole, and the one that is meant among its neighbours.

Where a reader is sure and wrong, it has most often quoted the number beside the one asked for, half of a list, a span
that runs on, or what its sentence denies. Cues without a model: microseconds, English.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from twosup_chain.scoring.wording import NUMBER_WORDS, content_stems, negates
from twosup_chain.text.finder import find

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPELT = "|".join(sorted(NUMBER_WORDS))
_UNITS_OF_TIME = "second minute hour day week month year"
_MONTHS = "january february march april may june july august september october november december"
_DAYS = f"{'|'.join(_MONTHS.split())}|(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_TIMES = "|".join(f"{unit}s?" for unit in _UNITS_OF_TIME.split())
#: What the values look like that a question may ask for.
_VALUES = {
    "share": r"\d\s?%|\bper\s?cent\b",
    "clock": r"\b\d{1,2}:\d\d\b|\b\d{1,2}\s?[ap]\.?m\b|\b(?:noon|midnight)\b",
    "duration": rf"(?:\d|\b(?:{_SPELT}))[\s-]?(?:\w+\s)?(?:s|h|min|{_TIMES})\b",
    "date": rf"\b(?:{_DAYS})\b|\b(?:1\d|20)\d\d\b|\b\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}\b|\bweek\s\d",
    "money": r"[$€£¥₹]\s?\d|\d\s?(?:[$€£¥₹]|(?:euro|pound|dollar|franc|cent)s?\b)|\b(?:CHF|EUR|USD|GBP)\b",
    "number": rf"\d|\b(?:{_SPELT})\b",
}
_COSTS = "costs?|pays?|paid|charged?|due|rent|fees?|fine|reimbursed|spen[dt]|claimed"
_MEASURES = "number|pressure|temperature|weight|size|speed|range|length|height|age|rate|amount|discount"
#: Which of them a question asks for; the first that matches.
_ASKED = {
    "share": r"\bwhat (?:percent\w*|share|proportion)\b",
    "clock": r"\b(?:what|which) time\b",
    "duration": rf"\bhow (?:long|soon|often)\b|\bhow many (?:\w+ )?(?:{_TIMES})\b",
    "date": r"\b(?:when|(?:what|which) (?:date|day|year|month|century|decade))\b",
    "money": rf"\bhow (?:much|high)\b.*\b(?:{_COSTS})\b|\bwhat (?:does|do|did|will) .*\bcosts?\b"
    r"|\bwhat (?:is|was|are|were) the (?:\S+ ){0,3}(?:price|cost|fee|fare|rent)\b",
    "number": r"\bhow (?:many|much|old|far|tall|high|large|big|heavy|fast|deep|wide)\b"
    rf"|\b(?:what|which) (?:{_MEASURES})\b|\bwhat (?:is|was) the (?:\S+ ){{0,3}}(?:{_MEASURES})\b",
}
#: What answers a question for another kind of value as well.
_ALSO = {"date": ("clock", "duration"), "duration": ("date",)}
_AUXILIARIES = "is are was were do does did has have had can could may might must shall should will would need"
_YES_NO = rf"(?:[^,]{{1,60}}, )?(?:{'|'.join(_AUXILIARIES.split())})\b"
_SEVERAL = (
    r"\b(?:which|what) (?:\w+ ){0,2}?(?!(?:does|always|this|was|has)\b)\w{3,}(?<![siu])s\b|\b(?:who|which) are\b"
    r"|\b(?:list|name) (?:all|the|two|three|both)\b|\band (?:who|what|when|where|which|how)\b"
)
_JOINED_AFTER = re.compile(r"\s*(?:[,;/&]|(?:and|or|as well as)\b)\s*\w")
_JOINED_BEFORE = re.compile(r"\w\s*(?:[,/&]|\b(?:and|or))\s*$")
_ITEM_END = re.compile(r"\s*(?:[,;/&\n]|\b(?:and|or)\b)\s*")
_RUNS_ON = re.compile(r"[.;!?]\s+\S|\n")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])|\n")


class _Place(NamedTuple):
    """Where an answer stands: in a passage, in characters."""

    passage: str
    start: int
    end: int


def aptness_features(
    question: str, passages: Sequence[str], text: str, at: tuple[int, int] | None = None
) -> dict[str, float]:
    """Returns the features of an answer's aptness; `at` is where it stands, if known: the passage and the character.

    - ``asks_yes_no``, ``asks_several``, ``asks_value``: whether the question wants yes or no, several things, a value
      (money, share, time, date, duration, number), 1 or 0;
    - ``value_fits``: whether the answer holds such a value: 1, 0.5 for a number of another kind or where no value is
      asked for, 0 without a number;
    - ``answer_items``: the logarithm of one plus the number of its parts (a, b and c: three);
    - ``answer_runs_on``: whether it goes on after the end of a sentence or line, 1 or 0;
    - ``answer_negated``: whether it holds a negation, 1 or 0.

    Of the place where it first stands, or `at`:

    - ``answer_continues``: whether the text goes on with another part beside it (", b", "and b"), 1 or 0;
    - ``answer_half``: the same where several things are asked for, else 0;
    - ``negation_outside``: whether its sentence negates, and neither it nor the question does, 1 or 0;
    - ``value_rivals``: the logarithm of one plus the number of other values of the same kind in its sentence or row;
    - ``in_table``: whether it stands in a cell of a table (lines of ``a | b | c``), 1 or 0; if so, ``cell_overlap``:
      the share of the question's content words in its row and its column's head, and ``cell_lag``: by how much the best
      cell of the table has more of them, in [0, 1].
    """
    low = question.lower()
    asked = next((kind for kind, pattern in _ASKED.items() if re.search(pattern, low)), None)
    several, negated = bool(re.search(_SEVERAL, low)), _negated(text)
    found = {
        "asks_yes_no": float(bool(re.match(_YES_NO, low))),
        "asks_several": float(several),
        "asks_value": float(asked is not None),
        "value_fits": 0.5 if asked is None else _fit(asked, text),
        "answer_items": math.log1p(len(list(filter(None, _ITEM_END.split(text))))),
        "answer_runs_on": float(bool(_RUNS_ON.search(text))),
        "answer_negated": float(negated),
    }
    place = _place(passages, text, at)
    if place is None:
        return found
    passage, start, end = place
    first = passage.rfind("\n", 0, start) + 1
    line = passage[first : (passage.find("\n", end) + 1 or len(passage) + 1) - 1]
    before, after = _SENTENCE_END.split(line[: start - first])[-1], _SENTENCE_END.split(line[end - first :])[0]
    continues = bool(_JOINED_AFTER.match(after) or _JOINED_BEFORE.search(before))
    kind = next((kind for kind in _VALUES if _has(kind, text)), None)
    others = 0 if kind is None else sum(len(re.findall(_VALUES[kind], part, re.IGNORECASE)) for part in (before, after))
    found |= {
        "answer_continues": float(continues),
        "answer_half": float(continues and several),
        "negation_outside": float(_negated(f"{before} {after}") and not negated and not _negated(question)),
        "value_rivals": math.log1p(others),
        **_cell_features(content_stems(question), passage, first, start),
    }
    return found


def _has(kind: str, text: str) -> bool:
    return bool(re.search(_VALUES[kind], text, re.IGNORECASE))


def _fit(asked: str, text: str) -> float:
    if any(_has(kind, text) for kind in (asked, *_ALSO.get(asked, ()))):
        return 1.0
    return 0.5 if _has("number", text) else 0.0


def _negated(text: str) -> bool:
    return any(map(negates, re.findall(r"[\w'’]+", text.lower())))


def _place(passages: Sequence[str], text: str, at: tuple[int, int] | None) -> _Place | None:
    if at is not None and at[0] < len(passages):
        return _Place(passages[at[0]], at[1], at[1] + len(text))
    for passage in passages:
        if places := find(passage, text):
            return _Place(passage, *places[0])
    return None


def _cell_features(asked: frozenset[str], passage: str, first: int, start: int) -> dict[str, float]:
    """Returns the features of the cell that a place is in, whose line begins at `first`."""
    lines, number = passage.split("\n"), passage.count("\n", 0, first)
    pipes = lines[number].count("|")
    top = number
    while top > 0 and pipes and lines[top - 1].count("|") == pipes:
        top -= 1
    bottom = number
    while bottom + 1 < len(lines) and pipes and lines[bottom + 1].count("|") == pipes:
        bottom += 1
    if top == bottom or not asked:
        return {"in_table": 0.0}
    head, *rows = ([content_stems(cell) for cell in line.split("|")] for line in lines[top : bottom + 1])

    def overlap(row: list[frozenset[str]], column: int) -> float:
        return len(asked & head[column].union(*row[:column], *row[column + 1 :])) / len(asked)

    column = passage.count("|", first, start)
    own = overlap(rows[number - top - 1], column) if number > top else 0.0
    best = max(overlap(row, column) for row in rows for column in range(pipes + 1))
    return {"in_table": 1.0, "cell_overlap": own, "cell_lag": best - own}
