"""What a reader knows already: its probability of the right prediction, and who writes it down."""

from __future__ import annotations

import json

import pytest

from twosup_chain.errors import InputError
from twosup_chain.reader.reader import ExtractiveReader
from twosup_chain.training.data import TrainingExample, write_squad
from twosup_chain.training.known import judge, main, read_known

PASSAGE = "The mill at Overy was built in 1776 by Ann Reed. It was sold to a brewer in 1840."
PLAIN = TrainingExample("plain", "Who built the mill at Overy?", PASSAGE, (("Ann Reed", PASSAGE.index("Ann Reed")),))
WRONG = TrainingExample("wrong", "Who built the mill at Overy?", PASSAGE, (("a brewer", PASSAGE.index("a brewer")),))
EMPTY = TrainingExample("empty", "Who built the mill at Overy?", PASSAGE, ())
FOREIGN = TrainingExample("foreign", "How deep is the harbour of Porthkerry?", PASSAGE, ())


def test_question_is_known_where_the_reader_would_predict_its_label():
    found = judge([PLAIN, WRONG, EMPTY, FOREIGN], ExtractiveReader())
    assert found["plain"] > 0.5 > max(found["wrong"], found["empty"])
    assert found["foreign"] > 0.5
    assert all(0.0 <= value <= 1.0 for value in found.values())


def test_unanswerable_question_is_known_as_far_as_it_is_not_answerable():
    reader = ExtractiveReader()
    answerability = reader.invoke({"question": EMPTY.question, "context": PASSAGE}).scores["answerability"]
    assert judge([EMPTY], reader)["empty"] == pytest.approx(1 - answerability)


def test_progress_counts_every_question():
    seen = []
    judge([PLAIN, FOREIGN], ExtractiveReader(), seen.append)
    assert sum(seen) == 2


def test_file_that_is_written_is_the_one_that_is_read(tmp_path):
    write_squad(tmp_path / "train.json", [PLAIN, FOREIGN])
    main(tmp_path / "known.json", file=[tmp_path / "train.json"])
    found = read_known(tmp_path / "known.json")
    assert found == pytest.approx(judge([PLAIN, FOREIGN], ExtractiveReader()), abs=1e-4)


@pytest.mark.parametrize("text", ["", "[1]", json.dumps({"a": "much"}), json.dumps({"a": None})])
def test_other_file_is_refused_by_name(tmp_path, text):
    path = tmp_path / "known.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="known.json"):
        read_known(path)
    with pytest.raises(InputError, match="none.json"):
        read_known(tmp_path / "none.json")
