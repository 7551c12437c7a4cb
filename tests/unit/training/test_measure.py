"""Figures of a reader, on answers made by hand and on the packaged model."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from twosup_chain.answerers._engine import PACKAGED_MODEL
from twosup_chain.schema import Answer, Candidate
from twosup_chain.squad import Example
from twosup_chain.training import measure
from twosup_chain.training.measure import Figures


def answer(text, answerability, best):
    candidate = Candidate(text=best, start=0, end=len(best), document=0, probability=0.5)
    return Answer(text, scores={"answerability": answerability}, candidates=(candidate,))


def example(*answers):
    return Example(id=str(answers), question="q", context="c", answers=answers, is_impossible=not answers)


EXAMPLES = [example("Rome"), example("the old city of Oslo"), example(), example()]
ANSWERS = [
    answer("Rome", 0.9, "Rome"),
    answer(None, 0.4, "Oslo"),
    answer(None, 0.3, "Lima"),
    answer("Quito", 0.6, "Quito"),
]


def test_forced_and_official_figures_on_hand_made_answers():
    values = Figures(EXAMPLES, ANSWERS).values(np.arange(4))
    assert values == pytest.approx(
        {
            "HasAns exact, forced": 0.5,
            "HasAns F1, forced": (1.0 + 2 * 1 * 0.25 / 1.25) / 2,
            "official exact": 0.5,
            "official F1": 0.5,
            "HasAns F1": 0.5,
            "NoAns exact": 0.5,
            "answerability AUROC": 0.75,
            "answerability ECE": (0.1 + 0.6 + 0.3 + 0.6) / 4,
        }
    )


def test_intervals_hold_the_figure_and_are_reproducible():
    figures = Figures(EXAMPLES * 25, ANSWERS * 25)
    found = figures.with_intervals(200)
    assert found == figures.with_intervals(200)
    for value, low, high in found.values():
        assert low <= value + 1e-9
        assert value <= high + 1e-9
    value, low, high = found["official exact"]
    assert (value, high - low) == (0.5, pytest.approx(2 * 1.96 * 0.05, abs=0.06))


@pytest.fixture
def squad_file(tmp_path):
    passage = "The mill at Upper Dean was built in 1790 by Anna Hartley. It burnt down in 1851."
    qas = [
        {"id": "1", "question": "Who built the mill?", "answers": [{"text": "Anna Hartley", "answer_start": 44}]},
        {"id": "2", "question": "Who was the first pope?", "answers": [], "is_impossible": True},
    ]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "Mill", "paragraphs": [{"context": passage, "qas": qas}]}]}))
    return path


@pytest.fixture
def command():
    import typer

    app = typer.Typer()
    app.command()(measure.main)
    return lambda *args: CliRunner().invoke(app, [str(arg) for arg in args])


def test_the_command_prints_figures_as_text_and_as_json(command, squad_file):
    text = command(PACKAGED_MODEL, squad_file)
    assert text.exit_code == 0
    assert "2 questions, 1 answerable" in text.stdout
    found = json.loads(command(PACKAGED_MODEL, squad_file, "--json").stdout)
    assert found["n"] == 2
    assert found["ms_p50"] > 0
    assert found["HasAns exact, forced"][0] == 1.0


def test_the_command_names_what_is_wrong(command, squad_file, tmp_path):
    assert "cannot read" in str(command(tmp_path, squad_file).exception)
    assert "cannot read" in str(command(PACKAGED_MODEL, tmp_path / "none.json").exception)
