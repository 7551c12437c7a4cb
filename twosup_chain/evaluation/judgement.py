"""The sections on the supervisors: what was promised of them, how they judge, and where they err."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twosup_chain.calibration.table import label, percent_or_money
from twosup_chain.evaluation import words
from twosup_chain.evaluation.markup import Markup, foreign, join, table, tag

if TYPE_CHECKING:
    from twosup_chain.calibration.record import CalibratedSupervisor, Estimate
    from twosup_chain.evaluation.evaluate import Report
    from twosup_chain.evaluation.figures import Figures, SupervisorFigures
    from twosup_chain.evaluation.mistakes import Example, Mistakes

_KINDS = {
    ("local", "trusted_wrong"): "The local model was trusted, and is wrong",
    ("local", "refused_right"): "The local model was refused, and is right",
    ("remote", "trusted_wrong"): "The hosted model was trusted, and is wrong",
    ("remote", "refused_right"): "The hosted model was refused, and is right",
}


def promises(figures: Figures) -> Markup | None:
    """Returns what the calibration promised beside what these records show; nothing without a calibration."""
    if not figures.promises:
        return None
    currency = None if figures.price is None else figures.price.currency
    rows = [
        [
            label(promise.target),
            f"≤ {percent_or_money(promise.target, promise.limit, currency)}",
            _estimate(promise.calibrated, currency),
            _estimate(promise.found, currency),
            words.probability(promise.probability),
        ]
        for promise in figures.promises
    ]
    guarantee = (
        "The thresholds were chosen without a guarantee."
        if figures.confidence is None
        else f"The calibration promises, with {words.percent(figures.confidence, 0)} confidence, that every limit is "
        "kept on questions like those it was made from."
    )
    return tag(
        "section",
        tag("h2", "What was promised"),
        tag("p", guarantee, " The last column asks these records alone."),
        table(["", "limit", "when calibrated", "on these records", "probability that it is kept"], rows),
    )


def supervisors(report: Report) -> Markup:
    """Returns how both supervisors judge, and examples of where they err."""
    figures = report.figures
    return tag(
        "section",
        tag("h2", "Where the supervisors err"),
        tag(
            "div",
            _supervisor("Local supervisor", figures.local, figures.local_supervisor),
            _supervisor("Second supervisor", figures.remote, figures.remote_supervisor),
            class_="columns",
        ),
        *(_mistakes(kind, figures.local if kind.role == "local" else figures.remote) for kind in report.mistakes),
    )


def _supervisor(title: str, setting: CalibratedSupervisor, found: SupervisorFigures) -> Markup:
    trusted, refused = found.trusted_right + found.trusted_wrong, found.refused_right + found.refused_wrong
    rows = [
        [
            "trusted",
            words.count(found.trusted_right),
            words.count(found.trusted_wrong),
            _share(found.trusted_wrong, trusted),
        ],
        [
            "refused",
            words.count(found.refused_right),
            words.count(found.refused_wrong),
            _share(found.refused_wrong, refused),
        ],
    ]
    auroc = words.percent(found.auroc)
    return tag(
        "div",
        tag("h3", title),
        tag(
            "p",
            f"{words.count(found.judged)} predictions judged: trusted where ",
            tag("code", foreign(setting.scorer)),
            f" ≥ {setting.threshold:.4g}",
            class_="quiet",
        ),
        table(["", "right", "wrong", "share wrong"], rows),
        tag(
            "p",
            f"On all questions its score tells right from wrong with an AUROC of {auroc} (50 % is chance); AURC "
            f"{words.number(found.aurc)}, AUGRC {words.number(found.augrc)}, calibration error "
            f"{words.percent(found.calibration_error)}.",
            class_="quiet",
        ),
    )


def _mistakes(kind: Mistakes, setting: CalibratedSupervisor) -> Markup:
    title = f"{_KINDS[kind.role, kind.kind]}: {words.count(kind.total)}"
    if not kind.examples:
        return tag("h3", title)
    worst = "highest" if kind.kind == "trusted_wrong" else "lowest"
    more = "" if kind.total == len(kind.examples) else f" Shown are the {len(kind.examples)} with the {worst} trust."
    return join(
        [
            tag("h3", title),
            tag("p", f"Threshold {setting.threshold:.4g}.{more}", class_="quiet"),
            tag("ul", *map(_example, kind.examples), class_="examples"),
        ]
    )


def _example(example: Example) -> Markup:
    trust = f"trust {words.number(example.score)}"
    if example.question is None or example.answers is None:
        said = "says that there is no answer" if example.no_answer else "gives an answer"
        return tag("li", tag("code", foreign(example.id)), f" · {trust} · {said} (texts were not recorded)")
    accepted: list[object] = ["right would be: no answer"]
    if example.answers:
        accepted = [part for answer in dict.fromkeys(example.answers) for part in (" · ", foreign(answer))]
        accepted[0] = "accepted: "
    return tag(
        "li",
        tag("div", foreign(example.question), class_="ask"),
        tag("div", *_quoted(example.prediction)),
        tag("div", *accepted, class_="quiet"),
        tag("div", trust, " · ", tag("code", foreign(example.id)), class_="quiet"),
    )


def _quoted(prediction: str | None) -> tuple[object, ...]:
    return ("said that there is no answer",) if prediction is None else ("said “", foreign(prediction), "”")


def _estimate(estimate: Estimate | None, currency: str | None) -> str:
    if estimate is None or estimate.value is None:
        return words.NOTHING
    low, high = (percent_or_money(estimate.name, end).removesuffix(" %") for end in (estimate.low, estimate.high))
    return f"{percent_or_money(estimate.name, estimate.value, currency)} ({low}–{high})"


def _share(part: int, whole: int) -> str:
    return words.percent(part / whole if whole else None)
