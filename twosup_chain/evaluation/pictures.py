"""Which pictures a report has, and what to see in each; none where matplotlib (extra ``plot``) is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from twosup_chain.evaluation import plotting
from twosup_chain.evaluation.calibration_plot import calibration_figure
from twosup_chain.evaluation.report import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from twosup_chain.outcomes.outcomes import Flags, Floats

#: Beyond so many drawn questions a picture's band has fewer resamples, and none where fewer than the least are left.
_MOST_DRAWN, _MOST, _LEAST = 20_000_000, 200, 20


class Picture(NamedTuple):
    """A picture and what to see in it."""

    figure: Figure
    caption: str


def _made(score: Floats, right: Flags, failed: Flags | None) -> tuple[Floats, Flags]:
    return (score, right) if failed is None else (score[~failed], right[~failed])


def pictures(report: Report) -> Iterator[Picture]:
    """Yields the pictures of a report; none where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        return
    outcomes, figures = report.outcomes, report.figures
    draws = min(_MOST, _MOST_DRAWN // len(outcomes))
    draws = draws if draws >= _LEAST else 0
    columns = outcomes.local_score, outcomes.local_correct, outcomes.remote_correct
    models = {
        "local": _made(outcomes.local_score, outcomes.local_correct, outcomes.local_failed),
        "hosted": _made(outcomes.remote_score, outcomes.remote_correct, outcomes.remote_failed),
    }
    here, rate = figures.escalation, figures.escalation.remote_rate.value or 0.0
    yield Picture(
        plotting.request_accuracy_figure(*columns, marks=[("this setting", rate, here.accuracy)], draws=draws),
        "What the local supervisor is worth: it sends the least trusted questions first. Random escalation is the line "
        "to beat, the oracle the most that any supervisor could reach. Every hosted answer is used here, the second "
        "supervisor left aside.",
    )
    saving = figures.savings.cost
    if outcomes.remote_cost is not None and figures.price is not None and saving is not None and saving.remote_only:
        yield Picture(
            plotting.cost_accuracy_figure(
                *columns,
                outcomes.remote_cost,
                currency=figures.price.currency,
                marks=[("this setting", 1000 * saving.chain / len(outcomes), here.accuracy)],
                draws=draws,
            ),
            "The same in money: what 1,000 questions cost, and which accuracy that buys.",
        )
    yield Picture(
        plotting.risk_coverage_figure(models, draws=draws),
        "What abstaining brings: the fewer questions each model answers, the most trusted first, the fewer of its "
        "answers should be wrong. A line that stays near random order means a score that tells little.",
    )
    yield Picture(
        plotting.reliability_figure(models, draws=draws),
        "Whether a trust score can be read as a probability: on the diagonal a score of 0.8 is right 80 % of the time. "
        "A supervisor does not need that, but a person who reads the scores does.",
    )
    if report.calibration is not None:
        yield Picture(
            calibration_figure(report.calibration),
            "How the calibration chose: every pair of thresholds that it tried, on its own questions.",
        )
