"""Parts from a file outside the package stand wherever packaged ones do: collect, calibrate, evaluate, the chain."""

from __future__ import annotations

import asyncio

import pytest

from twosup_chain import TwoSupervisorChain, calibrate, collect, evaluate
from twosup_chain._own import load_own
from twosup_chain.errors import UnknownOptionError
from twosup_chain.text.squad import Example

FILE = '''
from twosup_chain import Answer
from twosup_chain.answerers.base import InProcessAnswerer


class Glossary(InProcessAnswerer):
    """Knows what burns in one thing, and guesses the same of all others."""

    term: str = "lamp"

    def answer_many(self, inputs):
        return [self._answer(item.question) for item in inputs]

    def _answer(self, question):
        sure = self.term in question
        return Answer("oil", scores={"answerability": 0.95 if sure else 0.05}, model="glossary-1")


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
        Example(
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
