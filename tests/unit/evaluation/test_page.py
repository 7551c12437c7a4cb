"""The page: it needs nothing else, lets no text of a record become part of it, and says what the figures say."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from twosup_chain import Price, calibrate, evaluate
from twosup_chain.errors import InputError
from twosup_chain.evaluation.page import environment
from twosup_chain.evaluation.pictures import pictures

from .conftest import KINDS, entry

NASTY = "<script>alert(1)</script>\"'&amp;</title></style><img src=x onerror=alert(1)>\u202e\x00"


@pytest.fixture
def undrawn(monkeypatch):
    """Leaves the pictures out, which take most of the time."""
    monkeypatch.setattr("twosup_chain.evaluation.page.pictures", lambda _: iter(()))


@pytest.fixture
def nasty(write, supervisors):
    """A report on records whose every text tries to become part of the page."""
    trust = {"trust": {"s": 0.9}, "no_answer": False, "exact_match": 0.0, "f1": 0.0}
    prediction = {**trust, "text": NASTY, "model": NASTY, "seconds": 1.0}
    record = entry(0, id=NASTY, question=NASTY, answers=[NASTY, "b"], local=(0.9, 0))
    record |= {"local": prediction, "remote": prediction}
    return evaluate(write([record]), **supervisors())


def test_the_page_loads_nothing_and_runs_nothing_but_its_own_script(write, supervisors):
    html = evaluate(write(KINDS), **supervisors(), price=Price(10, 100)).as_html()
    assert html.startswith("<!doctype html>\n")
    data, script = re.findall(r"<script([^>]*)>(.*?)</script>", html, re.DOTALL)
    assert data[0] == ' type="application/json" id="explorer-data"'
    assert script[0] == ""
    digest = b64encode(sha256(script[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert f'Content-Security-Policy" content="{policy}"' in html
    assert "innerHTML" not in script[1]
    assert not re.search(r'\b(?:src|srcset|data|action)="|@import|url\((?!#)|<link|<iframe|<object', html)
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', html))
    assert not re.search(r"\son\w+=", html)


def test_no_text_of_a_record_becomes_part_of_the_page(nasty, parse, undrawn):
    html = nasty.as_html()
    page = parse(html)
    assert "img" not in page.tags
    assert page.tags.count("script") == 2
    assert page.tags.count("style") == page.tags.count("title") == 1
    assert page.text.count("<script>alert(1)</script>") >= 5
    assert "\x00" not in html
    html.encode()


def test_the_data_of_the_script_are_those_of_the_records_and_cannot_end_their_element(nasty, undrawn):
    data = re.search(r'id="explorer-data">(.*?)</script>', nasty.as_html(), re.DOTALL)[1]
    assert not set("<>&") & set(data)
    (question,) = json.loads(data)["questions"]
    assert (question["question"], question["local"], question["passage"]) == (NASTY, NASTY, None)


def test_a_text_cannot_turn_the_words_around_it(nasty, undrawn):
    html = nasty.as_html()
    assert html.count("\u202e") > 0
    assert all(re.search(r"<bdi>[^<]*$", html[: match.start()]) for match in re.finditer("\u202e", html))


@given(text=st.text())
def test_no_text_opens_a_tag_or_leaves_an_attribute(text):
    html = environment().from_string('<p title="{{ text }}">{{ text }}</p>').render(text=text)
    assert html.count("<") == html.count(">") == 2
    assert html.count('"') == 2
    html.encode()


@pytest.mark.parametrize("unknown", ["\ud800", "\x00", "\x9f", "\x7f"])
def test_what_html_does_not_know_is_replaced(unknown):
    assert environment().from_string("<p>{{ text }}</p>").render(text=unknown) == "<p>\N{REPLACEMENT CHARACTER}</p>"


def test_a_template_that_asks_for_a_value_that_is_not_there_is_an_error():
    with pytest.raises(UndefinedError):
        environment().from_string("{{ figure }}").render()


def test_every_table_has_headings_for_its_rows_and_columns(write, supervisors, parse, undrawn):
    page = parse(evaluate(write(KINDS), **supervisors()).as_html())
    tables = page.tags.count("table")
    assert tables >= 6
    assert page.tags.count("thead") == page.tags.count("tbody") == tables
    assert page.attributes.count(("scope", "row")) == page.tags.count("tr") - tables
    assert page.attributes.count(("scope", "col")) + page.attributes.count(("scope", "row")) == page.tags.count("th")


def test_the_page_says_what_the_figures_say(write, supervisors, parse, undrawn):
    report = evaluate(write(KINDS), **supervisors(), price=Price(10, 100, "EUR"))
    text = parse(report.as_html()).text
    for words in (
        "8 labelled questions",
        "5 questions sent to the hosted model in place of 8",
        "1,000 questions cost 1.25 EUR in place of 2.00 EUR",
        "hosted calls8 5 3 37.5 %".replace(" ", ""),
        "quicker than the hosted model alone as long as at most 75.0 % of the questions are sent",
        "sent to it; here it is 62.5 %",
        "The local model was trusted, and is wrong: 1",
        "said “said 3”",
        "accepted: Ada 3",
        "8 questions are few",
    ):
        assert words.replace(" ", "") in text.replace(" ", ""), words


def test_without_price_and_texts_the_page_says_so(write, supervisors, parse, undrawn):
    text = parse(evaluate(write([entry(0, local=(0.9, 0), text=False)]), **supervisors()).as_html()).text
    assert "No price was given" in text
    assert "(texts were not recorded)" in text
    assert "q0" in text


def test_without_matplotlib_the_page_says_what_would_bring_the_pictures(write, supervisors, parse, monkeypatch):
    monkeypatch.setattr("twosup_chain.evaluation.pictures.find_spec", lambda _: None)
    page = parse(evaluate(write(KINDS), **supervisors()).as_html())
    assert "svg" not in page.tags
    assert "pip install 'twosup-chain[plot]'" in page.text


def test_the_pictures_are_there_where_the_data_have_what_they_show(write, supervisors):
    pytest.importorskip("matplotlib")
    free = evaluate(write(KINDS), **supervisors())
    priced = evaluate(write(KINDS), **supervisors(), price=Price(10, 100))
    gratis = evaluate(write(KINDS), **supervisors(), price=Price(0, 0))
    assert [len(list(pictures(report))) for report in (free, priced, gratis)] == [3, 4, 3]


def test_with_a_calibration_the_page_holds_its_promises_and_its_picture(write, parse):
    pytest.importorskip("matplotlib")
    many = [entry(i, local=((i % 10) / 10, i % 10 > 2), remote=(0.5, i % 4 > 0)) for i in range(300)]
    found = calibrate(write(many), risk=0.3, confidence=0.9, local_scorer="s", remote_scorer="s")
    report = evaluate(write(many[:250]), calibration=found)
    assert len(list(pictures(report))) == 4
    text = parse(report.as_html()).text
    assert "The calibration promises, with 90 % confidence, that every limit is kept" in text
    assert "selective risk ≤ 30.0 %".replace(" ", "") in text.replace(" ", "")
    plug_in = calibrate(write(many), risk=0.3, local_scorer="s", remote_scorer="s")
    assert "without a guarantee" in parse(evaluate(write(many[:250]), calibration=plug_in).as_html()).text


def test_the_files_are_written_into_a_new_folder_and_a_file_in_its_place_is_an_error(
    write, supervisors, tmp_path, undrawn
):
    report = evaluate(write(KINDS), **supervisors())
    path = report.save(tmp_path / "a" / "b")
    assert sorted(file.name for file in path.parent.iterdir()) == ["figures.json", "report.html"]
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write to"):
        report.save(tmp_path / "file")
