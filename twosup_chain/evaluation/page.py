"""The report as one HTML page for two readers: the first screen for the one who pays, the rest for the one who runs it.

The sections are in `sections` and `judgement`; here they are put under one roof, with a style and a policy that lets
nothing be loaded from anywhere.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from twosup_chain._version import __version__
from twosup_chain.evaluation import judgement, sections
from twosup_chain.evaluation.markup import Markup, foreign, join, tag
from twosup_chain.evaluation.words import count

if TYPE_CHECKING:
    from twosup_chain.evaluation.evaluate import Report

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(report: Report) -> str:
    """Returns the report as an HTML document that needs nothing else: no script, no font, no picture of elsewhere."""
    figures = report.figures
    title = f"A chain with two supervisors on {count(figures.provenance.questions)} labelled questions"
    head = join(
        [
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            tag("title", title),
            tag("style", Markup(files("twosup_chain.evaluation").joinpath("style.css").read_text(encoding="utf-8"))),
        ]
    )
    body = tag(
        "body",
        tag(
            "header",
            tag("h1", title),
            tag("p", "Local model: ", _model(figures.provenance.local_model), class_="quiet"),
            tag("p", "Hosted model: ", _model(figures.provenance.remote_model), class_="quiet"),
            *(tag("aside", tag("p", remark), class_="remark") for remark in figures.remarks),
        ),
        tag(
            "main",
            sections.summary(figures),
            sections.savings(figures),
            sections.accuracy(figures),
            sections.endings(figures),
            judgement.promises(figures),
            judgement.supervisors(report),
            sections.curves(report),
            sections.latency(figures),
            sections.reading(figures),
        ),
        tag("footer", f"twosup_chain {__version__}. Every figure of this page is in figures.json beside it."),
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>{body}</html>\n'


def _model(name: str | None) -> Markup:
    return tag("code", foreign(name)) if name else Markup("not named by its answers")
