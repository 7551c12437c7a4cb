"""What the page shows, put into words and rows: the template holds the sentences, and nothing is counted there."""

from collections.abc import Callable, Iterator
from typing import Any

from twosup_chain.calibration.estimates import NamedEstimate
from twosup_chain.evaluation import words
from twosup_chain.evaluation.figures import Differences, Ending, Figures, Saving, SupervisorFigures
from twosup_chain.evaluation.report import Past, Report

Row = list[str]

_ENDINGS: dict[Ending, tuple[str, str]] = {
    "local_answer": ("local", "answered by the local model"),
    "local_no_answer": ("local", "local model: no answer in the context"),
    "remote_answer": ("remote", "answered by the hosted model"),
    "remote_no_answer": ("remote", "hosted model: no answer in the context"),
    "weighed_no_answer": ("weighed", "no answer, likelier than either prediction"),
    "untrusted": ("open", "left open, nobody was trusted"),
}
_MEASURES = (
    ("exact match", "exact_match"),
    ("F1", "f1"),
    ("exact match, has answer", "has_answer_exact_match"),
    ("F1, has answer", "has_answer_f1"),
    ("exact match, no answer", "no_answer_exact_match"),
    ("F1, no answer", "no_answer_f1"),
)
_MEASURES_OF_DECISIONS = (
    ("accuracy", "exact_match"),
    ("accuracy where a label is right", "has_answer_exact_match"),
    ("accuracy where none is", "no_answer_exact_match"),
)
_MODELS = {"local": "The local model", "remote": "The hosted model"}
_MISTAKES = {"trusted_wrong": "was trusted, and is wrong", "refused_right": "was refused, and is right"}
_PER = 1000


def view(report: Report) -> dict[str, Any]:
    """Returns the values of the page by the names that its template gives them."""
    figures = report.figures
    systems = figures.systems.chain, figures.systems.local_only, figures.systems.remote_only
    against = figures.against_local, figures.against_remote
    settings = {"local": figures.local, "remote": figures.remote}
    measures = _MEASURES_OF_DECISIONS if figures.decides else _MEASURES
    whole = [(name, key) for name, key in measures if key in Differences.model_fields]
    return {
        "figures": figures,
        "questions": figures.provenance.questions,
        "cards": list(_cards(figures)),
        "savings": list(_savings(figures)),
        "accuracy": [
            [name, *(words.with_interval(getattr(scores, key)) for scores in systems)] for name, key in measures
        ],
        "differences": [[name, *(words.points(getattr(part, key)) for part in against)] for name, key in whole],
        "endings": [(*_ENDINGS[end.ending], end) for end in figures.endings],
        "ends": list(_ends(figures)),
        "promises": list(_promises(figures)),
        "supervisors": [
            ("Local supervisor", figures.local, figures.local_supervisor, _judged(figures.local_supervisor)),
            ("Second supervisor", figures.remote, figures.remote_supervisor, _judged(figures.remote_supervisor)),
        ],
        "mistakes": [
            (f"{_MODELS[kind.role]} {_MISTAKES[kind.kind]}", settings[kind.role].threshold, kind)
            for kind in report.mistakes
        ],
        "run": report.run,
        "explored": report.explored,
        "beside": None if report.beside is None else _beside(figures, report.beside),
    }


def _beside(figures: Figures, past: Past) -> dict[str, Any]:
    """Returns the figures that decide, of this run and of another."""
    runs = figures, past.figures
    right = words.measure(figures)

    def cost(figures: Figures) -> str:
        if figures.savings.cost is None or figures.price is None:
            return words.NOTHING
        return words.amount(_PER * figures.savings.cost.chain / figures.provenance.questions, figures.price.currency)

    rows = (
        (right, [words.with_interval(run.systems.chain.exact_match) for run in runs]),
        *([] if figures.decides else [("F1", [words.with_interval(run.systems.chain.f1) for run in runs])]),
        ("coverage", [words.with_interval(run.coverage) for run in runs]),
        ("wrong if trusted", [words.with_interval(run.risk) for run in runs]),
        ("hosted calls", [words.with_interval(run.escalation.remote_rate) for run in runs]),
        ("cost of 1,000 questions", [cost(run) for run in runs]),
        (
            f"hosted model alone, {words.measure(figures)}",
            [words.with_interval(run.systems.remote_only.exact_match) for run in runs],
        ),
        ("local model", [run.provenance.local_model or words.NOTHING for run in runs]),
        ("hosted model", [run.provenance.remote_model or words.NOTHING for run in runs]),
        ("local trust", [f"{run.local.scorer} ≥ {words.threshold(run.local.threshold)}" for run in runs]),
        ("hosted trust", [f"{run.remote.scorer} ≥ {words.threshold(run.remote.threshold)}" for run in runs]),
    )
    return {
        "date": past.run.date,
        "questions": past.figures.provenance.questions,
        "same": past.figures.provenance.digest == figures.provenance.digest,
        "rows": [[name, *values] for name, values in rows],
    }


def _cards(figures: Figures) -> Iterator[tuple[str, str, str]]:
    """Yields the figures that decide: a name, the figure, and what it means."""
    saved, price, systems, questions = figures.savings, figures.price, figures.systems, figures.provenance.questions
    asked = f"{words.count(saved.calls.chain)} questions sent to the hosted model in place of {words.count(questions)}"
    yield "hosted calls saved", words.percent(saved.calls.share, 0), asked
    if saved.cost is not None and price is not None:
        chain, every = (_PER * part / questions for part in (saved.cost.chain, saved.cost.remote_only))
        costs = f"1,000 questions cost {words.amount(chain, price.currency)} in place of "
        yield "money saved", words.percent(saved.cost.share, 0), costs + words.amount(every, price.currency)
    else:
        yield _tokens_card(saved.input_tokens, saved.output_tokens)
    hosted, local = (words.percent(part.exact_match.value) for part in (systems.remote_only, systems.local_only))
    alone = f"hosted model alone {hosted}, local model alone {local}"
    yield f"chain’s {words.measure(figures)}", words.percent(systems.chain.exact_match.value), alone
    trusted = f"{words.percent(figures.coverage.value)} of the questions end with a trusted prediction"
    yield "wrong if trusted", words.percent(figures.risk.value), trusted


def _tokens_card(read: Saving | None, written: Saving | None) -> tuple[str, str, str]:
    if read is None or written is None or not read.remote_only + written.remote_only:
        return "tokens saved", words.NOTHING, "the hosted model does not tell its tokens"
    every, chain = read.remote_only + written.remote_only, read.chain + written.chain
    return "tokens saved", words.percent(1 - chain / every, 0), f"{words.count(chain)} in place of {words.count(every)}"


def _savings(figures: Figures) -> Iterator[Row]:
    saved, price = figures.savings, figures.price

    def amount(value: float) -> str:
        return words.amount(value, "" if price is None else price.currency)

    rows: tuple[tuple[str, Saving | None, Callable[[float], str]], ...] = (
        ("hosted calls", saved.calls, words.count),
        ("tokens read by the hosted model", saved.input_tokens, words.count),
        ("tokens written by the hosted model", saved.output_tokens, words.count),
        ("cost of these tokens", saved.cost, amount),
        ("time, one question after the other", saved.seconds, words.duration),
    )
    for name, part, written in rows:
        if part is not None:
            yield [name, *map(written, (part.remote_only, part.chain, part.saved)), words.percent(part.share)]


def _ends(figures: Figures) -> Iterator[Row]:
    for end in figures.endings:
        share, right = end.questions / figures.provenance.questions, words.share(end.right, end.questions)
        name = _ENDINGS[end.ending][1]
        yield [name, words.count(end.questions), words.percent(share), words.count(end.right), right]


def _judged(found: SupervisorFigures) -> Iterator[Row]:
    for name in ("trusted", "refused"):
        right, wrong = getattr(found, f"{name}_right"), getattr(found, f"{name}_wrong")
        yield [name, words.count(right), words.count(wrong), words.share(wrong, right + wrong)]


def _promises(figures: Figures) -> Iterator[Row]:
    currency = None if figures.price is None else figures.price.currency
    for promise in figures.promises:
        yield [
            promise.found.label,
            f"≤ {promise.found.write(promise.limit, currency)}",
            _estimate(promise.calibrated, currency),
            _estimate(promise.found, currency),
            words.probability(promise.probability),
        ]


def _estimate(estimate: NamedEstimate | None, currency: str | None) -> str:
    if estimate is None or estimate.value is None:
        return words.NOTHING
    return f"{estimate.write(estimate.value, currency)} ({'–'.join(estimate.write_interval())})"
