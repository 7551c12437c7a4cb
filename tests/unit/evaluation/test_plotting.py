"""Pictures: what is on them, that they can stand in one page, and that nothing is left behind."""

from __future__ import annotations

import sys
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from twosup_chain.curves import request_accuracy
from twosup_chain.errors import InputError, MissingExtraError
from twosup_chain.evaluation import drawing, plotting

RNG = np.random.default_rng(0)
SCORE = RNG.random(60)
LOCAL = RNG.random(60) < SCORE
REMOTE = RNG.random(60) < 0.8
COST = RNG.random(60)
MODELS = {"local": (SCORE, LOCAL), "remote": (1 - SCORE, REMOTE)}
MAKERS = {
    "request_accuracy": lambda **o: plotting.request_accuracy_figure(SCORE, LOCAL, REMOTE, **o),
    "cost_accuracy": lambda **o: plotting.cost_accuracy_figure(SCORE, LOCAL, REMOTE, COST, **o),
    "risk_coverage": lambda **o: plotting.risk_coverage_figure(MODELS, **o),
    "reliability": lambda **o: plotting.reliability_figure(MODELS, **o),
}


@pytest.fixture(params=MAKERS)
def figure(request):
    return MAKERS[request.param](draws=10)


def words(figure):
    return [item.get_text() for item in figure.legends[0].get_texts()]


def ids(svg):
    return [item.get("id") for item in ET.fromstring(svg).iter() if item.get("id")]  # noqa: S314 - it is our own


def test_every_axis_has_a_label_and_the_legend_names_the_band(figure):
    bottom = figure.axes[-1]
    assert bottom.get_xlabel()
    assert all(axes.get_ylabel() for axes in figure.axes)
    assert "95% bootstrap interval" in words(figure)


def test_oracle_and_random_lines_stand_beside_the_curves():
    for name in ("request_accuracy", "cost_accuracy", "risk_coverage"):
        shown = " ".join(words(MAKERS[name](draws=0)))
        assert "oracle" in shown
        assert "random" in shown
        assert "bootstrap" not in shown


def test_the_curve_that_is_drawn_is_the_one_that_was_computed():
    axes = plotting.request_accuracy_figure(SCORE, LOCAL, REMOTE, draws=10).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    expected = request_accuracy(SCORE, LOCAL, REMOTE)
    assert lines["least trusted first"].get_ydata().tolist() == expected.accuracy.tolist()
    assert lines["oracle escalation"].get_ydata().tolist() == expected.oracle.tolist()
    (band,) = axes.collections
    vertices = band.get_paths()[0].vertices
    for x, y in zip(expected.cutoff, expected.accuracy, strict=True):
        at = vertices[np.isclose(vertices[:, 0], x), 1]
        assert at.min() - 1e-9 <= y <= at.max() + 1e-9


def test_marks_and_units_are_written_out():
    figure = plotting.cost_accuracy_figure(
        SCORE, LOCAL, REMOTE, COST, currency="EUR", marks=[("calibrated", 100.0, 0.7)], draws=0
    )
    assert figure.axes[0].get_xlabel() == "Cost of 1,000 questions (EUR)"
    assert [text.get_text() for text in figure.axes[0].texts] == ["calibrated: 70.0%"]


def test_an_svg_has_text_title_and_description(figure):
    svg = drawing.svg(figure)
    root = ET.fromstring(svg)  # noqa: S314 - it is our own
    labels = root.get("aria-labelledby").split()
    title, description = root[0], root[1]
    assert (root.get("role"), labels) == ("img", [title.get("id"), description.get("id")])
    assert title.text == figure.axes[0].get_title(loc="left")
    assert len(description.text) > 30
    assert f">{figure.axes[-1].get_xlabel()}<" in svg
    assert "<metadata" not in svg


def test_the_same_figure_gives_the_same_svg_whatever_was_saved_between(figure, tmp_path):
    before = drawing.svg(figure)
    drawing.save(figure, tmp_path / "x.png")
    assert drawing.svg(figure) == before


def test_several_pictures_can_stand_in_one_page():
    found = [ids(drawing.svg(make(draws=5))) for make in MAKERS.values()]
    together = [name for names in found for name in names]
    assert len(together) == len(set(together))
    svg = drawing.svg(MAKERS["request_accuracy"](draws=5))
    known = set(ids(svg))
    referred = {part.split(")")[0].split('"')[0] for part in svg.split("#")[1:] if part.startswith("f")}
    assert {name for name in referred if "-" in name} <= known


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_a_picture_is_saved_by_its_suffix(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    drawing.save(MAKERS["risk_coverage"](draws=0), path)
    assert path.read_bytes()[:4] in (b"<svg", b"\x89PNG", b"%PDF")


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match="a picture is saved as .svg, .png, .pdf"):
        drawing.save(MAKERS["risk_coverage"](draws=0), tmp_path / "x.bmp")


def test_no_pyplot_state_and_no_changed_settings():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    drawing.svg(MAKERS["reliability"](draws=0))
    assert dict(mpl.rcParams) == before
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


@pytest.mark.parametrize("n", [1, 2])
def test_the_smallest_data_can_be_drawn(n):
    score, right = np.linspace(0.2, 0.8, n), np.ones(n)
    for figure in (
        plotting.request_accuracy_figure(score, right, right, draws=3),
        plotting.cost_accuracy_figure(score, right, right, np.ones(n), draws=3),
        plotting.risk_coverage_figure({"local": (score, right)}, draws=3),
        plotting.reliability_figure({"local": (score, right)}, draws=3),
    ):
        assert drawing.svg(figure).startswith("<svg")


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'twosup-chain\[plot\]'"):
        MAKERS["request_accuracy"]()
