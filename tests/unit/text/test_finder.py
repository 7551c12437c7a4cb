"""Where an answer stands: spellings that say the same are found, and what only looks alike is not."""

from __future__ import annotations

import random
import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.text import finder
from twosup_chain.text.finder import find, stands_in, whole
from twosup_chain.text.folding import fold
from twosup_chain.text.words import words

STANDS = [
    # quotes, dashes, spaces, ligatures, invisible characters, composed and decomposed letters
    ("The station was designed by Kevin O’Brien.", "Kevin O'Brien", "Kevin O’Brien"),
    ("The strike lasted from 12–19 January.", "12-19 January", "12–19 January"),
    ("She called it “the old mill”.", '"the old mill"', "old mill"),
    ("The ﬁre spread to the ofﬁce.", "fire", "ﬁre"),
    ("The ﬁre spread to the ofﬁce.", "office", "ofﬁce"),
    ("The light\u00adhouse keeper left.", "lighthouse keeper", "light\u00adhouse keeper"),
    ("The light\u200bhouse keeper left.", "lighthouse", "light\u200bhouse"),
    ("It was painted by Zoe\u0308 Mu\u0308ller.", "Zoë Müller", "Zoe\u0308 Mu\u0308ller"),
    ("It was painted by Zoë Müller.", "Zoe\u0308 Mu\u0308ller", "Zoë Müller"),
    ("It was painted by Zoë Müller.", "zoe muller", "Zoë Müller"),
    ("The Straße was closed.", "STRASSE", "Straße"),
    ("Ｔｏｋｙｏ was first.", "Tokyo", "Ｔｏｋｙｏ"),
    ("a 30\u00a0km walk", "30 km", "30\u00a0km"),
    ("a 30\u202fkm walk", "30km", "30\u202fkm"),
    ("the well\u2011known bay", "well-known", "well\u2011known"),
    ("the well-known bay", "well known", "well-known"),
    # articles, possessives, abbreviations, initials, elision
    ("It was a lighthouse built in 1874.", "the lighthouse", "lighthouse"),
    ("Ada’s notes were long.", "Ada", "Ada’s"),
    ("the James' house", "James", "James"),
    ("He moved to the U.S. in May.", "US", "U.S."),
    ("He moved to the USA in May.", "U.S.A.", "USA"),
    ("by J. R. R. Tolkien in 1937", "J.R.R. Tolkien", "J. R. R. Tolkien"),
    ("by J.R.R. Tolkien in 1937", "J. R. R. Tolkien", "J.R.R. Tolkien"),
    ("It opened at 10 a.m. on Monday.", "10 am", "10 a.m."),
    ("a ship called L’Orient", "Orient", "L’Orient"),
    ("It was written in C++ first.", "C++", "C++"),
    # thousands, decimals, magnitudes
    ("1,500 people came", "1500", "1,500"),
    ("1 500 people came", "1,500 people", "1 500 people"),
    ("1\u202f500 people came", "1500 people", "1\u202f500 people"),
    ("1’500 people came", "1,500 people", "1’500 people"),
    ("1.500.000 people came", "1,500,000 people", "1.500.000 people"),
    ("12,34,567 rupees were found", "1234567 rupees", "12,34,567 rupees"),
    ("1.5 million people", "1,500,000 people", "1.5 million people"),
    ("a dose of 2,5 mg", "2.5 mg", "2,5 mg"),
    ("a share of .5", "0.5", ".5"),
    # money
    ("The town paid $15 million for it.", "$15 million", "$15 million"),
    ("The town paid $15 million for it.", "15 million dollars", "$15 million"),
    ("The town paid $15m for it.", "$15 million", "$15m"),
    ("The town paid £2bn for it.", "2 billion pounds", "£2bn"),
    ("It costs €3.50 a day.", "3,50 €", "€3.50"),
    ("It costs US$15 a day.", "$15", "$15"),
    ("The town paid $15\nmillion for it.", "$15 million", "$15\nmillion"),
    # percent, units, signs
    ("about 25% of them", "25 percent", "25%"),
    ("about 25 per cent of them", "25 %", "25 per cent"),
    ("about 25.0 percent of them", "25%", "25.0 percent"),
    ("It fell to −5 degrees.", "-5 degrees", "−5 degrees"),
    ("It fell to minus 5 degrees.", "-5 degrees", "minus 5 degrees"),
    ("It fell to -5°C.", "-5 degrees Celsius", "-5°C"),
    ("It fell to -5 degrees.", "-5", "-5"),
    ("a walk of 5 kilometres", "5 km", "5 kilometres"),
    ("25mg of it", "25 milligrams", "25mg"),
    # times, dates, fractions, ordinals, versions, decades, powers
    ("at 09:30 sharp", "9:30", "09:30"),
    ("on 9/11 it was", "9/11", "9/11"),
    ("a cup and ½ a spoon", "1/2", "½"),
    ("1½ cups of flour", "1 1/2 cups", "1½ cups"),
    ("in the 20th century", "20th century", "20th century"),
    ("in the 1990’s it was", "1990s", "1990’s"),
    ("since version 2.10 only", "2.10", "2.10"),
    ("since v2.10 only", "version 2.10".removeprefix("version "), "v2.10"),
    ("since 3.10.2 only", "3.10.2", "3.10.2"),
    ("in 1874’s winter", "1874", "1874’s"),
    ("about 10⁶ cells", "10^6", "10⁶"),
    # letters as names, and what is written together with them
    ("Oranges hold vitamin C.", "vitamin C", "vitamin C"),
    ("Carrots hold vitamin A.", "vitamin a", "vitamin A"),
    ("Carrots hold vitamin A.", "A", "A"),
    ("It is in Section A of the book.", "section A", "Section A"),
    ("They chose Plan B.", "B", "B"),
    ("Only groups A and C were asked.", "A and C", "A and C"),
    ("Procter & Gamble made it.", "Procter and Gamble", "Procter & Gamble"),
    ("They work for AT&T.", "AT&T", "AT&T"),
    ("It was 12 May 1998, 200 years on.", "12 May 1998", "12 May 1998"),
    ("It was May 5 1998.", "5 1998", "5 1998"),
    ("pages 5, 10 and 15", "10", "10"),
    ("They won 3–1 at home.", "3-1", "3–1"),
    ("a range of 5-10%", "5–10 percent", "5-10%"),
    ("The town paid $15 million for it.", "**$15 million**", "$15 million"),
    ("A-levels are taken in May.", "a-levels", "A-levels"),
    ("flown in a B-52 bomber", "B52", "B-52"),
    ("Vitamin B-12 is in meat.", "vitamin B12", "Vitamin B-12"),
    # scripts without spaces, and others
    ("首都は東京です。", "東京", "東京"),
    ("富士山は日本で一番高い山です。", "一番高い山", "一番高い山"),
    ("中国的首都是北京。", "北京", "北京"),
    ("เมืองหลวงคือกรุงเทพ", "กรุงเทพ", "กรุงเทพ"),
    ("수도는 서울은 아니다", "서울", "서울"),
    ("2020年に開いた", "2020年", "2020年"),
    ("כתבה את זה עדה לאבלייס בשנת 1843.", "עדה לאבלייס", "עדה לאבלייס"),
    ("भारत की राजधानी दिल्ली है", "दिल्ली", "दिल्ली"),
    ("Ёлка стоит в Москве.", "елка", "Ёлка"),
    ("in the year ١٩٨٧", "1987", "١٩٨٧"),
    ("The sign → points left.", "→", "→"),
]
STANDS_NOT = [
    ("The town paid $15 million for it.", "$1.5 million"),
    ("The town paid $1.5 million for it.", "$15 million"),
    ("The town paid $15 million for it.", "$15"),
    ("The town paid $15 million for it.", "€15 million"),
    ("The town paid US$15 for it.", "A$15"),
    ("They were given 25 mg of it.", "2.5 mg"),
    ("They were given 2.5 mg of it.", "5 mg"),
    ("They were given 25 mg of it.", "25 g"),
    ("The lowest was -5 degrees.", "5 degrees"),
    ("The lowest was −5 degrees.", "5 degrees"),
    ("The lowest was 5 degrees.", "-5 degrees"),
    ("Oranges hold vitamin C.", "vitamin A"),
    ("A vitamin is in oranges.", "vitamin A"),
    ("A ferry stopped.", "A"),
    ("Only groups B and C were asked.", "A and C"),
    ("She passed her O-levels.", "A-levels"),
    ("It is in Section B of a book.", "Section A"),
    ("Vitamin B12 is in meat.", "vitamin B"),
    ("Charles II was crowned.", "Charles I"),
    ("1,500 people came", "500 people"),
    ("1 500 people came", "500 people"),
    ("1,500 people came", "1.5"),
    ("11,500 people came", "1,500 people"),
    ("at 10:30 sharp", "10"),
    ("at 10:30 sharp", "30"),
    ("at 10:30 sharp", "10.30"),
    ("1½ cups of flour", "1/2 cups"),
    ("1½ cups of flour", "1"),
    ("a score of 1/2", "12"),
    ("since version 2.10 only", "2.1"),
    ("since 3.10.2 only", "3.10"),
    ("in the 20th century", "20 century"),
    ("in the 1990s it was", "1990"),
    ("about 10⁶ cells", "106"),
    ("about 10⁶ cells", "10"),
    ("about 25% of them", "25 mg"),
    ("the lighthouse keeper", "light"),
    ("written in C++ first", "C"),
    ("hé left", "her"),
    ("がある", "か"),
    ("Ada Lovelace", ""),
    ("Ada Lovelace", "the"),
    ("Ada Lovelace", "!!"),
]


@pytest.mark.parametrize(("passage", "answer", "quoted"), STANDS)
def test_an_answer_stands_in_any_spelling_that_says_the_same(passage, answer, quoted):
    assert [passage[start:end] for start, end in find(passage, answer)] == [quoted]


@pytest.mark.parametrize(("passage", "answer"), STANDS_NOT)
def test_what_only_looks_alike_does_not_stand(passage, answer):
    assert find(passage, answer) == []
    assert not stands_in([passage], answer)


def test_every_place_is_found_in_order():
    assert find("1911, then the bridge of 1911.", "1911") == [(0, 4), (25, 29)]
    assert find("Ada Ada Ada", "Ada Ada") == [(0, 7)]  # places do not overlap
    assert stands_in(["nobody", "Ada here"], "ada")


def test_a_range_that_cuts_through_a_number_is_widened():
    passage = "It fell by -2.5 mg, to $15 million."
    assert [passage[slice(*whole(passage, *span))] for span in [(14, 18), (23, 26), (0, 7), (24, 26)]] == [
        "-2.5 mg",
        "$15 million",
        "It fell",
        "15 million",
    ]


texts = st.text(max_size=40) | st.text(
    "aA bB1 25.,-'’/:$%°½²\u0301\u00ad\ufb01é\u304c\uac01\u0e01\u0e31I\u093f\u0939", max_size=25
)


@given(texts)
def test_a_text_stands_in_itself_if_it_has_a_word(text):
    if words(text):
        first, last = find(text, text)[0]
        assert (first, last) == (min(w.start for w in words(text)), max(w.end for w in words(text)))


@given(texts, texts)
def test_what_is_found_has_the_words_that_were_looked_for(passage, answer):
    for start, end in find(passage, answer):
        inside = [word for word in words(passage) if start <= word.start < word.end <= end]
        wanted = words(answer)
        assert [word.key for word in inside] == [word.key for word in wanted] or not wanted


@given(texts, texts)
def test_composition_does_not_matter(passage, answer):
    found = stands_in([passage], answer)
    for form in ("NFC", "NFD"):
        normal = unicodedata.normalize(form, passage), unicodedata.normalize(form, answer)
        assert stands_in([normal[0]], normal[1]) == found


@pytest.mark.parametrize(
    ("passage", "answer", "places"),
    [
        ("The harbour master opened Ada's lock. " * 60_000, "the harbour mistress", 0),
        ("Ada " * 40_000, "Ada", 40_000),
        ("Ada " * 40_000, "Ada " * 20_000 + "Bo", 0),
        ("1 " * 30_000 + "1.5 million, " * 15_000, "-7", 0),
        ("A. " * 100_000, "vitamin A", 0),
        ("-" * 90_000 + "½" * 30_000, "2/3", 0),
        ("a'" * 60_000 + "1,1" * 30_000, "x y", 0),
    ],
    ids=["long", "often", "repeated", "numbers", "letters", "signs", "odd"],
)
def test_time_grows_with_the_length_alone(passage, answer, places):
    began = time.process_time()
    assert len(find(passage, answer)) == places
    assert time.process_time() - began < 10.0  # half a second; what is not linear takes much longer


@given(texts)
def test_offsets_lie_in_the_text_and_hold_a_letter_digit_or_sign(text):
    for word in words(text):
        assert 0 <= word.start < word.end <= len(text)
        assert fold(text[word.start : word.end]).text.strip()


#: What is spelt in more ways than one, or is no word.
PIECES = re.findall(
    "[^|]+",
    "Ada's|l'Orient|O’Brien|U.S.|J. R. R.|Tolkien|vitamin|A|a|an|the|and|&|R&D|B-12|covid-19|25 mg|$1.5 million|1,500"
    "|kg|pounds|naïve|Straße|東京|に|한국|กรุง|C++|ii|III|x_y|word12|12word|(|,|–|well-known|d'Arc|’s|s|percent|100 %"
    "|10²|H₂O|°C|l|d'|e.g.|ﬁne|dollar|euro|degrees|%|№5|“it”",
)


def test_letters_alone_never_rule_out_a_place_that_there_is(monkeypatch) -> None:
    rng, quick = random.Random(0), finder._may_stand  # noqa: S311 (a drawing)
    found = 0
    for _ in range(3000):
        parts = rng.choices(PIECES, k=rng.randint(1, 12))
        passage = rng.choice([" ", "\n", ", ", ""]).join(parts)
        first = rng.randrange(len(parts))
        answer = rng.choice([" ", "-", " the ", ""]).join(parts[first : first + rng.randint(1, 4)])
        monkeypatch.setattr(finder, "_may_stand", lambda *_: True)
        places = find(passage, answer)
        monkeypatch.setattr(finder, "_may_stand", quick)
        assert find(passage, answer) == places, (passage, answer)
        found += bool(places)
    assert found > 1000
