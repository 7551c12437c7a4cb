"""The demo's questions collected, evaluated and held against the demo itself: two ways to the same figures."""

from __future__ import annotations

import pytest

from twosup_chain import Supervisor, collect, evaluate
from twosup_chain.demo.recording import SAMPLE
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.demo.run import RECORDING, THRESHOLDS, DemoThresholds, run_demo
from twosup_chain.reader.reader import ExtractiveReader

pytestmark = pytest.mark.integration


def test_what_is_collected_and_evaluated_agrees_with_the_chain_that_ran(tmp_path):
    reader, remote = ExtractiveReader(), ReplayedAnswerer(recording=RECORDING)
    settings = DemoThresholds.load(THRESHOLDS)
    scorers = sorted({settings.local.scorer, settings.remote.scorer})
    done = collect(SAMPLE, local=reader, remote=remote, out=tmp_path / "records.jsonl", scorers=scorers)
    assert (done.recorded, done.failed) == (done.questions, 0)

    ran = run_demo(reader).summary
    figures = evaluate(
        tmp_path / "records.jsonl",
        local_supervisor=Supervisor(settings.local.scorer, threshold=settings.local.threshold),
        remote_supervisor=Supervisor(settings.remote.scorer, threshold=settings.remote.threshold),
    ).figures
    for name in ("chain", "local_only", "remote_only"):
        found, expected = getattr(figures.systems, name), getattr(ran, name)
        assert found.exact_match.value == pytest.approx(expected.exact_match)
        assert found.f1.value == pytest.approx(expected.f1)
    ends = {end.ending: end.questions for end in figures.endings}
    assert ends["local_answer"] + ends["local_no_answer"] == ran.sources["local"]
    assert ends["remote_answer"] + ends["remote_no_answer"] == ran.sources["remote"]
    assert ends["untrusted"] == ran.sources["none"]
    saved = figures.savings
    assert saved.calls.chain == ran.remote_calls
    assert saved.input_tokens.chain + saved.output_tokens.chain == ran.tokens.chain
    assert saved.input_tokens.saved + saved.output_tokens.saved == ran.tokens.saved
