"""`calibrate`: labelled questions and targets in, a `Calibration` out, or an error that says why there is none.

The search and its guarantee are in `search`, the targets in `targets`, the record in `record`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, get_args, overload

import numpy as np

from twosup_chain._options import shorten
from twosup_chain.calibration.average import find_on_average
from twosup_chain.calibration.estimates import estimate
from twosup_chain.calibration.given import read_given
from twosup_chain.calibration.grouped import GroupedCalibration
from twosup_chain.calibration.groups import each_group
from twosup_chain.calibration.infeasible import infeasible
from twosup_chain.calibration.record import CalibratedSupervisor, Calibration, Promise, Trace
from twosup_chain.calibration.search import find
from twosup_chain.calibration.systems import remarks, systems
from twosup_chain.calibration.tally import Abstention
from twosup_chain.calibration.targets import (
    MEASURES,
    Guarantee,
    OnRemoteError,
    Prefer,
    default_preference,
    make_targets,
)
from twosup_chain.calibration.trust import TrustProfile
from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.outcomes.outcomes import Outcomes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Unpack

    from twosup_chain.calibration.options import CalibrateOptions
    from twosup_chain.calibration.record import Role
    from twosup_chain.calibration.search import Found
    from twosup_chain.calibration.targets import Method, Target
    from twosup_chain.outcomes.outcomes import Floats
    from twosup_chain.outcomes.predictions import Correct
    from twosup_chain.outcomes.price import Price
    from twosup_chain.records.lines import Paths
    from twosup_chain.scoring.scorer import ScoreFunction, Scorer
    from twosup_chain.text.questions import Metadata

__all__ = ["Calibration", "calibrate"]

#: The most pairs that a calibration keeps of its search.
_MOST_TRACED = 256


@overload
def calibrate(
    records: Outcomes | Paths, *, groups: None = None, **options: Unpack[CalibrateOptions]
) -> Calibration: ...


@overload
def calibrate(records: Paths, *, groups: str, **options: Unpack[CalibrateOptions]) -> GroupedCalibration: ...


@overload
def calibrate(
    records: Paths, *, groups: str | None, **options: Unpack[CalibrateOptions]
) -> Calibration | GroupedCalibration: ...


def calibrate(  # noqa: PLR0913 (targets and options are all by keyword)
    records: Outcomes | Paths,
    *,
    order: Outcomes | Paths | None = None,
    targets: Iterable[Target] = (),
    remote_rate: float | None = None,
    false_positive_rate: float | None = None,
    risk: float | None = None,
    budget: float | None = None,
    match_remote: bool | float | None = None,
    confidence: float | None = None,
    guarantee: Guarantee = "confidence",
    prefer: Prefer | None = None,
    abstention: Abstention = "wrong",
    on_remote_error: OnRemoteError = "no_answer",
    fallback: bool = False,
    looks: int = 1,
    max_call_cost: float | None = None,
    local_scorer: str | ScoreFunction | Scorer | None = None,
    remote_scorer: str | ScoreFunction | Scorer | None = None,
    local_model: str | None = None,
    remote_model: str | None = None,
    correct: Correct = "exact_match",
    price: Price | None = None,
    missing: float | None = None,
    early_abstention: bool = False,
    reconcile: bool = False,
    where: Metadata | None = None,
    groups: str | None = None,
) -> Calibration | GroupedCalibration:
    """Returns both thresholds, chosen together so that every target holds at once, and the evidence for it.

    With `confidence` it is a guarantee: over the draw of the labelled questions, the probability is at most
    ``1 − confidence`` that a target is exceeded on the traffic that they stand for, at any number of questions. It
    rests on one assumption: the labelled questions are independent draws from that traffic. (Other traffic than was
    labelled breaks it; `check` tells.) Where the data tell passages, these are the independent draws, and every one
    counts alike: what is promised is promised of a question about a passage drawn at random, however many others are
    asked about it. Of few passages with many questions all their questions count, else one of each (`sample`). The
    division of the questions, into those that order the pairs and those that
    test them, follows from the data: there is nothing to try until it fits. Trying targets or scorers until one is
    feasible, and keeping that one, voids the guarantee. Without `confidence` the choice is the best one on these very
    questions, and promises nothing.

    Args:
        records: A file of records that `collect` has written, several, or `Outcomes`.
        order: Other questions, like the scorers' own fitting records: they fix the order in which pairs are tested, so
            that all of `records` test, which gives more coverage at the same guarantee (none of `records` may be among
            them). Without labels: `Outcomes.unlabelled`. By default a third of the questions fixes the order; targets
            that depend on the local threshold alone (remote rate, budget) need none.
        targets: What has to hold, as values: ``[Risk(0.05), Budget(2.0)]``, your own among them. The packaged ones
            may also be asked for by the options that follow; all hold together.
        remote_rate: The share of questions that may be sent to the hosted model, in [0, 1).
        false_positive_rate: The share of right predictions that may be refused, in [0, 1), as BiSupervised has it:
            FP / (FP + TN), FP being escalated questions with a right hosted prediction that is not trusted, TN all
            questions with a right prediction that is trusted.
        risk: The selective risk, in [0, 1): the share of wrong answers among the questions that are answered.
        budget: What the hosted model may cost per 1,000 questions, in currency; needs costs (`price`, or
            ``Outcomes.remote_cost``).
        match_remote: ``True``, or a margin in [0, 1): how much less accurate than the hosted model alone the chain may
            be; with `reconcile` too it is held against the hosted model's own answers.
        confidence: The guarantee's, in [0.5, 1), like 0.9.
        guarantee: ``"mean"`` promises less and takes no confidence: that the risk is kept on average over calibrations,
            those that find no thresholds counted as no risk. This one's own may lie above the limit, and as often as
            not it does. It takes the one target `risk`, and answers more of the questions where labels are few.
        prefer: Which pair to choose of those that keep the targets: ``"cheapest"``, the fewest remote calls, then the
            most answers; ``"coverage"``, the most answers, then the fewest calls; ``"accuracy"``, the most questions
            that end well; ``"safest"``, the lowest selective risk. By default ``"cheapest"`` where `risk` or
            `match_remote` is a target. The other targets are only limits, which never asking the hosted model would
            keep as well: ``"safest"`` with `false_positive_rate`, else ``"accuracy"``.
        abstention: What leaving a question open counts as, for accuracy and `match_remote`: ``"wrong"`` always, or
            right where the question has no answer (``"no_answer"``, the official SQuAD v2 rule for an empty answer).
        on_remote_error: What the chain does where a hosted call fails: it leaves the question open (``"no_answer"``; an
            exception counts the same), or gives the local answer as it stands (``"local"``), which then counts among
            the answers. Failed calls of records count: a local one is not trusted, a hosted one is asked, paid for and
            not answered.
        fallback: Whether the chain has a fallback. What that answers is none of the two models' answers: nothing is
            promised of it.
        looks: How often at most, with growing data, you will calibrate until the targets are feasible, this time
            included; to be said from the first time on. Each look has an equal part of what the confidence leaves.
        max_call_cost: The most that one hosted call can cost, in currency; a guarantee for a budget rests on it. By
            default it follows from a `price` with `context` and `max_tokens`.
        local_scorer: The scorer of the local predictions, by name or itself; needed for records, and to build
            a chain.
        remote_scorer: That of the hosted predictions.
        local_model: The local model's name, where `records` are `Outcomes`.
        remote_model: The hosted model's.
        correct: What counts as right in records: ``"exact_match"``, or ``("f1", floor)``.
        price: What the hosted model's tokens cost, where `records` are files.
        missing: The score of an answer in records that lacks what its scorer reads, as in `Supervisor`.
        early_abstention: Whether the thresholds are for a chain with this option; records take a learned local scorer
            for it.
        reconcile: Whether they are for a chain with this option, likewise; what the second supervisor chooses then
            stands in the hosted answer's place.
        where: Of the records only questions with these metadata, ``{"domain": "law"}``: what is promised is promised
            for their like.
        groups: A field of the records' metadata, like ``"domain"``: each group of questions with one value of it gets a
            calibration of its own, or the word that its labels do not suffice. Each promise holds with the `confidence`
            by itself; that all of them do is less probable.

    Raises:
        InfeasibleTargetError: No pair is known to keep the targets, with `groups` in no group. The error has the
            closest setting's values, the least abstention that is possible, and how many labelled questions would be
            needed.
        ConfigurationError: No target, or an option is out of range or contradicts another.
        CalibrationMismatchError: A learned scorer was fitted on some of these questions.
        InputError: There are no questions, or the data lack what an option needs.
        RecordsError: The records cannot be read.
    """
    if groups is not None:
        return _each_group(**locals())
    _check(confidence, guarantee, looks)
    _check_words(guarantee=(guarantee, Guarantee), prefer=(prefer, Prefer), abstention=(abstention, Abstention))
    _check_words(on_remote_error=(on_remote_error, OnRemoteError))
    weighing = {"early_abstention": early_abstention, "reconcile": reconcile}
    given = read_given(
        records,
        order=order,
        scorers={"local_scorer": local_scorer, "remote_scorer": remote_scorer},
        models={"local_model": local_model, "remote_model": remote_model},
        correct=correct,
        price=price,
        missing=missing,
        weighing=weighing,
        on_remote_error=on_remote_error,
        where=where,
    )
    outcomes, source = given.outcomes, given.source
    if max_call_cost is not None:
        outcomes = replace(outcomes, max_call_cost=max_call_cost)
    limits = {"remote_rate": remote_rate, "false_positive_rate": false_positive_rate, "risk": risk, "budget": budget}
    wanted = make_targets(targets, **limits, match_remote=match_remote)
    for lacking in filter(None, (target.lacks(outcomes) for target in wanted)):
        raise ConfigurationError(lacking)
    _check_order(given.order, outcomes, wanted, tests=confidence is not None or guarantee == "mean")
    for unfounded in filter(None, (target.unfounded(outcomes) for target in wanted if confidence is not None)):
        raise ConfigurationError(unfounded)
    each = None if confidence is None else 1.0 - (1.0 - confidence) / looks
    most = None if outcomes.remote_cost is None else outcomes.dearest
    outcomes = replace(outcomes, max_call_cost=most)  # the parts of a search hold to the dearest call of all
    search: dict[str, Any] = {"prefer": prefer or default_preference(wanted), "abstention": abstention}
    seed = int(source.digest, 16)  # nobody can try divisions until one fits
    how = partial(find, confidence=each) if guarantee == "confidence" else find_on_average

    def find_pair(outcomes: Outcomes, seed: int) -> Found:
        return how(outcomes, wanted, seed=seed, order=given.order, **search)

    found = find_pair(outcomes, seed)
    bound = max(filter(None, (target.least_abstention(outcomes) for target in wanted)), default=None)
    if found.best is None:
        level = None if each is None else 1.0 - each
        raise infeasible(found, outcomes, wanted, confidence=confidence, level=level, bound=bound, search=find_pair)
    chosen = found.chosen
    beside = systems(outcomes, chosen.local.item(), chosen.remote.item())
    measures = {**MEASURES, **{target.measure: target for target in wanted}}
    settings = {
        role: CalibratedSupervisor(
            scorer=getattr(source, f"{role}_scorer"),
            threshold=getattr(chosen, role).item(),
            model=getattr(source, f"{role}_model"),
            missing=missing,
            asked=given.asked.get(role),
        )
        for role in ("local", "remote")
    }
    return Calibration(
        **settings,
        promises=tuple(_promise(target, found, each) for target in wanted),
        confidence=confidence,
        method=found.method,
        **search,
        correct=given.correct,
        max_call_cost=most,
        currency=None if price is None else price.currency,
        questions=len(outcomes),
        failed=source.failed,
        ordering=found.ordering,
        testing=found.testing,
        passages=found.tested.units if found.tested.whole else None,
        **weighing,
        digest=source.digest,
        order=None if given.order is None else given.order.digest,
        made_from=given.made_from,
        where=where or {},
        estimates=tuple(
            estimate(measure, chosen, found.tested) for measure in measures.values() if not measure.lacks(outcomes)
        ),
        systems=beside,
        abstention_bound=bound,
        on_remote_error=on_remote_error,
        fallback=fallback,
        looks=looks,
        trust=_trust(outcomes, chosen.local.item()),
        trace=_trace(found),
        tried=len(found.accepted),
        warnings=(*_warnings(found.method, confidence, fallback=fallback), *remarks(chosen, beside)),
    )


def _each_group(
    *, records: Outcomes | Paths, groups: str, where: Metadata | None, targets: Iterable[Target], **options: Any
) -> GroupedCalibration:
    if isinstance(records, Outcomes):
        raise ConfigurationError(
            f"groups={shorten(groups)} is a field of the records' metadata, and Outcomes hold none"
        )
    wanted = tuple(targets)
    return each_group(
        records,
        groups,
        lambda value: calibrate(records, where={**(where or {}), groups: value}, targets=wanted, **options),
    )


def _check(confidence: float | None, guarantee: str, looks: int) -> None:
    if confidence is not None and (isinstance(confidence, bool) or not 0.5 <= confidence < 1.0):  # noqa: PLR2004
        message = f"confidence={shorten(confidence)}: pass a number from 0.5 to less than 1, or None for no guarantee"
        raise ConfigurationError(message)
    if guarantee == "mean" and confidence is not None:
        raise ConfigurationError("guarantee='mean' is an average over calibrations: leave the confidence out")
    if isinstance(looks, bool) or not isinstance(looks, int) or looks < 1:
        raise ConfigurationError(f"looks={shorten(looks)}: pass how often you will calibrate at most, 1 or more")


def _check_words(**words: tuple[str | None, Any]) -> None:
    for name, value, known in ((name, value, get_args(known)) for name, (value, known) in words.items()):
        if value is not None and value not in known:
            raise ConfigurationError(f"{name}={shorten(value)}: pass one of {', '.join(map(repr, known))}")


def _check_order(order: Outcomes | None, outcomes: Outcomes, targets: Iterable[Target], *, tests: bool) -> None:
    if order is None:
        return
    if not tests:
        message = "order fixes the order of tests, and without a confidence nothing is tested: leave it out"
        raise ConfigurationError(message)
    if not len(order):
        raise InputError("order holds no question: leave it out, and a third of the labelled ones fixes the order")
    if order.digest == outcomes.digest:
        raise ConfigurationError("order holds the labelled questions themselves, which are to test: pass other ones")
    for lacking in filter(None, (target.lacks(order) for target in targets)):
        raise ConfigurationError(f"of the questions in order, {lacking}")


def _promise(target: Target, found: Found, confidence: float | None) -> Promise:
    p_value = None if confidence is None else found.tested.p_value(target, found.chosen, 1.0 - confidence).item()
    return Promise(target=target.name, limit=target.limit, p_value=p_value)


def _warnings(method: Method, confidence: float | None, *, fallback: bool) -> list[str]:
    found = []
    if method == "average":
        found.append(
            "the risk is kept on average over calibrations, those that find nothing counted as no risk; it is not "
            "promised that this calibration keeps it, and about every other one that finds thresholds does not"
        )
    elif confidence is None:
        found.append(
            "a plug-in choice: the limits are kept on these questions, and probably exceeded on others; "
            "pass confidence=0.9 for a guarantee"
        )
    if fallback:
        found.append(
            "what the chain's fallback answers is none of the two models' answers, and nothing is promised of it"
        )
    return found


def _trust(outcomes: Outcomes, local: float) -> dict[Role, TrustProfile]:
    asked = outcomes.remote_score[outcomes.local_score < local]
    scores: dict[Role, Floats] = {"local": outcomes.local_score, "remote": asked}
    return {role: TrustProfile.of(found) for role, found in scores.items() if len(found)}


def _trace(found: Found) -> Trace:
    """Returns the pairs tried in their order, thinned where there are many; of a grid those at the chosen remote."""
    rows = np.arange(len(found.accepted))
    if found.method in ("plug-in", "nested"):
        rows = rows[found.tried.remote == found.chosen.remote]
    rows = np.union1d(rows[:: -(-len(rows) // _MOST_TRACED)], [found.best])
    pairs = found.tried.pairs(rows)
    shares = {name: MEASURES[name].value(pairs).tolist() for name in ("remote_rate", "coverage", "risk")}
    shares["risk"] = [None if np.isnan(value) else value for value in shares["risk"]]
    return Trace(
        local=pairs.local.tolist(),
        remote=pairs.remote.tolist(),
        p_value=() if found.p_values is None else found.p_values[rows].tolist(),
        accepted=found.accepted[rows].tolist(),
        **shares,
    )
