"""`Given`: what `calibrate` is given, as columns, whether from records or as `Outcomes`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from twosup_chain._sketch import sketch
from twosup_chain.calibration.record import CalibratedSupervisor
from twosup_chain.calibration.settings import can_vouch, read_judged
from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.outcomes.from_records import Provenance
from twosup_chain.outcomes.outcomes import Outcomes
from twosup_chain.outcomes.predictions import in_words
from twosup_chain.scoring.registry import recorded_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twosup_chain.answerers.settings import Settings
    from twosup_chain.calibration.targets import OnRemoteError
    from twosup_chain.outcomes.from_records import RecordColumns
    from twosup_chain.outcomes.predictions import Correct
    from twosup_chain.outcomes.price import Price
    from twosup_chain.records.lines import Paths
    from twosup_chain.scoring.scorer import ScoreFunction, Scorer
    from twosup_chain.text.questions import Metadata

    _Scorers = Mapping[str, str | ScoreFunction | Scorer | None]


@dataclass(frozen=True, eq=False, kw_only=True)
class Given:
    """Labelled questions and where they come from, and other ones that order the tests.

    `correct` says in words what counts as right, and `made_from` which questions these are (`_sketch.sketch`), where
    they are records; `asked` by role how the models were asked, where these say it.
    """

    outcomes: Outcomes
    source: Provenance
    order: Outcomes | None
    correct: str | None = None
    made_from: str | None = None
    asked: Mapping[str, Settings] = field(default_factory=dict)


def read_given(  # noqa: PLR0913 (options of `calibrate`, all by keyword)
    records: Outcomes | Paths,
    *,
    order: Outcomes | Paths | None,
    scorers: _Scorers,
    models: Mapping[str, str | None],
    correct: Correct,
    price: Price | None,
    missing: float | None,
    weighing: Mapping[str, bool],
    on_remote_error: OnRemoteError,
    where: Metadata | None,
) -> Given:
    """Returns what `calibrate` is given, with the options of this name; scorers, models and weighing by option."""
    if not isinstance(records, Outcomes):
        if any(model is not None for model in models.values()):
            raise ConfigurationError("records name their models: leave local_model and remote_model out")
        found = _of_records(records, order, scorers, correct, price, missing, weighing, where)
    elif price is not None or missing is not None or where or correct != "exact_match":
        message = "price, missing, correct and where say how records are read: Outcomes hold costs, scores and labels"
        raise ConfigurationError(message)
    else:
        found = _of_outcomes(records, order, scorers, models, weighing)
    if not len(found.outcomes):
        which = f" with metadata {where}" if where else ""
        failed = f", and {found.source.failed} calls failed" if found.source.failed else ""
        raise InputError(f"there is no labelled question{which}{failed}: collect some first")
    if on_remote_error == "local":
        others = None if found.order is None else found.order.answering_failures_locally()
        return replace(found, outcomes=found.outcomes.answering_failures_locally(), order=others)
    return found


def _of_outcomes(
    outcomes: Outcomes,
    order: Outcomes | Paths | None,
    scorers: _Scorers,
    models: Mapping[str, str | None],
    weighing: Mapping[str, bool],
) -> Given:
    if lost := [option for option, chose in outcomes.weighed.items() if chose and not weighing[option]]:
        message = f"predictions were weighed in these outcomes: pass {lost[0]}=True, as the chain they are for"
        raise ConfigurationError(message)
    if not isinstance(order, Outcomes | None):
        raise ConfigurationError("records are Outcomes, and order is not: pass order=Outcomes(…) too")
    names = {option: None if scorer is None else recorded_name(scorer) for option, scorer in scorers.items()}
    source = Provenance(questions=len(outcomes), failed=0, digest=outcomes.digest, **names, **models)
    return Given(outcomes=outcomes, source=source, order=order)


def _of_records(
    records: Paths,
    order: Outcomes | Paths | None,
    scorers: _Scorers,
    correct: Correct,
    price: Price | None,
    missing: float | None,
    weighing: Mapping[str, bool],
    where: Metadata | None,
) -> Given:
    given = [scorer for scorer in scorers.values() if scorer is not None]
    if len(given) < len(scorers):
        message = "records hold the trust of several scorers: pass local_scorer='…' and remote_scorer='…'"
        raise ConfigurationError(message)
    local, remote = (CalibratedSupervisor(scorer=recorded_name(s), threshold=0.0, missing=missing) for s in given)
    own = {recorded_name(scorer): scorer for scorer in given if not isinstance(scorer, str)}

    def read(paths: Paths, where: Metadata | None = None) -> RecordColumns:
        return read_judged(paths, local=local, remote=remote, scorers=own, failures=True, where=where, **weighing)

    columns = read(records, where)
    can_vouch(columns)
    if not isinstance(order, Outcomes | None):
        others = read(order)
        if both := int(np.isin(others.digests, columns.digests).sum()):
            message = f"order holds {both:,} of the labelled questions, which are to test: pass other ones"
            raise ConfigurationError(message)
        order = others.outcomes(correct=correct, price=price)
    return Given(
        outcomes=columns.outcomes(correct=correct, price=price),
        source=columns.provenance,
        order=order,
        correct=in_words(correct),
        made_from=sketch(columns.digests),
        asked=columns.settings,
    )
