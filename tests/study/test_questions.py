"""Compact data survive being written, and hold no text but answers."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pytest
from study.questions import Header, load, own_signals, save

from twosup_chain.schema import Answer, QAInput
from twosup_chain.scoring.features import features

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_written_is_read_again(tmp_path: Path, question) -> None:
    rng = np.random.default_rng(4)
    written = [question(rng, place) for place in range(5)]
    save(tmp_path / "data.jsonl.gz", Header(reader="r", remote="m"), written)
    header, found = load(tmp_path / "data.jsonl.gz")
    assert header.remote == "m"
    assert found == written


def test_the_same_data_give_the_same_bytes(tmp_path: Path, question) -> None:
    written = [question(np.random.default_rng(4), 0)]
    for name in ("a", "b"):
        save(tmp_path / name, Header(reader="r"), written)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_short_data_hold_no_id_and_no_answer(tmp_path: Path, question) -> None:
    save(tmp_path / "data", Header(reader="r"), [question(np.random.default_rng(4), 77)], short=True)
    (found,) = load(tmp_path / "data")[1]
    assert found.id == ""
    assert found.span.text == ""
    assert '"77"' not in gzip.decompress((tmp_path / "data").read_bytes()).decode()


def test_signals_that_both_sides_share_are_written_once_and_come_back(question) -> None:
    asked = QAInput(question="Who wrote the play?", context="Ada wrote the play in 1890. Bob saw it.")
    scores = {"answerability": 0.8, "null_probability": 0.1, "span_probability": 0.7, "null_margin": 2.0}
    span = {"text": "Ada", "start": 0, "end": 3, "document": 0, "probability": 0.7}
    local = Answer("Ada", scores=scores, candidates=(span,))
    remote = Answer("Ada", token_logprobs=[("Ada", -0.1, (("Ada", -0.1), ("Bob", -3.0)))])
    everything = features(asked, remote, local=local)
    line = question(np.random.default_rng(4), 0).model_copy(
        update={"local_signals": features(asked, local), "remote_signals": own_signals(everything)}
    )
    assert len(line.remote_signals) < len(everything)
    assert line.all_remote_signals == pytest.approx(everything)
