"""Playing a recording back."""

from __future__ import annotations

import pytest

from twosup_chain.demo.recording import Header, RecordedAnswer, Recording, digest
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.schema import Answer, QAInput

ASKED = QAInput("Who?", "Ada wrote it.", id="q-1")
ADA = Answer("Ada", token_logprobs=(-0.25,), seconds=0.5, model="m-1")


@pytest.fixture
def recording():
    header = Header(model="m-1", server="s", recorded="2026-01-31", messages=(), sampling={})
    return Recording(header=header, lines=(RecordedAnswer(id="q-1", digest=digest(ASKED), answer=ADA),))


def test_returns_what_was_recorded_with_all_its_evidence(recording):
    assert ReplayedAnswerer(recording=recording).invoke(ASKED) == ADA


def test_finds_an_answer_without_the_id(recording):
    asked = {"question": ASKED.question, "context": [ASKED.context]}
    assert ReplayedAnswerer(recording=recording).invoke(asked) == ADA


def test_reads_a_recording_from_its_file(recording, tmp_path):
    path = tmp_path / "recording.jsonl"
    path.write_text("".join(f"{line.model_dump_json()}\n" for line in (recording.header, *recording.lines)))
    assert ReplayedAnswerer(recording=path).invoke(ASKED) == ADA


@pytest.mark.parametrize("asked", [QAInput("When?", ASKED.context, id="q-2"), QAInput("Who?", "Eve did.", id="q-1")])
def test_a_question_that_was_not_recorded_is_an_error_that_names_it_and_the_cure(recording, asked):
    replayed = ReplayedAnswerer(recording=recording)
    with pytest.raises(InputError, match=rf"m-1 holds no answer to question {asked.id}.*demo\.recording"):
        replayed.invoke(asked)


def test_in_a_batch_only_the_missing_question_fails(recording):
    found, missing = ReplayedAnswerer(recording=recording).batch([ASKED, "Who?"], return_exceptions=True)
    assert found == ADA
    assert isinstance(missing, InputError)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises((InputError, ConfigurationError), match="cannot read"):
        ReplayedAnswerer(recording=tmp_path / "none.jsonl")
