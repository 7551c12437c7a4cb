"""The demo's report: every question's outcome, and figures that can be checked by hand."""

from __future__ import annotations

import json

import pytest

from twosup_chain.demo.recording import Header, record
from twosup_chain.demo.run import DemoReport, DemoThresholds, run_demo
from twosup_chain.errors import InputError, UnknownOptionError
from twosup_chain.schema import Answer
from twosup_chain.testing import ScriptedAnswerer
from twosup_chain.text.questions import load_questions

CONTEXT = "Ada wrote the first program in 1843."
QAS = [
    ("Who?", ["Ada"]),  # trusted local answer, right
    ("When?", ["1843"]),  # escalated, the hosted model is right
    ("Where?", []),  # trusted local no-answer, right
    ("Why?", []),  # nobody is trusted; counts as "no answer", right
]
LOCAL = {
    "Who?": Answer("Ada", scores={"answerability": 0.9}, start=0, end=3, document=0, seconds=0.01),
    "When?": Answer("Ada", scores={"answerability": 0.5}),
    "Where?": Answer(None, scores={"answerability": 0.1}),
    "Why?": Answer("Ada wrote", scores={"answerability": 0.5}),
}


def hosted(text, logprob, seconds):
    usage = {"input_tokens": 90, "output_tokens": 10, "total_tokens": 100}
    return Answer(text, token_logprobs=(logprob,), usage=usage, seconds=seconds, model="m-1")


REMOTE = {
    "Who?": hosted("Ada wrote", -0.1, 1.0),
    "When?": hosted("1843", -0.1, 2.0),
    "Where?": hosted("1843", -0.1, 4.0),
    "Why?": hosted("1843", -3.0, 8.0),
}


@pytest.fixture
def files(tmp_path):
    """Returns the paths of a small sample, its recording and its thresholds, as `run_demo` takes them."""
    qas = [
        {"id": question, "question": question, "answers": [{"text": text, "answer_start": 0} for text in golds]}
        for question, golds in QAS
    ]
    data = tmp_path / "sample.json"
    data.write_text(json.dumps({"data": [{"title": "Ada", "paragraphs": [{"context": CONTEXT, "qas": qas}]}]}))
    recording = tmp_path / "recording.jsonl"
    header = Header(model="m-1", server="s", recorded="2026-01-31", messages=(), sampling={})
    questions = [example.as_input() for example in load_questions(data)]
    record(ScriptedAnswerer(script=REMOTE), questions, recording, header)
    thresholds = tmp_path / "thresholds.json"
    settings = {
        "local": {"scorer": "answerability", "threshold": 0.8},
        "remote": {"scorer": "min_token_probability", "threshold": 0.5},
        "fixed_on": "other questions",
    }
    thresholds.write_text(json.dumps(settings))
    return {"data": data, "recording": recording, "thresholds": thresholds}


@pytest.fixture
def local():
    return ScriptedAnswerer(script=LOCAL)


@pytest.fixture
def report(files, local):
    return run_demo(local, **files)


def test_tells_who_answered_every_question_and_how(report):
    assert [(q.id, q.source, q.status, q.answer) for q in report.questions] == [
        ("Who?", "local", "answered", "Ada"),
        ("When?", "remote", "answered", "1843"),
        ("Where?", "local", "unanswerable", None),
        ("Why?", "none", "untrusted", None),
    ]


def test_keeps_both_predictions_and_verdicts_of_an_escalated_question(report):
    question = report.questions[3]
    assert (question.local_answer, question.remote_answer) == ("Ada wrote", "1843")
    assert (question.local_verdict.score, question.local_verdict.trusted) == (0.5, False)
    assert question.remote_verdict.score == pytest.approx(0.0498, abs=1e-4)
    assert report.questions[0].remote_verdict is None


def test_places_an_answer_in_its_passage(report):
    assert [(q.start, q.end) for q in report.questions] == [(0, 3), (31, 35), (None, None), (None, None)]


def test_scores_every_question_by_the_official_rule(report):
    assert [q.exact_match for q in report.questions] == [1.0, 1.0, 1.0, 1.0]
    assert [q.golds for q in report.questions] == [("Ada",), ("1843",), (), ()]


def test_counts_sources_statuses_and_calls(report):
    summary = report.summary
    assert summary.sources == {"local": 2, "remote": 1, "none": 1}
    assert summary.shares == {"local": 0.5, "remote": 0.25, "none": 0.25}
    assert summary.statuses == {"answered": 2, "unanswerable": 1, "untrusted": 1}
    assert (summary.questions, summary.remote_calls) == (4, 2)


def test_compares_the_chain_with_each_model_alone(report):
    summary = report.summary
    assert (summary.chain.exact_match, summary.chain.f1) == (1.0, 1.0)
    assert (summary.local_only.exact_match, summary.local_only.f1) == (0.5, 0.5)
    assert summary.remote_only.exact_match == 0.25
    assert summary.remote_only.f1 == pytest.approx((2 / 3 + 1) / 4)
    assert summary.chain.exact_match_interval == (1.0, 1.0)
    assert summary.remote_only.exact_match_interval == (0.0, 0.75)


def test_adds_up_the_tokens_of_the_calls_that_were_made_and_of_all(report):
    tokens = report.summary.tokens
    assert (tokens.remote_only, tokens.chain, tokens.saved) == (400, 200, 200)


def test_adds_up_recorded_seconds_and_measures_what_is_waited(report):
    seconds = report.summary.seconds
    assert seconds.remote_only == 15.0
    assert seconds.chain == 10.0  # those of the two calls
    assert report.summary.waited > 0.0
    assert seconds.saved == seconds.remote_only - seconds.chain


def test_asks_the_local_model_several_questions_at_once_and_tells_how_far_it_is(files, local, monkeypatch):
    monkeypatch.setattr("twosup_chain.demo.run._PORTION", 3)
    seen = []
    run_demo(local, **files, progress=lambda done, total: seen.append((done, total)))
    assert local.calls == [[question for question, _ in QAS[:3]], [QAS[3][0]]]
    assert seen == [(3, 4), (4, 4)]


def test_survives_a_round_trip_through_json(report):
    assert DemoReport(**json.loads(report.model_dump_json())) == report


def test_a_sample_that_was_not_recorded_is_an_error(files, local):
    text = files["data"].read_text()
    files["data"].write_text(text.replace("Who?", "Whose?"))
    with pytest.raises(InputError, match="holds no answer to question Whose"):
        run_demo(local, **files)


@pytest.mark.parametrize(
    "settings",
    [
        "{",
        "[]",
        '{"local": 1, "remote": 1, "fixed_on": ""}',
        '{"fixed_on": "x"}',
    ],
)
def test_bad_thresholds_are_an_error_that_names_the_file(tmp_path, settings):
    path = tmp_path / "thresholds.json"
    path.write_text(settings)
    with pytest.raises(InputError, match=r"thresholds\.json"):
        DemoThresholds.load(path)


def test_an_unknown_scorer_is_an_error(files, local):
    text = files["thresholds"].read_text()
    files["thresholds"].write_text(text.replace("answerability", "answerabilty"))
    with pytest.raises(UnknownOptionError, match="answerability"):
        run_demo(local, **files)
