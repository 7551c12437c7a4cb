"""`recalibrate`: new thresholds for the promises of a calibration, from a log and the feedback on it."""

from collections.abc import Iterable

from twosup_chain.calibration.calibrate import calibrate
from twosup_chain.calibration.promise import promised
from twosup_chain.calibration.record import Calibration
from twosup_chain.calibration.targets import Target
from twosup_chain.errors import CalibrationMismatchError, InputError
from twosup_chain.outcomes.price import Price
from twosup_chain.service.labels import Labels, check_told, read_labels
from twosup_chain.service.log import DecisionLog

#: How many labelled decisions beside the fair sample are worth to fix the order in which thresholds are tried.
_WORTH_ORDERING = 50


def recalibrate(
    log: DecisionLog,
    calibration: Calibration,
    *,
    route: str | None = None,
    since: float | None = None,
    price: Price | None = None,
    targets: Iterable[Target | type[Target]] = (),
) -> Calibration:
    """Returns a calibration that promises what another one does, with thresholds for the traffic of a log.

    Args:
        log: The log.
        calibration: The one whose promises, confidence and scorers are kept.
        route: Decisions of this route alone.
        since: Decisions from then on alone, in seconds since 1970: those before the traffic changed are of another.
        price: What the hosted model's tokens cost, where a budget is promised.
        targets: Targets of your own that are promised, or their classes.

    Raises:
        InputError: Too little is labelled; the message says what to label.
        InfeasibleTargetError: No pair of thresholds is known to keep the promises.
        ConfigurationError: A log does not tell of what the calibration promises: it is for a chain that weighs
            predictions, or for a group of questions, and no route is named that all of them take.
    """
    labels = labels_for(log, calibration, route=route, since=since, price=price)
    wanted = promised(calibration, targets)
    if labels.assumed and any(target.name == "match_remote" for target in wanted):
        raise InputError(
            f"of {labels.assumed:,} decisions it is not known whether the other model was right, which match_remote "
            "depends on: label them by the answer (twosup feedback ID --answer TEXT), and keep texts (keep_text)"
        )
    fair, rest = labels.fair()
    local, remote = calibration.local, calibration.remote
    made = calibrate(
        fair,
        order=rest if len(rest) >= _WORTH_ORDERING else None,
        targets=wanted,
        confidence=calibration.confidence,
        guarantee="mean" if calibration.method == "average" else "confidence",
        prefer=calibration.prefer,
        abstention=calibration.abstention,
        on_remote_error=calibration.on_remote_error,
        fallback=calibration.fallback,
        looks=calibration.looks,
        local_scorer=local.scorer,
        remote_scorer=remote.scorer,
        local_model=local.model,
        remote_model=remote.model,
        max_call_cost=None if price is None else calibration.max_call_cost,
    )
    missing = {
        role: setting.model_copy(update={"missing": calibration.settings[role].missing})
        for role, setting in made.settings.items()
    }
    currency = None if price is None else price.currency
    return made.model_copy(update={**missing, "currency": currency, "where": calibration.where})


def labels_for(
    log: DecisionLog,
    calibration: Calibration,
    *,
    route: str | None = None,
    since: float | None = None,
    price: Price | None = None,
) -> Labels:
    """Returns the labels of a log that tell of a calibration's scorers."""
    check_told(calibration, route)
    scorers = {role: setting.scorer for role, setting in calibration.settings.items()}
    if None in scorers.values():
        raise CalibrationMismatchError("the calibration does not name its scorers: calibrate with local_scorer='…'")
    return read_labels(log.decisions(route=route, since=since), log.feedback(), scorers=scorers, price=price)
