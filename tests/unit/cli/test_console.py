"""What every text passes before it is shown: control characters, keys, encodings."""

from __future__ import annotations

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from twosup_chain._secrets import scrub
from twosup_chain.cli.console import clean, fail, note, print_json, show
from twosup_chain.cli.tables import table


class _File(io.TextIOWrapper):
    """A text file in memory that has an encoding, as a terminal or a pipe has."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    def text(self) -> str:
        return self.buffer.getvalue().decode(self.encoding)


@pytest.fixture
def piped(monkeypatch):
    def pipe(encoding: str = "utf-8") -> _File:
        file = _File(encoding)
        monkeypatch.setattr(sys, "stdout", file)
        monkeypatch.setattr(sys, "stderr", file)
        return file

    return pipe


@given(st.text(st.characters(codec="utf-8")))
def test_clean_text_has_the_same_length_and_no_control_characters_but_tabs_and_line_feeds(text):
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert not any((ord(c) < 32 and c not in "\t\n") or 0x7F <= ord(c) < 0xA0 for c in cleaned)


def test_cleaning_leaves_other_text_alone():
    text = "שלום [b] 東京 naïve\tone\ntwo — “three” 🙂"
    assert clean(text) == text


def test_an_escape_sequence_stays_visible_without_its_power():
    assert clean("\x1b[2Jx\x07") == "␛[2Jx␇"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Incorrect API key provided: sk-abcdefgh12345.", "Incorrect API key provided: ***."),
        ("Incorrect API key provided: sk-proj-**********wxyz", "Incorrect API key provided: ***"),
        ("http://user:hunter2@host/v1 is down", "http://***@host/v1 is down"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("nvapi-A1b2C3d4E5f6_G7-h8", "***"),
        ("gsk_A1b2C3d4E5f6G7h8", "***"),
        ("fw_3ZA1b2C3d4E5f6G7h8", "***"),
        ("AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q", "***"),
        ("key 0123456789abcdef0123456789ABCDEF is wrong", "key *** is wrong"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "***"),
        ("GET https://host/v1?key=A1b2C3&alt=sse", "GET https://host/v1?key=***&alt=sse"),
        ("Incorrect API key provided: Q7wErTyU.", "Incorrect API key provided: ***."),
        ("{'api_key': 'Q7wErTyUiOp'}", "{'api_key': '***'}"),
        ("nothing to hide: a risk-free task, desk-top", "nothing to hide: a risk-free task, desk-top"),
        ("the API key: environment variables hold it", "the API key: environment variables hold it"),
        ("sk-learn is no key_value store, fw_update neither", "sk-learn is no key_value store, fw_update neither"),
        ("sha256 " + 64 * "a" + " of reader@0123456789ab", "sha256 " + 64 * "a" + " of reader@0123456789ab"),
    ],
)
def test_what_looks_like_a_key_is_taken_out(text, expected):
    assert scrub(text) == expected


def test_keys_of_the_environment_are_taken_out_whatever_they_look_like(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "plain-but-secret")
    monkeypatch.setenv("SOME_TOKEN", "plain-but-secret-and-longer")
    assert scrub("a plain-but-secret b plain-but-secret-and-longer c") == "a *** b *** c"


def test_a_short_value_of_the_environment_does_not_eat_the_text(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    assert scrub("next example") == "next example"


def test_json_is_one_document_that_keeps_its_characters(piped):
    file = piped()
    print_json({"answer": "אדה\n東京 [x]"})
    assert json.loads(file.text()) == {"answer": "אדה\n東京 [x]"}
    assert "東京" in file.text()


def test_json_is_ascii_where_stdout_is(piped):
    file = piped("ascii")
    print_json({"answer": "東京"})
    assert file.text().isascii()
    assert json.loads(file.text()) == {"answer": "東京"}


def test_json_has_no_numbers_that_json_does_not_know(piped):
    piped()
    with pytest.raises(ValueError, match="JSON"):
        print_json({"x": float("nan")})


def test_an_error_is_one_line_without_escape_codes_in_a_pipe(piped):
    file = piped()
    fail("first [red]line[/red]\n  second \x1b[31mline " + "x" * 300)
    assert file.text() == "error: first [red]line[/red] second ␛[31mline " + "x" * 300 + "\n"


def test_an_encoding_that_lacks_a_character_is_no_crash(piped):
    file = piped("ascii")
    fail("東京")
    show("4.2\N{NO-BREAK SPACE}% of 1\N{NARROW NO-BREAK SPACE}000")
    assert file.text() == "error: ??\n4.2 % of 1 000\n"


def test_lines_in_a_pipe_have_no_blanks_at_their_ends(piped):
    file = piped()
    show(Padding("a", (0, 0, 0, 2)), "b")
    assert file.text() == "  a\nb\n"


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egpj.exe\u2066\x08x"
_FORBIDDEN = set("\x1b\x07\x9b\x08\u202e\u2066")


@pytest.mark.parametrize(
    "shown",
    [
        HOSTILE,
        Text(HOSTILE),
        Text.assemble((HOSTILE, "bold red")),
        table((HOSTILE, ">" + HOSTILE), [(HOSTILE, Text(HOSTILE))]),
        Padding(HOSTILE, (0, 2)),
        Panel(HOSTILE, title=HOSTILE),
        Group(HOSTILE, Text(HOSTILE)),
    ],
)
def test_nothing_that_is_shown_can_drive_a_terminal_however_it_is_put_together(piped, shown):
    file = piped()
    show(shown)
    assert not _FORBIDDEN & set(file.text())
    assert "gpj.exe" in file.text()


def test_remarks_errors_and_json_cannot_either(piped):
    file = piped()
    note(HOSTILE)
    fail(HOSTILE)
    print_json({HOSTILE: [HOSTILE]})
    text = file.text()
    assert not _FORBIDDEN & set(text)
    assert json.loads(text[text.index("{") :]) == {HOSTILE: [HOSTILE]}


def test_a_mark_of_direction_keeps_its_place_without_its_power():
    assert clean("a\u200fb\u202ec\u2028d") == "a\u2060b\ufffdc d"


def test_a_remark_holds_no_key(piped):
    file = piped()
    note("asked again without logprobs: sk-abcdefgh12345 refused")
    assert "sk-abc" not in file.text()


def test_what_is_for_a_closed_stderr_does_not_go_to_stdout(piped, monkeypatch):
    file = piped()
    monkeypatch.setattr(sys, "stderr", None)
    note("a remark")
    fail("an error")
    assert not file.text()
