"""The options of `calibrate` as a type, which its overloads share; what they mean and their defaults are said there."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twosup_chain.calibration.tally import Abstention
    from twosup_chain.calibration.targets import Guarantee, OnRemoteError, Prefer, Target
    from twosup_chain.outcomes.outcomes import Outcomes
    from twosup_chain.outcomes.predictions import Correct
    from twosup_chain.outcomes.price import Price
    from twosup_chain.records.lines import Paths
    from twosup_chain.scoring.scorer import ScoreFunction, Scorer
    from twosup_chain.text.questions import Metadata


class CalibrateOptions(TypedDict, total=False):
    """What may be said to `calibrate` by keyword, but for `groups`."""

    order: Outcomes | Paths | None
    targets: Iterable[Target]
    remote_rate: float | None
    false_positive_rate: float | None
    risk: float | None
    budget: float | None
    match_remote: bool | float | None
    confidence: float | None
    guarantee: Guarantee
    prefer: Prefer | None
    abstention: Abstention
    on_remote_error: OnRemoteError
    fallback: bool
    looks: int
    max_call_cost: float | None
    local_scorer: str | ScoreFunction | Scorer | None
    remote_scorer: str | ScoreFunction | Scorer | None
    local_model: str | None
    remote_model: str | None
    correct: Correct
    price: Price | None
    missing: float | None
    early_abstention: bool
    reconcile: bool
    where: Metadata | None
