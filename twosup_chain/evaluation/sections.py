"""The sections of the page: what was saved, what it cost, what became of the questions, the curves, the seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twosup_chain.evaluation import words
from twosup_chain.evaluation.markup import Markup, foreign, join, table, tag
from twosup_chain.evaluation.pictures import pictures

if TYPE_CHECKING:
    from twosup_chain.evaluation.evaluate import Report
    from twosup_chain.evaluation.figures import Ending, Figures, Measured, Saving

_SYSTEMS = (("chain", "chain"), ("local_only", "local model alone"), ("remote_only", "hosted model alone"))
_ENDINGS: dict[Ending, tuple[str, str]] = {
    "local_answer": ("local", "answered by the local model"),
    "local_no_answer": ("local", "local model: no answer in the context"),
    "remote_answer": ("remote", "answered by the hosted model"),
    "remote_no_answer": ("remote", "hosted model: no answer in the context"),
    "untrusted": ("open", "left open, nobody was trusted"),
}
_PER = 1000


def summary(figures: Figures) -> Markup:
    """Returns the first screen: the figures that decide, and what they mean in words."""
    saved, price, asked = figures.savings, figures.price, int(figures.savings.calls.chain)
    questions = figures.provenance.questions
    exact = figures.systems
    cards = [
        _card(
            "hosted calls saved",
            words.percent(saved.calls.share, 0),
            f"{words.count(asked)} questions sent to the hosted model in place of {words.count(questions)}",
        )
    ]
    if saved.cost is not None and price is not None:
        each = [
            words.amount(_PER * part / questions, price.currency) for part in (saved.cost.chain, saved.cost.remote_only)
        ]
        cards.append(
            _card(
                "money saved",
                words.percent(saved.cost.share, 0),
                f"1,000 questions cost {each[0]} in place of {each[1]}",
            )
        )
    else:
        cards.append(_tokens_card(figures))
    cards += [
        _card(
            "chain's exact match",
            words.percent(exact.chain.exact_match.value),
            f"hosted model alone {words.percent(exact.remote_only.exact_match.value)}, local model alone "
            f"{words.percent(exact.local_only.exact_match.value)}",
        ),
        _card(
            "wrong if trusted",
            words.percent(figures.risk.value),
            f"{words.percent(figures.coverage.value)} of the questions end with a trusted prediction",
        ),
    ]
    return join([tag("div", *cards, class_="cards"), tag("p", _verdict(figures))])


def savings(figures: Figures) -> Markup:
    """Returns what was saved, apart from what is spent."""
    saved, price = figures.savings, figures.price
    rows = [_saving_row("hosted calls", saved.calls, words.count)]
    if saved.input_tokens is not None:
        rows.append(_saving_row("tokens read by the hosted model", saved.input_tokens, words.count))
    if saved.output_tokens is not None:
        rows.append(_saving_row("tokens written by the hosted model", saved.output_tokens, words.count))
    if saved.cost is not None and price is not None:
        rows.append(_saving_row("cost of these tokens", saved.cost, lambda value: words.amount(value, price.currency)))
    if saved.seconds is not None:
        rows.append(_saving_row("time, one question after the other", saved.seconds, words.duration))
    return _section(
        "What was saved",
        table(["", "every question to the hosted model", "the chain", "saved", "share"], rows),
        None
        if price is not None
        else tag("p", "No price was given, so there is no money here: --price-in and --price-out.", class_="quiet"),
        tag(
            "p",
            "The first column is what these questions would take without the chain; the second is what the chain "
            "spends. Time is that of both models without the supervisors.",
            class_="quiet",
        ),
    )


def accuracy(figures: Figures) -> Markup:
    """Returns the official scores of the chain and of either model alone."""
    measures = (
        ("exact match", "exact_match"),
        ("F1", "f1"),
        ("exact match, has answer", "has_answer_exact_match"),
        ("F1, has answer", "has_answer_f1"),
        ("exact match, no answer", "no_answer_exact_match"),
        ("F1, no answer", "no_answer_f1"),
    )
    rows = [
        [name, *(words.with_interval(getattr(getattr(figures.systems, system), key)) for system, _ in _SYSTEMS)]
        for name, key in measures
    ]
    differences = [
        [
            "exact match",
            words.points(figures.against_local.exact_match),
            words.points(figures.against_remote.exact_match),
        ],
        ["F1", words.points(figures.against_local.f1), words.points(figures.against_remote.f1)],
    ]
    return _section(
        "What it does to accuracy",
        tag(
            "p",
            "Official SQuAD v2 measures, with 95 % bootstrap intervals. A question that is left open predicts "
            "“no answer”.",
            class_="quiet",
        ),
        table(
            ["", *(name for _, name in _SYSTEMS)],
            rows,
        ),
        tag(
            "p",
            "The chain less one model alone, on the same questions; an interval that holds 0 shows no difference.",
            class_="quiet",
        ),
        table(
            ["", "against the local model alone", "against the hosted model alone"],
            differences,
        ),
    )


def endings(figures: Figures) -> Markup:
    """Returns what became of the questions, as a bar and as a table."""
    pieces, keys, rows = [], [], []
    total = figures.provenance.questions
    for end in figures.endings:
        kind, name = _ENDINGS[end.ending]
        for part, wrong in ((end.right, ""), (end.questions - end.right, " wrong")):
            if part:
                pieces.append(tag("i", class_=kind + wrong, style=f"flex: {part} 0 0"))
        rows.append(
            [
                name,
                words.count(end.questions),
                words.percent(end.questions / total),
                words.count(end.right),
                words.percent(end.right / end.questions if end.questions else None),
            ]
        )
    for kind, name in (("local", "local model"), ("remote", "hosted model"), ("open", "left open")):
        keys.append(tag("li", tag("i", class_=kind), name))
    keys.append(tag("li", tag("i", class_="open wrong"), "hatched: wrong"))
    alternative = ", ".join(f"{end.questions} {_ENDINGS[end.ending][1]}" for end in figures.endings)
    return _section(
        "What became of the questions",
        tag("div", *pieces, class_="bar", role="img", aria_label=alternative),
        tag("ul", *keys, class_="key"),
        table(["", "questions", "share", "right", "share right"], rows),
        tag(
            "p",
            f"Right means {figures.correct}; leaving a question open is right where it has no answer.",
            class_="quiet",
        ),
    )


def curves(report: Report) -> Markup:
    """Returns the pictures, and what the request–accuracy curve says in figures."""
    here = report.figures.escalation
    drawn = [
        tag("figure", tag("div", picture.svg, class_="plate"), tag("figcaption", picture.caption))
        for picture in pictures(report)
    ]
    if not drawn:
        drawn = [tag("p", "The pictures need matplotlib: ", tag("code", "pip install 'twosup-chain[plot]'"))]
    share = here.share_of_oracle_gain
    gained = f" It reaches {words.percent(share, 0)} of what an oracle gains with as many calls over random escalation."
    if share is None:
        gained = ""
    return _section(
        "The curves",
        tag(
            "p",
            f"With {words.with_interval(here.remote_rate)} of the questions sent to the hosted model, and every answer "
            f"of it used, {words.percent(here.accuracy)} are right.{gained} The best point of the curve is "
            f"{words.percent(here.best_accuracy)}, with {words.percent(here.best_remote_rate)} sent.",
        ),
        *drawn,
    )


def latency(figures: Figures) -> Markup:
    """Returns seconds a question, and up to which share of hosted calls the chain is the quicker."""
    found = figures.latency
    if found is None:
        return _section("Time", tag("p", "The records do not tell how long both models took."))
    quicker = (
        f"The chain is quicker than the hosted model alone as long as at most {words.percent(found.break_even)} of the "
        "questions are sent to it"
        if found.break_even > 0
        else "The local model takes longer than the hosted one, so the chain is never the quicker"
    )
    sent = words.percent(figures.escalation.remote_rate.value)
    return _section(
        "Time",
        tag("p", f"{quicker}; here it is {sent}."),
        table(
            ["mean of a question", "seconds"],
            [
                ["local model", words.duration(found.local)],
                ["hosted model", words.duration(found.remote)],
                ["chain", words.duration(found.chain)],
                ["saved against the hosted model", words.percent(found.saving)],
            ],
        ),
        tag(
            "p",
            "As recorded when the questions were collected, on that machine and under that load; the supervisors' own "
            "time is not in it.",
            class_="quiet",
        ),
    )


def reading(figures: Figures) -> Markup:
    """Returns what the words mean, and where the figures come from."""
    source = figures.provenance
    terms = [
        (
            "exact match, F1",
            (
                "The official measures of SQuAD v2. “No answer” is a prediction like any other: right where "
                "the question has no answer."
            ),
        ),
        (
            "trusted",
            (
                f"A prediction whose trust score reaches its threshold. Local: {figures.local.scorer} ≥ "
                f"{figures.local.threshold:.4g}; hosted: {figures.remote.scorer} ≥ {figures.remote.threshold:.4g}."
            ),
        ),
        ("AUROC", "The chance that a right prediction has a higher trust score than a wrong one: 50 % is chance."),
        ("AURC, AUGRC", "Areas under the risk–coverage curve and under the generalised one: lower is better."),
        ("calibration error", "By how much the trust score misses the share that is right, on average."),
        (
            "AUC-RAC",
            (
                "The area under the request–accuracy curve as the BiSupervised paper defines it: 0.5 is random "
                "escalation, above 1 is better than the hosted model alone; it says little where both models are "
                f"nearly equal. Here {words.number(figures.escalation.auc_rac)}."
            ),
        ),
        (
            "intervals",
            (
                "95 % percentile bootstrap over questions. They say how far chance in the choice of questions "
                "goes, not what other kinds of questions would bring."
            ),
        ),
    ]
    failed = f", {words.count(source.failed)} more left out because a call failed" if source.failed else ""
    return _section(
        "How to read this",
        tag("dl", *(part for term, text in terms for part in (tag("dt", term), tag("dd", foreign(text))))),
        tag(
            "p",
            f"{words.count(source.questions)} questions{failed}. Digest of the questions: ",
            tag("code", source.digest),
            class_="quiet",
        ),
    )


def _section(title: str, *content: object) -> Markup:
    return tag("section", tag("h2", title), *content)


def _card(name: str, figure: str, more: str) -> Markup:
    return tag("div", tag("span", name), tag("b", figure), tag("small", more), class_="card")


def _tokens_card(figures: Figures) -> Markup:
    read, written = figures.savings.input_tokens, figures.savings.output_tokens
    if read is None or written is None or not read.remote_only + written.remote_only:
        return _card("tokens saved", words.NOTHING, "the hosted model does not tell its tokens")
    every, chain = read.remote_only + written.remote_only, read.chain + written.chain
    return _card(
        "tokens saved", words.percent(1 - chain / every, 0), f"{words.count(chain)} in place of {words.count(every)}"
    )


def _saving_row(name: str, saving: Saving, written: object) -> list[object]:
    assert callable(written)  # noqa: S101
    return [name, *map(written, (saving.remote_only, saving.chain, saving.saved)), words.percent(saving.share)]


def _verdict(figures: Figures) -> str:
    """Returns in words how the chain compares with either model alone, as far as these questions can tell."""
    hosted, local = figures.against_remote.exact_match, figures.against_local.exact_match
    return (
        f"Against the hosted model alone, the chain {_compare(hosted)} in exact match: {words.points(hosted)}. "
        f"Against the local model alone it {_compare(local)}: {words.points(local)}. "
        "In brackets is where the difference lies with 95 % confidence."
    )


def _compare(difference: Measured) -> str:
    if difference.low is not None and difference.low > 0:
        return "gains"
    if difference.high is not None and difference.high < 0:
        return "loses"
    return "shows no clear difference"
