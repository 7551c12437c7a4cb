"""Curves and figures of supervised models on plain arrays: NumPy only, no files, no LangChain, no drawing.

`escalation` asks what it brings to send the least trusted questions to the hosted model, `selection` what it brings to
answer only the most trusted ones, `probability` whether a score is a probability, and `intervals` how sure all of that
is. Choosing a threshold with a guarantee is the business of `calibration`; pictures are that of `evaluation`.
"""

from twosup_chain.curves.escalation import (
    EscalationCurve,
    accuracy_by_cutoff,
    auc_rac,
    cost_accuracy,
    cutoff_grid,
    request_accuracy,
    share_of_oracle_gain,
    thresholds_at,
)
from twosup_chain.curves.intervals import Interval, bootstrap
from twosup_chain.curves.probability import BINS, ReliabilityCurve, calibration_error, reliability
from twosup_chain.curves.selection import RiskCoverageCurve, augrc, aurc, auroc, risk_coverage, s_beta

__all__ = [
    "BINS",
    "EscalationCurve",
    "Interval",
    "ReliabilityCurve",
    "RiskCoverageCurve",
    "accuracy_by_cutoff",
    "auc_rac",
    "augrc",
    "aurc",
    "auroc",
    "bootstrap",
    "calibration_error",
    "cost_accuracy",
    "cutoff_grid",
    "reliability",
    "request_accuracy",
    "risk_coverage",
    "s_beta",
    "share_of_oracle_gain",
    "thresholds_at",
]
