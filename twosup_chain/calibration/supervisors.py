"""What a `Calibration` says of a chain, for `TwoSupervisorChain.from_calibration`: supervisors and policies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twosup_chain._options import shorten
from twosup_chain.answerers.settings import difference, settings_of
from twosup_chain.calibration.record import Calibration
from twosup_chain.calibration.settings import scorer_of
from twosup_chain.errors import CalibrationMismatchError, UnknownOptionError
from twosup_chain.scoring.registry import resolve
from twosup_chain.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from twosup_chain.scoring.scorer import ScoreFunction, Scorer


def chain_options(
    calibration: Calibration | str | Path, scorers: Mapping[str, ScoreFunction | Scorer], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the options of a chain that does what the calibration promises: supervisors, weighing, policies.

    `scorers` come before the registered ones; each must be one that the calibration was made for. `given` are the
    user's own options, which must not contradict it.
    """
    calibration = _loaded(calibration)
    settings = calibration.settings
    needed = {setting.scorer for setting in settings.values()}
    for name in scorers:
        if name not in needed:
            raise CalibrationMismatchError(
                f"scorers has {name!r}, and the calibration was made for {calibration.local.scorer!r} (local) and "
                f"{calibration.remote.scorer!r} (remote): calibrate for the scorers that judge"
            )
    made = {**given, **_policies(calibration, given)}
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


def check_asked(calibration: Calibration | str | Path, **answerers: Any) -> None:
    """Checks that answerers, by role, are asked as those that a calibration was made for.

    Raises:
        CalibrationMismatchError: An option differs.
    """
    settings = _loaded(calibration).settings
    for role, answerer in answerers.items():
        if other := difference(settings[role].asked, settings_of(answerer), role):
            raise CalibrationMismatchError(f"the calibration was made for {other}: ask the same way, or calibrate anew")


def _loaded(calibration: Calibration | str | Path) -> Calibration:
    return calibration if isinstance(calibration, Calibration) else Calibration.load(calibration)


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
