"""What a `Calibration`, or one of groups, says of a chain, for `from_calibration`: supervisors and policies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twosup_chain._options import shorten
from twosup_chain.answerers.settings import difference, settings_of, warn_of_processor
from twosup_chain.calibration.grouped import GroupedCalibration, load_any
from twosup_chain.calibration.settings import scorer_of
from twosup_chain.errors import CalibrationMismatchError, UnknownOptionError
from twosup_chain.never_escalate import rules_of
from twosup_chain.scoring.registry import resolve
from twosup_chain.supervisor import GroupSupervisor, Supervisor, group_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twosup_chain.calibration.record import Calibration
    from twosup_chain.schema import QAInput
    from twosup_chain.scoring.scorer import ScoreFunction, Scorer


class WithoutPromise:
    """Tells whether a question is of no group that has a promise: a rule of `never_escalate`.

    Nobody would trust what the hosted model says to it.
    """

    def __init__(self, by: str, groups: frozenset[str]) -> None:
        self._by, self._groups = by, groups

    def __call__(self, asked: QAInput, metadata: dict[str, Any]) -> bool:
        """Returns whether it is."""
        return group_of(asked, metadata, self._by) not in self._groups


def chain_options(
    calibration: Calibration | GroupedCalibration | str | Path,
    scorers: Mapping[str, ScoreFunction | Scorer],
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """Returns the options of a chain that does what the calibration promises: supervisors, weighing, policies.

    `scorers` come before the registered ones; each must be one that the calibration was made for. `given` are the
    user's own options, which must not contradict it. For groups the supervisors choose by the question's, and
    ``never_escalate`` keeps questions without a promise from being asked.
    """
    calibration = _loaded(calibration)
    if not isinstance(calibration, GroupedCalibration):
        return _of_all(calibration, scorers, given)
    by, each = calibration.by, {name: _of_all(made, scorers, given) for name, made in calibration.groups.items()}
    made = dict(next(iter(each.values())))
    for role in ("local_supervisor", "remote_supervisor"):
        made[role] = GroupSupervisor(by=by, groups={name: found[role] for name, found in each.items()})
    rules = rules_of(given.get("never_escalate"))
    return {**made, "never_escalate": [WithoutPromise(by, frozenset(each)), *rules]}


def _of_all(
    calibration: Calibration, scorers: Mapping[str, ScoreFunction | Scorer], given: Mapping[str, Any]
) -> dict[str, Any]:
    settings = calibration.settings
    needed = {setting.scorer for setting in settings.values()}
    for name in scorers:
        if name not in needed:
            raise CalibrationMismatchError(
                f"scorers has {name!r}, and the calibration was made for {calibration.local.scorer!r} (local) and "
                f"{calibration.remote.scorer!r} (remote): calibrate for the scorers that judge"
            )
    made: dict[str, Any] = {**given, **_policies(calibration, given)}
    for role, setting in settings.items():
        name = scorer_of(setting, role)
        try:
            scorer = resolve(scorers.get(name, name))
        except UnknownOptionError as error:
            raise CalibrationMismatchError(
                f"the calibration was made for the {role} scorer {name!r}, which is none of {', '.join(error.known)}: "
                f"pass it as scorers={{{shorten(name)}: …}}"
            ) from None
        made[f"{role}_supervisor"] = Supervisor(
            replace(scorer, name=name, caution=None),  # its threshold is calibrated
            threshold=setting.threshold,
            missing=setting.missing,
            model=setting.model,
        )
    return made


def check_asked(calibration: Calibration | GroupedCalibration | str | Path, **answerers: Any) -> None:
    """Checks that answerers, by role, are asked as those that a calibration was made for.

    Raises:
        CalibrationMismatchError: An option differs.
    """
    found = _loaded(calibration)  # the groups' records are of the same models
    settings = (next(iter(found.groups.values())) if isinstance(found, GroupedCalibration) else found).settings
    for role, answerer in answerers.items():
        warn_of_processor(settings[role].asked, settings_of(answerer), role)
        if other := difference(settings[role].asked, settings_of(answerer), role):
            raise CalibrationMismatchError(f"the calibration was made for {other}: ask the same way, or calibrate anew")


def _loaded(calibration: Calibration | GroupedCalibration | str | Path) -> Calibration | GroupedCalibration:
    return load_any(calibration) if isinstance(calibration, (str, Path)) else calibration


def _policies(calibration: Calibration, given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the chain's options that the promises rest on; `CalibrationMismatchError` where others are given."""
    found: dict[str, Any] = {name: getattr(calibration, name) for name in ("early_abstention", "reconcile")}
    for name, made_for in found.items():
        if given.get(name, made_for) != made_for:
            message = f"the calibration was made for {name}={made_for}: leave it out here, or calibrate with {name}=…"
            raise CalibrationMismatchError(message)
    chosen = given.get("on_remote_error")
    if calibration.on_remote_error == "local":
        found["on_remote_error"] = "local"
    open_still = {"local": ("local",), "no_answer": ("raise", "no_answer", "fallback")}[calibration.on_remote_error]
    if chosen is not None and chosen not in open_still:
        raise CalibrationMismatchError(
            f"the calibration was made for on_remote_error={calibration.on_remote_error!r}, and {chosen!r} gives other "
            "answers: leave it out here, or calibrate with on_remote_error=…"
        )
    if given.get("fallback") not in (None, "raise") and not calibration.fallback:
        raise CalibrationMismatchError(
            "the calibration was made for a chain without a fallback, whose answers it promises nothing of: calibrate "
            "with fallback=True, or leave the fallback out"
        )
    if given.get("on_local_error", "escalate") != "escalate":
        raise CalibrationMismatchError(
            "the calibration counts a question whose local call fails as escalated: leave on_local_error='raise' out"
        )
    return found
