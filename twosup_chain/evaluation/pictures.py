"""The report's pictures, as SVG elements; matplotlib (extra ``plot``) is loaded when the first is drawn."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from twosup_chain.evaluation.markup import Markup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twosup_chain.evaluation.evaluate import Report

#: Beyond so many drawn questions a picture's band has fewer resamples, and none where fewer than the least are left.
_MOST_DRAWN, _MOST, _LEAST = 20_000_000, 200, 20


class Picture(NamedTuple):
    """A picture and what to see in it."""

    svg: Markup
    caption: str


def pictures(report: Report) -> Iterator[Picture]:
    """Yields the pictures of a report; none where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        return
    from twosup_chain.evaluation import plotting

    outcomes, figures = report.outcomes, report.figures
    draws = min(_MOST, _MOST_DRAWN // len(outcomes))
    draws = draws if draws >= _LEAST else 0
    columns = outcomes.local_score, outcomes.local_correct, outcomes.remote_correct
    models = {
        "local": (outcomes.local_score, outcomes.local_correct),
        "hosted": (outcomes.remote_score, outcomes.remote_correct),
    }
    here = figures.escalation
    rate = here.remote_rate.value or 0.0
    yield Picture(
        Markup(
            plotting.svg(
                plotting.request_accuracy_figure(*columns, marks=[("this setting", rate, here.accuracy)], draws=draws)
            )
        ),
        "What the local supervisor is worth: it sends the least trusted questions first. Random escalation is the line "
        "to beat, the oracle the most that any supervisor could reach. Every hosted answer is used here, the second "
        "supervisor left aside.",
    )
    saving = figures.savings.cost
    if outcomes.remote_cost is not None and figures.price is not None and saving is not None and saving.remote_only:
        spent = 1000 * saving.chain / len(outcomes)
        figure = plotting.cost_accuracy_figure(
            *columns,
            outcomes.remote_cost,
            currency=figures.price.currency,
            marks=[("this setting", spent, here.accuracy)],
            draws=draws,
        )
        yield Picture(
            Markup(plotting.svg(figure)),
            "The same in money: what 1,000 questions cost, and which accuracy that buys.",
        )
    yield Picture(
        Markup(plotting.svg(plotting.risk_coverage_figure(models, draws=draws))),
        "What abstaining brings: the fewer questions each model answers, the most trusted first, the fewer of its "
        "answers should be wrong. A line that stays near random order means a score that tells little.",
    )
    yield Picture(
        Markup(plotting.svg(plotting.reliability_figure(models, draws=draws))),
        "Whether a trust score can be read as a probability: on the diagonal a score of 0.8 is right 80 % of the time. "
        "A supervisor does not need that, but a person who reads the scores does.",
    )
    if report.calibration is not None:
        yield Picture(
            Markup(plotting.svg(report.calibration.plot())),
            "How the calibration chose: every pair of thresholds that it tried, on its own questions.",
        )
