"""``twosup collect``: its options, its summary, and what it says where something is missing."""

from __future__ import annotations

import json

import pytest
from langchain_core.language_models import GenericFakeChatModel

from twosup_chain import parts
from twosup_chain.answerers.chat import ChatAnswerer
from twosup_chain.cli import collect as command
from twosup_chain.collection.collect import Progress
from twosup_chain.outcomes.price import Price
from twosup_chain.records.lines import read_records
from twosup_chain.schema import Answer
from twosup_chain.testing import ScriptedAnswerer

USAGE = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.jsonl"
    lines = [
        {"id": "1", "question": "Who?", "context": "Ada.", "answers": ["Ada"]},
        {"id": "2", "question": "When?", "context": "Ada.", "answers": []},
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    return str(path)


@pytest.fixture
def remote(monkeypatch, local):
    """Puts a script in the hosted model's place; returns what it was asked for."""
    asked = []
    script = {"Who?": Answer("Ada", usage=USAGE, model="m"), "When?": TimeoutError("slow")}

    def answerer(*given, **_):
        asked.append(given)
        return ScriptedAnswerer(script=script)

    monkeypatch.setattr(parts, "remote_answerer", answerer)
    return asked


def test_the_summary_says_what_was_recorded_and_what_it_cost(twosup, data, remote, tmp_path):
    out = str(tmp_path / "r.jsonl")
    price = ("--price-in", "1", "--price-out", "10", "--currency", "EUR")
    result = twosup("collect", data, "--out", out, "--remote", "openai:m", *price)
    assert result.exit_code == 0
    assert "2 of 2 questions are in" in result.stdout
    assert "0.0020\N{NO-BREAK SPACE}EUR" in result.stdout
    assert "1,000 read and 100 written" in result.stdout
    assert "1 of them failed, and are left out of every figure: the same command asks them again" in result.stderr
    assert "the first of them: TimeoutError: slow" in result.stderr
    assert remote == [("openai:m", None, "top_logprobs")]


def test_json_is_one_document(twosup, data, remote, tmp_path):
    out = str(tmp_path / "r.jsonl")
    result = twosup("collect", data, "-o", out, "--remote", "m", "--limit", "1", "--json", "--no-text", "--no-logprobs")
    document = json.loads(result.stdout)
    assert (document["questions"], document["recorded"], document["failed"]) == (1, 1, 0)
    assert (document["cost"], document["currency"]) == (None, None)
    assert next(read_records(out)).question is None
    assert remote[0][2] is None


def test_models_that_chat_may_be_asked_as_a_conversation(twosup, data, remote, monkeypatch, tmp_path):
    hosted = ChatAnswerer(GenericFakeChatModel(messages=iter(["Ada"] * 2)))
    monkeypatch.setattr(parts, "remote_answerer", lambda *_, **__: hosted)
    for number, more in enumerate([(), ("--conversation",)]):
        out = tmp_path / f"{number}.jsonl"
        twosup("collect", data, "-o", str(out), "--remote", "openai:m", "--limit", "1", *more)
        assert ('"prompt"' in out.read_text().splitlines()[0]) == bool(more)


def test_the_demos_questions_come_with_their_recording(twosup, local, tmp_path):
    local.script.clear()
    result = twosup("collect", "demo:tuning", "-o", str(tmp_path / "r.jsonl"), "--limit", "3", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["questions"] == 3


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["data.jsonl"], "--remote is missing"),
        (["demo:none"], "demo:sample and demo:tuning are there"),
        (["demo:sample", "--remote", "m"], "demo:sample and demo:tuning are there"),
        (["data.jsonl", "--remote", "m", "--price-in", "1"], "--price-out is missing"),
        (["data.jsonl", "--remote", "m", "--price-out", "1"], "--price-in is missing"),
        (["data.jsonl", "--remote", "m", "--limit", "0"], "--limit"),
        (["none.json", "--remote", "m"], "cannot read none.json"),
    ],
)
def test_what_is_missing_is_named_in_one_line(twosup, remote, tmp_path, arguments, complaint):
    result = twosup("collect", *arguments, "-o", str(tmp_path / "r.jsonl"))
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "r.jsonl").exists()


@pytest.mark.parametrize(
    ("progress", "price", "expected"),
    [
        (Progress(done=0, total=9, failed=0, new=0, seconds=0.0, cost=None), None, ("", "", "")),
        (Progress(done=5, total=9, failed=0, new=4, seconds=2.0, cost=None), None, ("2/s", "", "")),
        (
            Progress(done=10, total=100_000, failed=3, new=10, seconds=1.0, cost=0.0123),
            Price(1, 1),
            ("10/s", "0.012\N{NO-BREAK SPACE}USD", "3 failed"),
        ),
    ],
)
def test_the_progress_shows_rate_cost_and_failures(progress, price, expected):
    assert command._facts(progress, price) == expected
