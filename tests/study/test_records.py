"""Records are made from recordings and a live reader by the command line, hold no text, and say what chains do."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from study.live import live
from study.ours import Ours
from study.records import make, restored, unpack

from twosup_chain import ExtractiveReader, demo
from twosup_chain.demo.recording import SAMPLE
from twosup_chain.demo.recording import load as load_recording
from twosup_chain.demo.run import RECORDING as SAMPLE_RECORDING
from twosup_chain.records.lines import read_records
from twosup_chain.text.questions import load_questions
from twosup_chain.text.squad import exact_match

pytestmark = pytest.mark.integration

DEMO = Path(demo.__file__).parent
RECORDING, DATA = DEMO / "tuning_recording.jsonl", DEMO / "tuning.json"
STUDY = Path(__file__).parents[2] / "examples" / "study"


def made(out: Path, *options: str) -> Path:
    command = [sys.executable, str(STUDY), "records", str(DATA), "--remote", str(RECORDING), "--out", str(out)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{out}: 144 questions" in done.stdout
    return out


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Path:
    return made(tmp_path_factory.mktemp("records") / "tuning.jsonl.gz")


def test_the_records_say_what_the_recording_says(packed: Path, tmp_path: Path) -> None:
    questions = {question.id: question for question in load_questions(DATA)}
    right = {
        line.id: exact_match(line.answer.text, questions[line.id].answers) for line in load_recording(RECORDING).lines
    }
    found = list(read_records(unpack(packed, tmp_path)))
    assert sum(record.remote.exact_match for record in found) == sum(right.values())
    assert not any(record.local.no_answer for record in found)
    assert all({"backed", "token_min", "local_backed"} <= record.remote.features.keys() for record in found)


def test_no_text_is_kept(packed: Path) -> None:
    raw = gzip.decompress(packed.read_bytes()).decode()
    assert '"text"' not in raw
    for question in load_questions(DATA):
        assert question.question not in raw
        assert question.context[:60] not in raw


def test_with_a_recording_in_the_readers_place_the_features_of_its_tokens_alone_are_kept(tmp_path: Path) -> None:
    out = made(tmp_path / "small.jsonl.gz", "--local", str(RECORDING))
    for record in read_records(unpack(out, tmp_path)):
        assert all(name.startswith("token_") or name == "no_answer" for name in record.local.features)
        assert record.local.f1 == record.remote.f1


def test_a_reader_can_take_the_hosted_models_place_and_nothing_is_kept_twice(packed: Path, tmp_path: Path) -> None:
    out, reader = tmp_path / "hosted.jsonl.gz", ExtractiveReader(no_answer_below=0.0)
    assert make(load_questions(DATA), reader, [RECORDING], out, hosted=reader, known=[packed]) == 144
    assert out.stat().st_size < packed.stat().st_size / 3
    whole, hosted = (list(read_records(path)) for path in restored([packed, out], tmp_path))
    for record, found in zip(whole, hosted, strict=True):
        assert found.remote.model == found.local.model == reader.label
        assert found.local.features.keys() == record.local.features.keys()
        assert found.remote.features["local_answerability"] == found.local.features["answerability"]
        assert found.remote.features["agreement"] == 1.0


def test_the_chains_asked_live_end_every_question_as_by_the_records(tmp_path: Path) -> None:
    questions = [*load_questions(DATA), *load_questions(SAMPLE)]
    both = tmp_path / "both.jsonl"
    both.write_text(RECORDING.read_text() + "".join(SAMPLE_RECORDING.read_text().splitlines(keepends=True)[1:]))
    packed = tmp_path / "packed.jsonl.gz"
    assert make(questions, ExtractiveReader(no_answer_below=0.0), [both], packed) == 288
    found = list(live(Ours(unpack(packed, tmp_path), tmp_path), questions, both, 0.6))
    assert sum(fold.questions for fold in found) == 288
    assert all(fold.alike == fold.questions for fold in found)
