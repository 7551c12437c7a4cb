"""The supervisors that a `Calibration` describes, for `TwoSupervisorChain.from_calibration`."""

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


def supervisors(
    calibration: Calibration | str | Path, scorers: Mapping[str, ScoreFunction | Scorer]
) -> dict[str, Supervisor | bool]:
    """Returns ``local_supervisor`` and ``remote_supervisor``, and whether they weigh, as the calibration sets them.

    `scorers` come before the registered ones; each must be one that the calibration was made for.
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
    made: dict[str, Supervisor | bool] = {
        "early_abstention": calibration.early_abstention,
        "reconcile": calibration.reconcile,
    }
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
