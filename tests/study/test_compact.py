"""Compact data are made from recordings and a live reader, and the command line makes them."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from study.columns import Columns
from study.questions import load

from twosup_chain import demo
from twosup_chain.demo.recording import load as load_recording
from twosup_chain.scoring.token_probability import min_token_probability
from twosup_chain.text.questions import load_questions
from twosup_chain.text.squad import exact_match

pytestmark = pytest.mark.integration

DEMO = Path(demo.__file__).parent
STUDY = Path(__file__).parents[2] / "examples" / "study"


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    found = tmp_path_factory.mktemp("compact") / "tuning.jsonl.gz"
    recording = DEMO / "tuning_recording.jsonl"
    command = [sys.executable, str(STUDY), "compact", "--data", str(DEMO / "tuning.json"), "--remote", str(recording)]
    done = subprocess.run([*command, "--out", str(found)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{found}: 144 questions" in done.stdout
    return found


def test_the_columns_say_what_the_recording_says(path: Path) -> None:
    header, questions = load(path)
    columns = Columns.of(questions)
    recording = load_recording(DEMO / "tuning_recording.jsonl")
    examples = {example.id: example for example in load_questions(DEMO / "tuning.json")}
    assert header.remote == recording.header.model
    for place, line in enumerate(recording.lines[:20]):
        row = [question.id for question in questions].index(line.id)
        example = examples[line.id]
        assert columns.remote.exact[row] == exact_match(line.answer.text, example.answers), place
        least = min_token_probability(example.as_input(), line.answer)
        assert columns.remote.least[row] == pytest.approx(least, rel=1e-3)
        assert columns.remote.output_tokens[row] == line.answer.usage["output_tokens"]
    assert np.isfinite(columns.local_signals["backed"]).all()
    assert np.isfinite(columns.remote_signals["backed"]).all()


def test_no_text_but_answers_is_kept(path: Path) -> None:
    raw = gzip.decompress(path.read_bytes()).decode()
    for example in load_questions(DEMO / "tuning.json"):
        assert example.question not in raw
        assert example.context[:60] not in raw
