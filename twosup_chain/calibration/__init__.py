"""Thresholds fitted to labelled questions, for a stated target, with a stated guarantee.

`calibrate` is where to start: it takes columns (`outcomes`) or files of records (`records`) and returns a `Calibration`
(`record`). What can be promised is in `targets`, how thresholds are found and why the guarantee holds in `search`, what
is said where there are none in `infeasible`, whether a promise still holds on new data in `promise`, and while the
chain runs in `monitor`; what a chain makes of a calibration is in `supervisors`. The mathematics is in `statistics` and
`betting`.
"""

from twosup_chain.calibration.calibrate import calibrate
from twosup_chain.calibration.grouped import GroupedCalibration
from twosup_chain.calibration.monitor import Monitor
from twosup_chain.calibration.promise import check
from twosup_chain.calibration.record import Calibration
from twosup_chain.calibration.targets import Budget, FalsePositiveRate, MatchRemote, Rate, RemoteRate, Risk, Target

__all__ = [
    "Budget",
    "Calibration",
    "FalsePositiveRate",
    "GroupedCalibration",
    "MatchRemote",
    "Monitor",
    "Rate",
    "RemoteRate",
    "Risk",
    "Target",
    "calibrate",
    "check",
]
