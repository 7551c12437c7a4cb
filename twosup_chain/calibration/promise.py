"""`check`: whether the promise of a `Calibration` still holds, judged by new labelled questions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from twosup_chain._options import Record
from twosup_chain.calibration.betting import mean_at_any_time
from twosup_chain.calibration.estimates import NamedEstimate, estimate
from twosup_chain.calibration.settings import can_vouch, read_for
from twosup_chain.calibration.tally import count, count_each
from twosup_chain.calibration.targets import TARGETS
from twosup_chain.errors import CalibrationMismatchError, ConfigurationError, InputError
from twosup_chain.outcomes.outcomes import Outcomes
from twosup_chain.outcomes.predictions import in_words
from twosup_chain.text.questions import Metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from twosup_chain.calibration.record import Calibration
    from twosup_chain.calibration.tally import Tally
    from twosup_chain.calibration.targets import Target
    from twosup_chain.outcomes.predictions import Correct
    from twosup_chain.outcomes.price import Price
    from twosup_chain.records.lines import Paths
    from twosup_chain.scoring.scorer import ScoreFunction, Scorer

#: That of the intervals.
_CONFIDENCE = 0.95


class HeldPromise(Record):
    """One target on new data: its value there, and the probability that its limit is kept, given these data alone.

    `at_any_time` is an interval of the value that may be looked at as often as one likes while the data grow: with
    probability 95 % all of them hold (`betting`). ``None``: the value is no mean over questions (`Measure.span`).
    """

    target: str
    limit: float
    estimate: NamedEstimate
    probability: float = Field(ge=0.0, le=1.0)
    at_any_time: tuple[float, float] | None = None


class PromiseCheck(Record):
    """Every target of a calibration on so many new labelled questions with these metadata; a budget's currency."""

    questions: int
    where: Metadata = Field(default_factory=dict)
    targets: tuple[HeldPromise, ...]
    currency: str | None = None

    @property
    def probability(self) -> float:
        """The least of the targets' probabilities."""
        return min(held.probability for held in self.targets)

    @property
    def heading(self) -> str:
        """How many questions of which kind these are."""
        return f"{self.questions:,} new labelled questions{with_metadata(self.where)}"

    def __str__(self) -> str:
        lines = [
            f"{held.estimate.label} {held.estimate.write(held.estimate.value, self.currency)}: at most "
            f"{held.estimate.write(held.limit, self.currency)} with probability {held.probability:.1%}"
            for held in self.targets
        ]
        return "\n".join([self.heading, *lines])


def check(
    calibration: Calibration,
    records: Outcomes | Paths,
    *,
    targets: Iterable[Target | type[Target]] = (),
    correct: Correct | None = None,
    price: Price | None = None,
    scorers: Mapping[str, ScoreFunction | Scorer] | None = None,
) -> PromiseCheck:
    """Returns with what probability each promise of a calibration holds on the traffic that new questions stand for.

    The probabilities are posterior ones, from the new questions alone: for the rates under Jeffreys' prior Beta(1/2,
    1/2) on the rate; for `match_remote` under the prior Dirichlet(1/2, 1/2, 1/2) on the shares of questions that only
    the chain, only the hosted model, or both or neither get right; for a budget a Student-t approximation for the mean
    cost, after half a free call and half a dearest call are added.

    Of questions on one passage, one is drawn.

    Args:
        calibration: The calibration.
        records: New labelled questions: a file of records, several, or `Outcomes`; not those it was made from.
        targets: Targets of your own that the calibration promises, or their classes.
        correct: What counts as right in records, as the calibration was made; by default an exact match.
        price: What the hosted model's tokens cost, where `records` are files.
        scorers: By name, the learned scorers of your own, where `records` are files.

    Raises:
        InputError: There are no questions, or the data lack what a target reads.
        ConfigurationError: A target of your own is missing, or an option belongs to the other kind of data.
        CalibrationMismatchError: The records are of other models than the calibration, or those that it was made from,
            a target has another limit, or something else counts as right.
        RecordsError: The records cannot be read.
    """
    if not isinstance(records, Outcomes):
        rule = in_words(correct or "exact_match")
        if calibration.correct is not None and rule != calibration.correct:
            message = f"the calibration counts as right: {calibration.correct}; pass the same correct=…, not {rule}"
            raise CalibrationMismatchError(message)
        columns = read_for(calibration, records, scorers)
        can_vouch(columns, calibration.made_from)
        outcomes, digest = columns.outcomes(correct=correct or "exact_match", price=price), columns.provenance.digest
    elif correct is None and price is None and not scorers:
        outcomes, digest = records, records.digest
    else:
        message = "correct, price, scorers: Outcomes hold labels, costs and scores, only records are read with options"
        raise ConfigurationError(message)
    if not len(outcomes):
        raise InputError("there is no new labelled question to check the calibration on")
    if digest == calibration.digest:
        message = "these are the questions that the calibration was made from, which flatter it: check it on new ones"
        raise CalibrationMismatchError(message)
    wanted = promised(calibration, targets)
    for target in wanted:
        if lacking := target.lacks(outcomes):
            raise InputError(f"the calibration promises {target}, and {lacking}")
    if calibration.on_remote_error == "local":
        outcomes = outcomes.answering_failures_locally()
    questions, outcomes = len(outcomes), outcomes.one_a_passage(int(digest, 16))
    if outcomes.remote_cost is not None:  # new calls may be dearer than any before
        outcomes = replace(outcomes, max_call_cost=max(calibration.max_call_cost or 0.0, outcomes.dearest))
    thresholds = [setting.threshold for setting in calibration.settings.values()]
    tally = count(outcomes, *(np.array([at]) for at in thresholds), abstention=calibration.abstention).flat()
    each = count_each(outcomes, *thresholds, abstention=calibration.abstention)
    held = (
        HeldPromise(
            target=target.name,
            limit=target.limit,
            estimate=estimate(target, tally),
            probability=target.posterior(tally),
            at_any_time=_at_any_time(target, each),
        )
        for target in wanted
    )
    return PromiseCheck(
        questions=questions, where=calibration.where, targets=tuple(held), currency=calibration.currency
    )


def with_metadata(where: Metadata) -> str:
    """Returns the words for questions with these metadata, to follow their number; none where there are none."""
    return f" with {', '.join(f'{field}={value}' for field, value in where.items())}" if where else ""


def _at_any_time(target: Target, each: Tally) -> tuple[float, float] | None:
    span = target.span(each.max_call_cost)
    if span is None or span[0] == span[1]:
        return span
    values = target.value(each)
    low, high = mean_at_any_time((values[~np.isnan(values)] - span[0]) / (span[1] - span[0]), _CONFIDENCE)
    return span[0] + low * (span[1] - span[0]), span[0] + high * (span[1] - span[0])


def promised(calibration: Calibration, own: Iterable[Target | type[Target]]) -> list[Target]:
    """Returns what a calibration promises, as targets; `own` are those that are not packaged, or their classes."""
    known: dict[str, Any] = {**TARGETS, **{target.name: target for target in own}}
    found = []
    for promise in calibration.promises:
        target = known.get(promise.target)
        if target is None:
            raise ConfigurationError(
                f"the calibration promises {promise.target} ≤ {promise.limit:g}, a target of your own: pass its class "
                "as targets=[…]"
            )
        found.append(target(promise.limit) if isinstance(target, type) else target)
        if found[-1].limit != promise.limit:
            message = f"the calibration promises {promise.target} ≤ {promise.limit:g}, and targets holds {target}"
            raise CalibrationMismatchError(message)
    return found
