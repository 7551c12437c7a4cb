"""The tables as CSV, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io

import numpy as np

from twosup_chain.paper import Recording, Table, replicate, tables

RIGHT = np.array([True, False, True, True])
FIGURES = replicate(
    Recording(score=np.array([0.1, 0.2, 0.3, 0.4]), correct=RIGHT, seconds=np.full(4, 0.5)),
    Recording(score=np.array([0.4, 0.3, 0.2, 0.1]), correct=~RIGHT, seconds=np.full(4, 2.0)),
)
TABLE = Table(
    name="x", caption="50 % of a_b", columns={"row": "a & b", "y": "Δ"}, rows=[("1_0 | x", 1 / 3), ("nan", None)]
)


def test_csv_has_every_digit_and_empty_cells():
    assert TABLE.csv() == "row,y\n1_0 | x,0.3333333333333333\nnan,\n"


def test_markdown_escapes_bars():
    assert TABLE.markdown() == "50 % of a_b\n\n| a & b | Δ |\n| --- | ---: |\n| 1_0 \\| x | 0.3333 |\n| nan | – |\n"


def test_latex_escapes_what_means_something_to_it():
    text = TABLE.latex()
    assert r"\caption{50 \% of a\_b}" in text
    assert r"a \& b & $\Delta$ \\" in text
    assert r"1\_0 | x & 0.3333 \\" in text
    assert r"\begin{tabular}{lr}" in text


def test_a_study_has_three_tables_that_can_be_read_back():
    models, points, supervisors = tables(FIGURES)
    assert [table.name for table in (models, points, supervisors)] == ["models", "points", "supervisors"]
    rows = list(csv.DictReader(io.StringIO(supervisors.csv())))
    for row, expected in zip(rows, FIGURES.as_dict()["table"], strict=True):
        assert row.pop("row") == expected.pop("row")
        assert {name: float(value) if value else None for name, value in row.items()} == expected
    assert len(list(csv.DictReader(io.StringIO(points.csv())))) == len(FIGURES.points)
    assert [row["seconds"] for row in csv.DictReader(io.StringIO(models.csv()))] == ["0.5", "2.0"]
