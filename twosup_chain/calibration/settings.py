"""Records read as two supervisors judge them, for `calibrate`, `check` and `evaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twosup_chain._options import shorten
from twosup_chain._sketch import recognised
from twosup_chain.answerers.settings import difference
from twosup_chain.calibration.record import CalibratedSupervisor
from twosup_chain.errors import CalibrationMismatchError, InputError
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.scoring.learned import LearnedScorer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twosup_chain.calibration.record import Calibration
    from twosup_chain.outcomes.from_records import RecordColumns
    from twosup_chain.records.lines import Part, Paths
    from twosup_chain.scoring.scorer import ScoreFunction, Scorer
    from twosup_chain.supervisor import Supervisor
    from twosup_chain.text.questions import Metadata


def setting_of(supervisor: Supervisor | CalibratedSupervisor) -> CalibratedSupervisor:
    """Returns how a supervisor is set, which is all that recorded predictions need of it."""
    if isinstance(supervisor, CalibratedSupervisor):
        return supervisor
    return CalibratedSupervisor(
        scorer=supervisor.scorer_name,
        threshold=supervisor.threshold,
        missing=supervisor.missing,
        model=supervisor.model,
        no_answer_threshold=supervisor.no_answer_threshold,
    )


def scorer_of(setting: CalibratedSupervisor, role: str) -> str:
    """Returns the name of the scorer that a calibration is for; `CalibrationMismatchError` where it was not told."""
    if setting.scorer is None:
        message = f"the calibration does not name its {role} scorer: calibrate with {role}_scorer='…'"
        raise CalibrationMismatchError(message)
    return setting.scorer


def learned_scorers(*supervisors: Supervisor | CalibratedSupervisor | None) -> dict[str, LearnedScorer]:
    """Returns the learned scorers that supervisors hold, by name; trust by any other scorer is recorded by its name."""
    held = (getattr(getattr(supervisor, "scorer", None), "function", None) for supervisor in supervisors)
    return {scorer.name: scorer for scorer in held if isinstance(scorer, LearnedScorer)}


def can_vouch(columns: RecordColumns, calibrated_on: str | None = None) -> None:
    """Checks that no question is there twice, and that nothing that these records are to judge was made from them.

    `calibrated_on` are the questions of a calibration, as `_sketch.sketch` has them. `InputError` names two equal
    questions, `CalibrationMismatchError` what was made from how many.
    """
    same = np.flatnonzero(np.diff(columns.digests) == 0)
    if same.size:
        one, other = (shorten(columns.record(int(same[0]) + at).id) for at in (0, 1))
        raise InputError(
            f"{len(same):,} of these {len(columns):,} questions repeat another one, as {other} does {one}: equal "
            "questions prove no more than one of them, leave the others out"
        )
    used = {f"{name} was fitted on": rows for name, rows in columns.fitted.items()}
    used["the calibration was made from"] = recognised(calibrated_on, columns.digests)
    for what, rows in used.items():
        if rows.any():
            first = columns.record(int(np.argmax(rows))).id
            raise CalibrationMismatchError(
                f"{int(rows.sum()):,} of these {len(columns):,} questions ({shorten(first)} is one) are among those "
                f"that {what}, which flatter it: take other questions"
            )


def read_judged(
    paths: Paths | Part,
    *,
    local: CalibratedSupervisor,
    remote: CalibratedSupervisor,
    scorers: Mapping[str, ScoreFunction | Scorer] | None = None,
    early_abstention: bool = False,
    reconcile: bool = False,
    failures: bool = False,
    where: Metadata | None = None,
) -> RecordColumns:
    """Returns records as these supervisors judge them; their thresholds play no part.

    `scorers` are, by name, the learned ones that are not packaged; `where` chooses questions by metadata.
    `CalibrationMismatchError`: a setting names no scorer, or the records are of another model than it is for.
    """
    known, names = scorers or {}, {"local": scorer_of(local, "local"), "remote": scorer_of(remote, "remote")}
    columns = read_columns(
        paths,
        **{f"{role}_scorer": known.get(name, name) for role, name in names.items()},
        local_missing=local.missing,
        remote_missing=remote.missing,
        early_abstention=early_abstention,
        reconcile=reconcile,
        failures=failures,
        where=where,
    )
    source = columns.provenance
    for role, setting, found in (("local", local, source.local_model), ("remote", remote, source.remote_model)):
        if len(columns) and setting.model is not None and setting.model != found:
            message = f"the {role} supervisor was calibrated for {setting.model!r}, and the records are of {found!r}"
            raise CalibrationMismatchError(message)
        if other := difference(setting.asked, columns.settings.get(role), role):
            raise CalibrationMismatchError(f"the {role} supervisor was calibrated for {other}")
    return columns


def read_for(
    calibration: Calibration, paths: Paths | Part, scorers: Mapping[str, ScoreFunction | Scorer] | None = None
) -> RecordColumns:
    """Returns those records that a calibration is for, as its supervisors judge them: see `read_judged`."""
    return read_judged(
        paths,
        local=calibration.local,
        remote=calibration.remote,
        scorers=scorers,
        early_abstention=calibration.early_abstention,
        reconcile=calibration.reconcile,
        failures=True,
        where=calibration.where,
    )
