"""The demo as it is shipped: every outcome occurs, and the chain is at least as good as either model alone."""

from __future__ import annotations

import pytest

from twosup_chain.demo.recording import SAMPLE, load
from twosup_chain.demo.run import RECORDING, THRESHOLDS, DemoThresholds, run_demo
from twosup_chain.text import squad
from twosup_chain.text.questions import load_questions

pytestmark = pytest.mark.integration

TUNING = SAMPLE.with_name("tuning.json")


@pytest.fixture(scope="module")
def report():
    return run_demo()


def test_local_remote_and_no_answer_all_occur(report) -> None:
    assert all(report.summary.sources[source] > 0 for source in ("local", "remote", "none"))
    assert sum(report.summary.sources.values()) == report.summary.questions == len(report.questions) >= 120


def test_the_chain_is_at_least_as_good_as_either_model_alone(report) -> None:
    summary = report.summary
    for alone in (summary.local_only, summary.remote_only):
        assert summary.chain.exact_match >= alone.exact_match
        assert summary.chain.f1 >= alone.f1


def test_the_thresholds_were_fixed_on_other_questions(report) -> None:
    sample, tuning = load_questions(SAMPLE), load_questions(TUNING)
    assert not {example.context for example in sample} & {example.context for example in tuning}
    assert not {example.question for example in sample} & {example.question for example in tuning}
    assert DemoThresholds.load(THRESHOLDS) == report.thresholds


def test_savings_are_what_the_hosted_model_was_not_asked(report) -> None:
    recorded = {line.id: line.answer for line in load(RECORDING).lines}
    spared = [recorded[q.id] for q in report.questions if q.remote_verdict is None]
    assert report.summary.tokens.saved == sum(answer.usage["total_tokens"] for answer in spared)
    assert report.summary.remote_calls == len(recorded) - len(spared)


def test_the_figures_are_those_of_the_questions(report) -> None:
    for question in report.questions:
        assert question.exact_match == squad.exact_match(question.answer, question.golds)
    mean = sum(question.f1 for question in report.questions) / len(report.questions)
    assert report.summary.chain.f1 == pytest.approx(mean)
