"""`check`: whether the promise of a `Calibration` still holds, judged by new labelled questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from twosup_chain._options import Record
from twosup_chain.calibration.record import Calibration, Estimate
from twosup_chain.calibration.tally import count
from twosup_chain.calibration.targets import make_targets
from twosup_chain.errors import CalibrationMismatchError, ConfigurationError, InputError
from twosup_chain.outcomes.outcomes import Outcomes

if TYPE_CHECKING:
    from twosup_chain.calibration.targets import Target
    from twosup_chain.records.lines import Paths

_INTERVAL = 0.95


class HeldPromise(Record):
    """One target on new data.

    Args:
        target: The option of `calibrate` that asked for it.
        limit: What is not to be exceeded.
        estimate: Its value on the new questions, with a two-sided 95 % interval.
        probability: The probability that the limit is kept, given the new questions alone.
    """

    target: str
    limit: float
    estimate: Estimate
    probability: float = Field(ge=0.0, le=1.0)


class PromiseCheck(Record):
    """Every target of a calibration on new data; prints as a small table.

    Args:
        questions: How many new labelled questions there were.
        targets: The targets.
        currency: The currency of a budget.
    """

    questions: int
    targets: tuple[HeldPromise, ...]
    currency: str | None = None

    @property
    def probability(self) -> float:
        """The least of the targets' probabilities."""
        return min(held.probability for held in self.targets)

    def __str__(self) -> str:
        from twosup_chain.calibration.table import check_as_text

        return check_as_text(self)


def check(calibration: Calibration, records: Outcomes | Paths, **options: Any) -> PromiseCheck:
    """Returns with what probability each promise of a calibration holds on the traffic that new questions stand for.

    The probabilities are posterior ones, from the new questions alone: for the rates under Jeffreys' prior Beta(1/2,
    1/2) on the rate; for `match_remote` under the prior Dirichlet(1/2, 1/2, 1/2) on the shares of questions that only
    the chain, only the hosted model, or both or neither get right; for a budget a Student-t approximation for the mean
    cost, after half a free call and half a dearest call are added.

    Args:
        calibration: The calibration.
        records: New labelled questions: a file of records, several, or `Outcomes`; not those it was made from.
        **options: How records are read, as in `read_outcomes`: ``correct``, ``price``; and ``scoring``, by name, the
            learned ones of your own.

    Raises:
        InputError: There are no questions, or the costs that a budget needs are missing.
        CalibrationMismatchError: The records are of other models than the calibration.
        RecordsError: The records cannot be read.
    """
    outcomes = records if isinstance(records, Outcomes) else _read(calibration, records, options)
    if isinstance(records, Outcomes) and options:
        message = f"{', '.join(options)}: Outcomes hold labels and costs, only records are read with options"
        raise ConfigurationError(message)
    if not len(outcomes):
        message = "there is no new labelled question to check the calibration on"
        raise InputError(message)
    limits: dict[str, Any] = {promise.target: promise.limit for promise in calibration.promises}
    most = calibration.max_call_cost
    if "budget" in limits:
        if outcomes.remote_cost is None:
            message = "the calibration promises a budget, and the new questions have no costs: pass price=Price(…)"
            raise InputError(message)
        most = max(most or 0.0, float(outcomes.remote_cost.max()))
    thresholds = (np.array([getattr(calibration, role).threshold]) for role in ("local", "remote"))
    tally = count(outcomes, *thresholds, abstention=calibration.abstention).flat()
    targets = make_targets(**limits, max_call_cost=most)
    return PromiseCheck(
        questions=len(outcomes),
        targets=tuple(_held(target, target.value(tally).item(), target, tally) for target in targets),
        currency=calibration.currency,
    )


def _held(target: Target, value: float, source: Target, tally: Any) -> HeldPromise:
    low, high = source.interval(tally, _INTERVAL)
    estimate = Estimate(name=target.name, value=value if np.isfinite(value) else None, low=low, high=high)
    return HeldPromise(target=target.name, limit=target.limit, estimate=estimate, probability=target.posterior(tally))


def _read(calibration: Calibration, records: Paths, options: dict[str, Any]) -> Outcomes:
    from twosup_chain.outcomes.from_records import read_outcomes

    local, remote = calibration.local, calibration.remote
    if local.scorer is None or remote.scorer is None:
        message = "the calibration names no scorers, which says how records are read: calibrate with local_scorer=…"
        raise ConfigurationError(message)
    scorers = options.pop("scorers", {})
    outcomes, source = read_outcomes(
        records,
        local_scorer=scorers.get(local.scorer, local.scorer),
        remote_scorer=scorers.get(remote.scorer, remote.scorer),
        missing=local.missing,
        early_abstention=calibration.early_abstention,
        reconcile=calibration.reconcile,
        **options,
    )
    for role in ("local", "remote"):
        made_for, found = getattr(calibration, role).model, getattr(source, f"{role}_model")
        if len(outcomes) and made_for != found:
            message = f"the calibration was made for the {role} model {made_for!r}, and the records are of {found!r}"
            raise CalibrationMismatchError(message)
    return outcomes
