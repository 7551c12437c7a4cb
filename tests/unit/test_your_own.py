"""Parts from a file outside the package stand wherever packaged ones do: collect, calibrate, evaluate, the chain."""

from __future__ import annotations

import asyncio

import pytest
from typer.testing import CliRunner

from twosup_chain import Calibration, Supervisor, TwoSupervisorChain, calibrate, check, collect, evaluate
from twosup_chain._own import load_own
from twosup_chain.calibration.table import as_text
from twosup_chain.calibration.targets import Risk
from twosup_chain.cli.app import app
from twosup_chain.errors import CalibrationMismatchError, ConfigurationError, UnknownOptionError
from twosup_chain.text.questions import LabelledQuestion

FILE = '''
import numpy as np

from twosup_chain import Answer
from twosup_chain.answerers.base import InProcessAnswerer
from twosup_chain.calibration.targets import Rate


class Glossary(InProcessAnswerer):
    """Knows what burns in one thing, and guesses the same of all others."""

    term: str = "lamp"

    def answer_many(self, inputs):
        return [self._answer(item.question) for item in inputs]

    def _answer(self, question):
        sure = self.term in question
        return Answer("oil", scores={"answerability": 0.95 if sure else 0.05}, model="glossary-1")


class Silence(Rate):
    """The share of questions that are left open."""

    name, label = "silence", "questions left open"
    prefer = "cheapest"

    def counts(self, tally):
        return tally.n - tally.answered, np.asarray(tally.n)


def brief(question, answer):
    """Trusts short answers."""
    return 1.0 / len((answer.text or "nothing").split())


def hosted(question):
    """Quotes the last word of the passage."""
    return {"text": question.passages[0].rstrip(".").split()[-1], "model": "hosted-1"}
'''
LAMPS = 8


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Returns a function that gives an object of the file by its name."""
    file = tmp_path_factory.mktemp("own") / "mine.py"
    file.write_text(FILE, encoding="utf-8")
    return lambda name: load_own(f"{file}:{name}")


@pytest.fixture(scope="module")
def questions():
    """Half of them are about the term; the file's hosted function is right about all."""
    return [
        LabelledQuestion(
            id=f"q{i}",
            question=f"What does {'the lamp' if i < LAMPS else 'the engine'} {i} burn?",
            context=f"Number {i} burns {'oil' if i < LAMPS else 'coal'}.",
            answers=("oil" if i < LAMPS else "coal",),
            is_impossible=False,
        )
        for i in range(2 * LAMPS)
    ]


def test_an_answerer_of_your_own_is_collected_calibrated_evaluated_and_runs(own, questions, tmp_path):
    records, local, remote = tmp_path / "records.jsonl", own("Glossary")(), own("hosted")
    done = collect(questions, local=local, remote=remote, out=records, scorers=["answerability", "in_context"])
    assert (done.recorded, done.failed, done.local_model, done.remote_model) == (16, 0, "glossary-1", "hosted-1")

    calibration = calibrate(records, risk=0.05, local_scorer="answerability", remote_scorer="in_context")
    chain = TwoSupervisorChain.from_calibration(calibration, local=local, remote=remote)
    results = [chain.invoke(question.as_input()) for question in questions]
    assert [r.source for r in results] == ["local"] * LAMPS + ["remote"] * LAMPS
    assert [r.answer for r in results] == ["oil"] * LAMPS + ["coal"] * LAMPS

    figures = evaluate(records, calibration=calibration, draws=10).figures
    assert (figures.coverage.value, figures.risk.value) == (1.0, 0.0)
    assert [(end.questions, end.right) for end in figures.endings if end.questions] == [(LAMPS, LAMPS)] * 2


def test_an_answerer_of_your_own_has_all_call_styles_and_its_options_are_checked(own, questions):
    glossary = own("Glossary")(term="engine")
    item = questions[0].as_input()
    assert glossary.batch([item, item]) == [glossary.invoke(item), asyncio.run(glossary.ainvoke(item))]
    with pytest.raises(UnknownOptionError, match="'term'"):
        own("Glossary")(tern="lamp")


def test_a_scorer_of_your_own_is_recorded_calibrated_evaluated_and_judges(own, questions, tmp_path):
    records, spec = tmp_path / "records.jsonl", f"{own('__file__')}:brief"
    parts = {"local": own("Glossary")(), "remote": own("hosted")}
    collect(questions, **parts, out=records, scorers=["answerability", spec])

    calibration = calibrate(records, risk=0.05, local_scorer="answerability", remote_scorer=spec)
    assert calibrate(records, risk=0.05, local_scorer="answerability", remote_scorer=own("brief")) == calibration
    assert calibration.remote.scorer == "brief"
    assert evaluate(records, calibration=calibration, draws=10).figures.coverage.value == 1.0
    settings = {"local_supervisor": Supervisor("answerability", threshold=0.5)}
    report = evaluate(records, **settings, remote_supervisor=Supervisor(own("brief"), threshold=0.9), draws=10)
    assert report.figures.coverage.value == 1.0
    with pytest.raises(CalibrationMismatchError, match=r"remote scorer 'brief', .*: pass it as scorers=\{'brief': …\}"):
        TwoSupervisorChain.from_calibration(calibration, **parts)
    for scorer in (spec, own("brief")):
        chain = TwoSupervisorChain.from_calibration(calibration, **parts, scorers={"brief": scorer})
        result = chain.invoke(questions[-1].as_input())
        assert (result.answer, result.remote_verdict.scorer, result.remote_verdict.score) == ("coal", "brief", 1.0)


@pytest.fixture(scope="module")
def records(own, questions, tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "records.jsonl"
    collect(questions, local=own("Glossary")(), remote=own("hosted"), out=path, scorers=["answerability", "in_context"])
    return path


SCORERS = {"local_scorer": "answerability", "remote_scorer": "in_context"}


def test_a_target_of_your_own_is_calibrated_saved_shown_checked_evaluated_and_runs(
    own, questions, records, as_new, tmp_path
):
    silence = own("Silence")
    calibrate(records, targets=[silence(0.5), Risk(0.1)], **SCORERS).save(tmp_path / "calibration.json")
    loaded = Calibration.load(tmp_path / "calibration.json")
    assert [(promise.target, promise.limit) for promise in loaded.promises] == [("silence", 0.5), ("risk", 0.1)]
    assert loaded.prefer == "cheapest"
    assert loaded.estimate("silence").value == 0.0
    (row,) = (line for line in as_text(loaded).splitlines() if line.startswith("questions left open"))
    assert row.endswith("≤ 50.0 %")

    held = check(loaded, as_new(records), targets=[silence])
    assert [promise.target for promise in held.targets] == ["silence", "risk"]
    assert held.targets[0].probability > 0.99
    report = evaluate(records, calibration=loaded, targets=[silence(0.5)], draws=10)
    assert [promise.found.label for promise in report.figures.promises] == ["questions left open", "selective risk"]
    assert "questions left open" in report.as_html()
    chain = TwoSupervisorChain.from_calibration(loaded, local=own("Glossary")(), remote=own("hosted"))
    assert {result.status for result in chain.batch([q.as_input() for q in questions])} == {"answered"}


def test_a_calibration_asks_for_the_target_that_it_promises(own, records, as_new):
    made = calibrate(records, targets=[own("Silence")(0.5)], **SCORERS)
    with pytest.raises(ConfigurationError, match="promises silence ≤ 0.5, a target of your own: pass its class as"):
        check(made, as_new(records))
    with pytest.raises(CalibrationMismatchError, match="promises silence ≤ 0.5, and targets holds silence ≤ 0.4"):
        check(made, as_new(records), targets=[own("Silence")(0.4)])


def test_the_command_line_takes_a_target_from_a_file(own, records, as_new, tmp_path):
    spec, out = f"{own('__file__')}:Silence", str(tmp_path / "calibration.json")
    scorers = ["--local-scorer", "answerability", "--remote-scorer", "in_context"]
    runs = (
        ["calibrate", str(records), *scorers, "--target", f"{spec}=0.5", "--plug-in", "--out", out],
        ["calibrate", str(as_new(records)), "--check", out, "--target", spec],
        ["evaluate", str(records), "--calibration", out, "--target", spec],
    )
    for run in runs:
        result = CliRunner().invoke(app, run)
        assert result.exit_code == 0, result.output
        assert "questions left open" in result.stdout
    failed = CliRunner().invoke(app, [*runs[0][:-3], "--target", f"{spec}=much"])
    assert failed.exit_code != 0
    assert "'much' is no limit of it" in " ".join(failed.output.split()) + str(failed.exception)
