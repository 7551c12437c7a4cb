"""The words of a text that count when answers are compared, numbers under one rule.

A number is one word: its sign, decimals and magnitude belong to it, thousands separators do not matter (1,500 = 1500 =
1 500, "$1.5 million" = "1,500,000 dollars"). Its currency, percent sign or unit is a word after it, under one spelling.
Decimals are kept as written (2.10 is another version than 2.1) unless they are money, a percentage or have a magnitude.
Times, dates, fractions and versions are one word each; a range is two. Articles, possessive endings and punctuation do
not count; a single letter that names something ("vitamin A") does. Words with hyphens are several; in scripts without
spaces every character is a word.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from twosup_chain._worker import check_wanted
from twosup_chain.text.folding import Folded, fold

#: Scripts without spaces between words, or (Korean) with endings that are written together with the word.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
#: Marks that belong to the letter before them and that Python does not count as letters.
_MARKS = (
    "\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"
    "\u0900-\u0903\u093a-\u094f\u0951-\u0963\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a4d\u0a81-\u0acd\u0b01-\u0b57"
    "\u0b82-\u0bcd\u0c00-\u0c56\u0c81-\u0cd6\u0d00-\u0d57\u0d81-\u0ddf\u0f71-\u0f84\u1a00-\u1aff\u1b00-\u1b44"
)
_LETTER, _REST = rf"[^\W\d_{_UNSPACED}]", rf"[^\W_{_UNSPACED}]*(?:[{_MARKS}]+[^\W_{_UNSPACED}]*)*"
_DIGITS = r"""
    \d{1,3}(?:\.\d{3}){2,}(?![\d.]) | \d+(?:\.\d+){2,}              # 1.500.000; versions
  | \d+(?::\d+)+ | (?:\d+\ )?\d+(?:/\d+)+                            # times; fractions and dates
  | \d{1,2}(?:-?\^\d+)+                                              # 10^6
  | \d{1,3}(?:[,']\d{2,3})*[,']\d{3}(?!\d)(?:\.\d+)?                 # 1,500.25
  | \d{1,3}(?:\ \d{3})+(?!\d)(?:[.,]\d+)?                            # 1 500,25
  | (?<!\d,)\d+,\d{1,2}(?![\d,]) | \d+\.\d+ | (?<![\w.])\.\d+ | \d+  # 2,5; 2.5; .5
"""
_TOKEN = re.compile(
    rf"""
    (?![\s,;:()"!?])(?:  # nothing begins so: the quickest way past
    (?P<plain>(?!(?:minus|negative|per)\b)[a-z]{{2,}}+(?![0-9_']|[^\x00-\x7f]))
  | (?P<number>(?=[\d.$€£¥₹vmn-])(?:v(?=\d+\.))?
      (?P<sign>(?<![^\s(\[=<>~,;:"'$€£¥₹])-|(?:minus|negative)\ )?(?P<money>[$€£¥₹]\ ?)?(?P<digits>{_DIGITS})
      (?:(?P<ending>(?<=0)'s|s|st|nd|rd|th)\b|'s\b
        |[\s-]?(?P<magnitude>hundred|thousand|million|billion|trillion|lakh|crore|mn|bn|(?<=\d)(?(money)[mk]|(?!)))s?\b)?
      (?P<share>(?=\ ?[$€£¥₹%]|\ (?:per\ ?cent|dollar|euro|pound)))?)
  | (?P<symbol>[$€£¥₹%°]|(?<=\ )&(?=\ )|per\ ?cent(?!\w))
  | (?P<model>[a-z]-\d+(?!\w)|[a-z](?:\+\+?|\#)(?!\w))
  | (?P<initials>[a-z](?:\.[a-z])+(?![\w'{_MARKS}])\.?|[a-z](?![\w'{_MARKS}]))
  | (?P<word>{_LETTER}{_REST}(?:'{_LETTER}{_REST})*)
  | (?P<letter>[{_UNSPACED}](?:[\u1160-\u11ff]+|[\u3099\u309a])?))
    """,
    re.VERBOSE,
)
_MAGNITUDES = {"hundred": 2, "thousand": 3, "k": 3, "lakh": 5, "million": 6, "mn": 6, "m": 6, "crore": 7}
_MAGNITUDES |= {"billion": 9, "bn": 9, "trillion": 12}
_SYMBOLS = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "₹": "rupee", "°": "degree", "&": "and"}
#: Words that a sign may stand for.
SIGNS = frozenset({*_SYMBOLS.values(), "percent"})
_UNITS = {
    f"{prefix}{name}{ending}": f"{short}{unit}"
    for prefix, short in (("", ""), ("kilo", "k"), ("centi", "c"), ("milli", "m"))
    for unit, names in {"g": "gram gramme", "m": "metre meter", "l": "litre liter", "w": "watt", "hz": "hertz"}.items()
    for name in names.split()
    for ending in ("", "s")
}
_UNITS |= {
    spelling: spellings.split()[0]
    for spellings in (
        *("g", "kg", "mg", "m", "km", "cm", "mm", "l", "cl", "ml", "w", "kw", "hz", "khz", "c celsius", "f fahrenheit"),
        *("dollar dollars", "euro euros eur", "pound pounds lb lbs gbp", "yen jpy", "rupee rupees inr", "cent cents"),
        *("percent", "degree degrees", "foot feet ft", "mile miles mi", "inch inches", "ton tons", "tonne tonnes"),
        *("hour hours h hr hrs", "minute minutes min mins", "second seconds sec secs", "year years", "day days"),
        *("week weeks", "month months", "ounce ounces oz", "acre acres", "hectare hectares ha", "mph", "am", "pm"),
    )
    for spelling in spellings.split()
}
_ARTICLES = frozenset({"an", "the"})
_JOINTS = " \n-"
#: After so many words it is asked whether anybody still waits for them.
_OFTEN = 10_000
#: What follows a name of one letter, and no article: A-level, A. B. Smith, A, B and C.
_NO_ARTICLE = re.compile(r"[-./&$€£¥₹,;:)\]]|\ (?:and|or|to|is|was|are|&)\b")
#: An answer of one letter is shorter than this.
_ALONE = 8
_NAMING_WORDS = (
    "vitamin section plan type hepatitis grade class group team appendix option part schedule block hall platform gate "
    "terminal series figure table exhibit form category level tier zone wing unit page point letter line influenza "
    "serie division league curve model version route phase building chapter annex factor"
)
#: Words after which a single letter is a name, also in lower case.
_NAMED = frozenset(_NAMING_WORDS.split())
_ROMAN_NUMBERS = "ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx xxi xxii xxiii xxiv"
_ROMAN = frozenset(_ROMAN_NUMBERS.split())


class Word(NamedTuple):
    """A word that counts, compared by its key, and where it stands in the original text, in characters, half-open.

    Of two answers with other `exact` words (numbers, units, names of one letter), one is wrong.
    """

    key: str
    start: int
    end: int
    exact: bool = False


def words(text: str) -> tuple[Word, ...]:
    """Returns the words of a text that count, in their order, a currency after its amount."""
    folded = fold(text)
    low, last, before, measured, one_to_one = folded.text, 0, "", False, text.isascii()
    found: list[Word] = []
    for match in _tokens(low):
        kind, raw, past, previous, before = match.lastgroup or "", match[0], last, before, match[0]
        first, last = match.span()
        start, end = (first, last) if one_to_one else folded.span(first, last)
        if kind == "plain" and not measured:  # most words, and the reason why they are quick
            if raw not in _ARTICLES:
                found.append(Word(raw, start, end, raw in _ROMAN and text[start].isupper()))
            continue
        gap = low[past:first]
        near = "" if gap.strip(_JOINTS) else previous  # the word before, where nothing stands between
        unit = _UNITS.get(raw.replace(".", "")) if measured and near else None
        measured = kind == "number" or raw == "°" or unit == "degree"
        if unit:
            found.append(Word(unit, start, end, exact=True))
        elif kind == "number":
            found += _number(match, folded)
        elif kind == "initials":
            upper, name = text[start].isupper(), raw.replace(".", "")
            initial = found and gap == ". " and (len(previous) == 1 or "." in previous)
            if initial and upper and "." in low[last - 1 : last + 1]:  # J. R. R. Tolkien is J.R.R. Tolkien
                found[-1] = Word(found[-1].key + name, found[-1].start, end)
            elif raw != "a" or near in _NAMED or _is_name(folded, first, near):
                found.append(Word(name, start, end, exact=len(name) == 1 and (upper or near in _NAMED)))
        elif key := _KEYS[kind](raw):
            found.append(Word(key, start, end, _is_exact(kind, raw) or (raw in _ROMAN and text[start].isupper())))
    return tuple(found)


def _tokens(low: str) -> Iterator[re.Match[str]]:
    """Yields what may be words, as long as somebody waits for them."""
    matches = _TOKEN.finditer(low)
    while some := list(islice(matches, _OFTEN)):
        yield from some
        check_wanted()


def _is_exact(kind: str, raw: str) -> bool:
    return (
        kind == "model"
        or (kind == "symbol" and raw != "&")
        or (kind == "word" and not raw.isalpha() and any(map(str.isdigit, raw)))
    )


def _plain(raw: str) -> str:
    """Returns a word without elision and possessive ending, hyphen and apostrophes (l'Orient, Ada's, B-12, O'Brien)."""
    return raw if raw.isalnum() else re.sub(r"^[ld]'(?=..)|'s$|-", "", raw).replace("'", "")


_KEYS: dict[str, Callable[[str], str]] = {
    "plain": lambda raw: "" if raw in _ARTICLES else raw,
    "letter": str,
    "symbol": lambda raw: _SYMBOLS.get(raw, "percent"),
    "model": _plain,
    "word": _plain,
}


def _is_name(folded: Folded, at: int, near: str) -> bool:
    """Whether an "a" is a name, not an article: by what follows, alone, or a capital that is no title's."""
    low = folded.text
    if _NO_ARTICLE.match(low, at + 1) or (len(low) < _ALONE and len(low.strip(" .\"'()")) == 1):
        return True
    title = low[at + 1 : at + 2] == " " and at + 2 < len(low) and folded.original[folded.places[at + 2]].isupper()
    return bool(near) and not title and folded.original[folded.places[at]].isupper()


def _number(match: re.Match[str], folded: Folded) -> list[Word]:
    """Returns a number as one word, and its currency after it."""
    money, magnitude = match["money"], match["magnitude"]
    scaled = bool(money or magnitude) or match["share"] is not None
    value = _value(match["digits"], _MAGNITUDES.get(magnitude or "", 0), scaled=scaled)
    ending = (match["ending"] or "").removeprefix("'")
    number = Word(
        f"{'-' if match['sign'] else ''}{value}{ending}", *folded.span(match.start(), match.end()), exact=True
    )
    if money is None:
        return [number]
    at = match.start("money")
    start = match.start() if match["sign"] else match.start("digits")
    number = number._replace(start=folded.span(start, match.end())[0])
    return [number, Word(_SYMBOLS[money[0]], *folded.span(at, at + 1), exact=True)]


def _value(digits: str, power: int, *, scaled: bool) -> str:
    """Returns digits without thousands separators, with a decimal point, times a power of ten."""
    if ":" in digits or "/" in digits:
        return re.sub(r"^0(?=\d:)", "", digits)  # 09:30 is 9:30
    if re.fullmatch(r"\d{1,3}(\.\d{3}){2,}", digits):
        digits = digits.replace(".", "")
    elif digits.count(".") > 1:
        return digits
    elif re.fullmatch(r"\d+,\d{1,2}|[\d ]+ \d{3},\d+", digits):
        digits = digits.replace(",", ".")
    whole, _, rest = re.sub("[,' ]", "", digits).partition(".")
    if scaled:
        rest = rest.ljust(power, "0")
        whole, rest = (whole + rest[:power]).lstrip("0"), rest[power:].rstrip("0")
    return f"{whole or '0'}.{rest}" if rest else whole or "0"
