"""The official SQuAD v2 measures on hand-made cases, and files that are or are not in SQuAD format."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.errors import InputError
from twosup_chain.text.squad import exact_match, f1, load, normalize_answer


@pytest.mark.parametrize(
    ("prediction", "golds", "em", "score"),
    [
        ("the Eiffel Tower!", ["Eiffel tower"], 1.0, 1.0),
        ("Eiffel", ["Eiffel Tower"], 0.0, 2 / 3),
        ("in Paris", ["Paris", "the city of Paris"], 0.0, 2 / 3),
        (None, [], 1.0, 1.0),
        ("", [], 1.0, 1.0),
        ("Paris", [], 0.0, 0.0),
        (None, ["Paris"], 0.0, 0.0),
        ("the", [], 1.0, 1.0),
        ("Paris", ["the", "Paris"], 1.0, 1.0),
        ("1,000", ["1000"], 1.0, 1.0),
        ("a b b", ["b b c"], 0.0, 0.8),
        ("Paris", ["!"], 0.0, 0.0),
    ],
)
def test_exact_match_and_f1_follow_the_official_script(prediction, golds, em, score) -> None:
    assert exact_match(prediction, golds) == em
    assert f1(prediction, golds) == pytest.approx(score)


@given(st.text(), st.lists(st.text(), max_size=3))
def test_f1_is_at_least_exact_match_and_both_lie_in_0_to_1(prediction, golds) -> None:
    assert 0.0 <= exact_match(prediction, golds) <= f1(prediction, golds) <= 1.0


@given(st.text())
def test_normalisation_is_idempotent_and_a_text_matches_itself(text) -> None:
    assert normalize_answer(normalize_answer(text)) == normalize_answer(text)
    assert exact_match(text, [text]) == 1.0


@pytest.mark.parametrize("compress", [False, True])
def test_load_reads_both_versions_plain_or_gzipped(tmp_path, compress) -> None:
    qas = [
        {"id": "1", "question": "q?", "answers": [{"text": "c", "answer_start": 0}], "is_impossible": False},
        {"id": 2, "question": "r?", "answers": [], "is_impossible": True},
        {"id": "3", "question": "s?", "answers": [{"text": "c", "answer_start": 0}]},
    ]
    raw = json.dumps({"data": [{"title": "t", "paragraphs": [{"context": "c", "qas": qas}]}]}).encode()
    path = tmp_path / "squad.json"
    path.write_bytes(gzip.compress(raw) if compress else raw)
    examples = load(path)
    assert [(e.id, e.answers, e.is_impossible, e.title) for e in examples] == [
        ("1", ("c",), False, "t"),
        ("2", (), True, "t"),
        ("3", ("c",), False, "t"),
    ]
    assert examples[0].as_input().passages == ("c",)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"data": [{}]}', b'{"data": 3}', b"\x1f\x8bnot gzip", gzip.compress(b"{}")[:-4], b"\xff\xfe"],
)
def test_a_file_that_is_not_squad_is_named(tmp_path, content) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.json"):
        load(path)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        load(tmp_path / "missing.json")
